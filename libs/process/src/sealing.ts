import type { Answer } from '#libs/contracts';
import { type ClaimedEffect, placeOfCall, type SealedCall } from '#libs/event-store';
import type { UnderWay } from './effect-kind';

/** Where records of calls are kept: how they are sealed, and for how long. */
export interface Sealing {
  /** Seals a text for one place; opened for another, it is refused. */
  seal(text: string, place: string): Promise<string>;
  days: number;
}

/** What is kept of a call, where its answer has a record and records are kept; `tookMs` where it was a call of its own. */
export async function sealedCall(
  sealing: Sealing | undefined,
  effect: ClaimedEffect,
  answer: Answer | UnderWay,
  tookMs?: number,
): Promise<SealedCall | undefined> {
  const record = answer.outcome === 'done' || answer.outcome === 'stop' ? answer.record : undefined;
  if (!record || !sealing) return undefined;
  const sealed = await sealing.seal(JSON.stringify(record.sealed), placeOfCall(effect));
  const trace = effect.meta.traceparent?.split('-')[1];
  const facts = { ...record.facts, ...(tookMs === undefined ? {} : { tookMs }), ...(trace ? { trace } : {}) };
  return { facts, sealed, days: sealing.days };
}
