export * from './config';
export * from './health.module';
export * from './logging';
export * from './problem';
export * from './problem.filter';
export * from './serve';
export * from './settings';
export * from './telemetry';
