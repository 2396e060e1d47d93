export type { NoteRequest, TaskRequest } from './activities';
export type { Made } from './answering';
export { MOST_IN_BATCH } from './batch';
export type { ConsentRequest } from './consent';
export type { EventRequest } from './events';
export * from './hubspot.client';
export * from './limits';
export {
  type CountRequest,
  type ListedRecord,
  type ListPageRequest,
  type RecordPage,
  RECORDS_A_PAGE,
  searchLimits,
  type SearchPageRequest,
  type Where,
} from './listing';
export type { ListRequest } from './lists';
export * from './properties';
export type { SequenceRequest } from './sequences';
export { isByEmail, type UpsertRequest } from './upsert';
export { answersOf, type BatchBody, type Part } from './parts';
