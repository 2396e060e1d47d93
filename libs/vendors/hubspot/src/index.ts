export * from './hubspot.client';
export * from './properties';
