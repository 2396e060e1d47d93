import { UsageError } from './output';

/** An amount for people: at least cents, and millionths where there are any. */
export const inDollars = (usd: number): string => {
  const text = Math.abs(usd)
    .toFixed(6)
    .replace(/0{1,4}$/, '');
  return `${usd < 0 ? '-' : ''}$${text}`;
};

/** Reads an amount in US dollars that stands on a command line; throws a {@link UsageError} for anything else. */
export function usdOption(text: string): number {
  if (!/^\d{1,7}(\.\d{1,6})?$/.test(text))
    throw new UsageError(`${text} is no amount in US dollars, such as 25 or 0.05`);
  return Number(text);
}
