export type { NoteRequest, TaskRequest } from './activities';
export type { Made } from './answering';
export type { ConsentRequest } from './consent';
export * from './hubspot.client';
export * from './limits';
export type { ListRequest } from './lists';
export * from './properties';
export type { SequenceRequest } from './sequences';
export { isByEmail, type UpsertRequest } from './upsert';
