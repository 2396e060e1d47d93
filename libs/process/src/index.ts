export * from './decider';
export * from './definition';
export { type CallContext, type EffectKind } from './effect-runner';
export * from './pending';
export { Process, type Surroundings } from './process';
export type { EffectOutcome, Lane, VendorLimit } from '#libs/event-store';
export type { Produce } from './publish';
export * from './service-runtime';
export * from './stream-id';
