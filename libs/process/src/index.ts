export * from './decider';
export * from './definition';
export { type CallContext, type EffectKind } from './effect-runner';
export { discardParked } from './key-release';
export * from './pending';
export { Process, type Surroundings } from './process';
export type { Produce } from './publish';
export * from './service-runtime';
export * from './stream-id';
