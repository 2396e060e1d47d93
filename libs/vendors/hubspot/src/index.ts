export * from './hubspot.client';
export * from './limits';
export * from './properties';
export type { CreatedTask, TaskRequest } from './tasks';
