import type { Cost } from '#libs/contracts';

/** What a call costs at most; and what all that its answer may lead on to does: as declared, and as far as simulated. */
export interface Bound {
  cost: Cost;
  follows: Cost;
  led: Bound[];
}

/** A beginning of which nothing is known yet. */
export const unbound = (cost: Cost = {}, follows: Cost = {}): Bound => ({ cost, follows, led: [] });

/**
 * The most that a call and what follows from it may cost, by unit: what is simulated is one way in which it may go on, and
 * what is declared holds for all of them.
 */
export const upperOf = ({ cost, follows, led }: Bound): Cost =>
  plus(cost, byUnit(follows, led.map(upperOf).reduce(plus, {}), Math.max));

/** Sums, by unit. */
export const plus = (one: Cost, other: Cost): Cost => byUnit(one, other, (a, b) => a + b);

/** What is left of one without the other, by unit; undefined where that is nothing. */
export function without(one: Cost, other: Cost): Cost | undefined {
  const left = Object.entries(byUnit(one, other, (a, b) => a - b)).filter(([, n]) => n > 0);
  return left.length > 0 ? Object.fromEntries(left) : undefined;
}

function byUnit(one: Cost, other: Cost, of: (a: number, b: number) => number): Cost {
  const all: Cost = { ...one, ...other };
  for (const unit of Object.keys(all) as (keyof Cost)[]) all[unit] = of(one[unit] ?? 0, other[unit] ?? 0);
  return all;
}
