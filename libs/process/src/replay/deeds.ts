import type { ItemPlan, PlannedEffect } from './simulation';

/**
 * What a plan would do, in a form to be compared: its events, and the calls that it would make at what cost. What it
 * finds done or under way is none of its deeds.
 */
export const deedsOf = (plan: ItemPlan, redo: boolean): string =>
  JSON.stringify([
    plan.events,
    plan.effects
      .filter((effect) => isDeed(effect, redo))
      .map(({ slot, verdict, requestHash, cost }) => [slot, verdict, requestHash, cost]),
  ]);

const isDeed = ({ verdict }: PlannedEffect, redo: boolean): boolean =>
  ['new', 'again', 'read'].includes(verdict) || (verdict === 'changed' && redo);

/** The same for people. */
export const saysOf = (plan: ItemPlan): string =>
  [...plan.events, ...plan.effects.map((effect) => `${effect.kind} ${effect.verdict}`)].join(', ') || 'nothing';
