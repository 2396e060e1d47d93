import type { CrmEvent } from '#libs/contracts';
import { type Decision, nothing } from '#libs/process';
import { asTold, type AwaitedDate, dueAt } from '#libs/recipes';

/** What a recipe waits for: the newest date of its property, and whether that has come. */
interface Waiting {
  property: string;
  value: string;
  /** When the record came to say so (RFC 3339). */
  saidAt: string;
  /** RFC 3339; absent where there is no date, or none that can still come. */
  dueAt?: string;
  reached: boolean;
}

/** The dates of one record, by the recipe that waits. */
export type Dates = Readonly<Record<string, Waiting>>;

/** A timer of a date came due. `offsetMs` is what the recipe says now, absent where it waits no more. */
export interface DateDue {
  recipe: string;
  due: string;
  offsetMs?: number;
}

type DateEvent = Extract<CrmEvent, { type: `RecordDate${string}` }>;

export const isOfDate = (event: CrmEvent): event is DateEvent => event.type.startsWith('RecordDate');

export function evolveDates(dates: Dates, { type, data }: DateEvent): Dates {
  switch (type) {
    case 'RecordDateAwaited': {
      const { recipe, ...waiting } = data;
      return { ...dates, [recipe]: { ...waiting, reached: false } };
    }
    case 'RecordDateReached': {
      const waiting = dates[data.recipe];
      return waiting ? { ...dates, [data.recipe]: { ...waiting, reached: true } } : dates;
    }
  }
}

const PREFIX = 'date-';

/** The recipe that a timer is of; undefined where it is of none. */
export const recipeOfTimer = (name: string): string | undefined =>
  name.startsWith(PREFIX) ? name.slice(PREFIX.length) : undefined;

/**
 * The newest date counts, by when the record came to say it: an older one that comes late changes nothing. The same one
 * said again counts only where the recipe has come to want it earlier, and it was not reached yet.
 */
export function onDateSaid(dates: Dates, said: AwaitedDate): Decision<CrmEvent> {
  const { recipe, property, value, saidAt } = said;
  const before = dates[recipe];
  const due = dueAt(said);
  if (!before) return due === undefined ? nothing() : waitFor({ recipe, property, value, saidAt }, due);
  if (Date.parse(before.saidAt) > Date.parse(saidAt)) return nothing();
  const isSame = asTold(before.value) === asTold(value);
  return isSame && !isEarlier(before, due) ? nothing() : waitFor({ recipe, property, value, saidAt }, due);
}

const isEarlier = ({ reached, dueAt: awaited }: Waiting, due: string | undefined): boolean =>
  !reached && due !== undefined && (awaited === undefined || Date.parse(due) < Date.parse(awaited));

/** The date may be another meanwhile, or the recipe may want to wait longer. */
export function onDateDue(dates: Dates, { recipe, due, offsetMs }: DateDue): Decision<CrmEvent> {
  const waiting = dates[recipe];
  if (!waiting || waiting.reached || waiting.dueAt !== due || offsetMs === undefined) return nothing();
  const { property, value, saidAt } = waiting;
  const now = dueAt({ value, offsetMs, saidAt });
  if (now !== undefined && Date.parse(now) > Date.parse(due)) return waitFor({ recipe, property, value, saidAt }, now);
  return { events: [{ type: 'RecordDateReached', data: { recipe, property, value, dueAt: due } }] };
}

const waitFor = (
  about: { recipe: string; property: string; value: string; saidAt: string },
  due: string | undefined,
) => ({
  events: [{ type: 'RecordDateAwaited' as const, data: { ...about, ...(due === undefined ? {} : { dueAt: due }) } }],
  ...(due === undefined ? {} : { timers: [{ name: `${PREFIX}${about.recipe}`, due }] }),
});
