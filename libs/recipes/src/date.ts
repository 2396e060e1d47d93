import type { HubspotChange } from '#libs/contracts';
import type { Recipe } from './recipe';
import { waitingForDate } from './trigger';

/** A date of a record for which a recipe waits. `saidAt` is when the record came to say it (RFC 3339). */
export interface AwaitedDate {
  recipe: string;
  property: string;
  /** As HubSpot writes it: a day, a time, or milliseconds; empty where the date was taken away. */
  value: string;
  offsetMs: number;
  saidAt: string;
  /** Of a record that was found: what was due before that time (RFC 3339) is past, and sets off nothing. */
  notBefore?: string;
}

/** The recipes that wait for the date which a change says. Our own writes count: a date is a fact whoever wrote it. */
export const awaitedDates = (
  recipes: readonly Recipe[],
  { record, change, property, value = '' }: HubspotChange,
  tenant: string,
  said: Pick<AwaitedDate, 'saidAt' | 'notBefore'>,
): AwaitedDate[] =>
  change !== 'propertyChange' || property === undefined
    ? []
    : waitingForDate(recipes, record.type, property, tenant).map((recipe) => ({
        recipe: recipe.id,
        property,
        value,
        offsetMs: recipe.trigger.due?.offsetMs ?? 0,
        ...said,
      }));

/**
 * When a date sets off its recipe (RFC 3339). Undefined for no date, and for one that has passed already where a recipe
 * wants to be told before it: a contract that has ended is not renewed.
 */
export function dueAt({
  value,
  offsetMs,
  saidAt,
  notBefore,
}: Pick<AwaitedDate, 'value' | 'offsetMs' | 'saidAt' | 'notBefore'>): string | undefined {
  const date = /^-?\d{9,15}$/.test(value) ? Number(value) : Date.parse(value);
  if (Number.isNaN(date) || Math.abs(date) > LATEST) return undefined;
  if (offsetMs < 0 && date < Date.parse(saidAt)) return undefined;
  if (notBefore !== undefined && date + offsetMs < Date.parse(notBefore)) return undefined;
  return new Date(date + offsetMs).toISOString();
}

// The end of the year 9999, beyond which RFC 3339 cannot write a time.
const LATEST = Date.UTC(9999, 11, 31);
