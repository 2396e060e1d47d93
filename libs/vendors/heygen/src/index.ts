export * from './heygen.client';
