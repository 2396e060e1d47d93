/** So many calls at most in any window of so many milliseconds. */
export interface Limit {
  most: number;
  windowMs: number;
}

/**
 * The earliest moment, from `from` on, at which one more call could have been made beside the others without more than
 * `most` in any window: what even a limiter that knows everything beforehand and lets this call pass first would have let
 * it wait for. `others` are in order; all times in milliseconds.
 */
export function earliest(from: number, others: readonly number[], { most, windowMs }: Limit): number {
  let at = from;
  for (;;) {
    const near = others.filter((time) => time > at - windowMs && time < at + windowMs);
    const full = near.findLastIndex((_, i) => {
      const [first, last] = [near[i], near[i + most - 1]];
      // These and the new one would be `most` and one more within a window.
      return first !== undefined && last !== undefined && Math.max(last, at) - Math.min(first, at) < windowMs;
    });
    const first = near[full];
    if (first === undefined) return at;
    at = first + windowMs;
  }
}
