export type { AccountInfo } from './account-info';
export * from './accounts';
export type { NoteRequest, TaskRequest } from './activities';
export type { Made } from './answering';
export {
  type AppSubscription,
  type AppWebhooks,
  NO_APP_WEBHOOKS,
  type NewSubscription,
  type WebhooksApp,
  type WebhookTarget,
} from './app-webhooks';
export { MOST_IN_BATCH } from './batch';
export type { ConsentRequest } from './consent';
export { NOT_INSTALLED, NOT_REFRESHED, NoToken } from './errors';
export type { EventRequest } from './events';
export * from './hubspot.client';
export { HubspotJournal, type JournalApp, type JournalEvent, type JournalFile } from './journal';
export * from './limits';
export type { ChangedRecord, ChangedRequest } from './changed';
export {
  type CountRequest,
  type ListedRecord,
  type ListPageRequest,
  type RecordPage,
  RECORDS_A_PAGE,
  type SearchPageRequest,
  type Where,
} from './listing';
export type { ListRequest } from './lists';
export {
  authorizeUrl,
  type AuthorizeRequest,
  type GivenTokens,
  HubspotOauth,
  isRevoked,
  type OauthClient,
} from './oauth';
export { answersOf, type BatchBody, type Part } from './parts';
export type { ObjectSchema, Pipeline, Property, PublicOwner } from './portal';
export {
  contactProperties,
  type Differing,
  type Lacking,
  ownProperties,
  type Preparation,
  type Wishes,
} from './properties';
export type { Rates } from './sdk';
export type { SequenceRequest } from './sequences';
export type { TokenInfo } from './token-info';
export type { KeptApp, OauthApp, TokenSource } from './tokens';
export { isByEmail, type UpsertRequest } from './upsert';
