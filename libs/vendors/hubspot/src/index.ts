export * from './hubspot.client';
export * from './limits';
export * from './properties';
