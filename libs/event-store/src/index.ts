export { migrate, storeDataSource } from './data-source';
export { contentKey, type ContentKey } from './content-key';
export { bookedCost } from './cost';
export { transitions, type EffectState, type Step } from './effect-states';
export * from './errors';
export { doneBy, gates, type Gate, type LimitState } from './gates';
export { type KindPolicy, type VendorLimit } from './kind-policy';
export { dueMail } from './mailbox';
export * from './ledger';
export { dropLeases, holdLeases } from './lease';
export * from './loop';
export { cancel, eraseOwed, redo, resolveHeld, type EffectName, type Finding } from './operations';
export { keysToRelease, parkedKeys, parkedMail, requestRelease, type ParkedKey, type ParkedSelection } from './parking';
export { checkStore, openPool, type Pool } from './pool';
export { Relay, type Publish } from './relay';
export * from './replay-items';
export * from './replay-reads';
export * from './replay-view';
export * from './replays';
export type { Queryable } from './query';
export * from './shapes';
export { storyOf, streamsAbout, type Story, type StoryEffect, type StoryEvent } from './story';
export { readStreams } from './streams';
export {
  BatchTransaction,
  emptyOutcome,
  SHARDS,
  transact,
  type Known,
  type KnownEvent,
  type Outcome,
} from './transaction';
