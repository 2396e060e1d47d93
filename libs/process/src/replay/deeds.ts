import { courseOf, type ItemPlan, type PlannedEffect } from './simulation';

/**
 * What a plan would do, in a form to be compared: its events, and the calls that it would make at what cost. What it
 * finds done or under way is none of its deeds.
 */
export function deedsOf(plan: ItemPlan, redo: boolean): string {
  const { events, effects } = courseOf(plan, redo);
  const deeds = effects.filter((effect) => isDeed(effect, redo));
  return JSON.stringify([
    events,
    deeds.map(({ slot, verdict, requestHash, cost }) => [slot, verdict, requestHash, cost]),
  ]);
}

const isDeed = ({ verdict }: PlannedEffect, redo: boolean): boolean =>
  ['new', 'again', 'read'].includes(verdict) || (verdict === 'changed' && redo);

/** The same for people. */
export function saysOf(plan: ItemPlan, redo: boolean): string {
  const { events, effects } = courseOf(plan, redo);
  return [...events, ...effects.map((effect) => `${effect.kind} ${effect.verdict}`)].join(', ') || 'nothing';
}
