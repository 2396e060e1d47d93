export { emptyOutcome, type Known, type KnownEvent, type Outcome, SHARDS } from './batch-statements';
export { migrate, pendingMigrations } from './data-source';
export { contentKey, type ContentKey } from './content-key';
export * from './budgets';
export { bookedCost } from './cost';
export { transitions, type EffectState, type Step } from './effect-states';
export { deadLetterEffects, type DeadLetterEffect, type DeadLetterSelection } from './dead-letters';
export {
  eraseEffects,
  eraseMail,
  erasePlans,
  inputKeysOf,
  servicesHolding,
  type Erased,
  type Erasing,
} from './erasure';
export * from './errors';
export { doneBy, gates, type Gate, type LimitState } from './gates';
export * from './installations';
export { checkKeptDays, KeepingMismatch, type KeptDays } from './keeping/days';
export { Housekeeping } from './keeping/housekeeping';
export { type KindPolicy, type VendorLimit } from './kind-policy';
export { gathering, type GatherSpec, type OpenJob, openJobs } from './jobs';
export { dueMail, mailWaits } from './mailbox';
export * from './ledger';
export { dropLeases, holdLeases } from './lease';
export * from './loop';
export { cancel, redo, resolveHeld, type EffectName, type Finding } from './operations';
export { keysToRelease, parkedKeys, parkedMail, requestRelease, type ParkedKey, type ParkedSelection } from './parking';
export { ForeignRowsRefused, readForeignRows } from './foreign-rows';
export { countFollowed, eventsOf, newestIn, newestOf, type SeenEvent } from './newest';
export { checkStore, openPool, openReader, type Pool } from './pool';
export { type Build } from './read-models/builds';
export { type CardPart, type CardRead, readCard } from './read-models/card-read';
export { fewer, type Fact, type SaidError, shortened } from './read-models/card-says';
export { cardsModel } from './read-models/cards';
export { type LinkRead, readLink } from './read-models/link-read';
export { linksModel } from './read-models/links';
export { Projector } from './read-models/projector';
export { type ReadModel, type Statement } from './read-models/read-model';
export { oldestWriterMs, readModels, readModelState, type ReadModelState, requestRebuild } from './read-models/rebuild';
export { listRecords, NotBuilt, type RecordRow } from './read-models/record-list';
export { recordsModel, renderStatuses } from './read-models/records';
export { appendPublications, type NewPublication, publicationsIn, publishedRecipes, textsOnceLive } from './recipes';
export { Relay, relayAll, type Publish } from './relay';
export { type UnpublishedEvent } from './unpublished';
export { Replica } from './replica';
export * from './replay-items';
export * from './replay-reads';
export * from './replay-view';
export * from './replays';
export type { Queryable } from './query';
export * from './shapes';
export {
  type CallsWanted,
  type KeptCall,
  keptCall,
  keptCalls,
  placeOfCall,
  type SealedCall,
  tellUnsealed,
  type WholeCall,
  wholeCalls,
} from './sealed-calls';
export { type Budgets, microsOf } from './spend';
export { drainSpool, spool, SpoolFull, spoolState, type SpooledRecord, type SpoolState } from './spool';
export { storyOf, streamsAbout, type Story, type StoryEffect, type StoryEvent } from './story';
export { readStreams } from './streams';
export { clear, suspect } from './suspects';
export { earliestTimer } from './waiting-timers';
export { BatchTransaction, readBatch, transact, writeBatch } from './transaction';
