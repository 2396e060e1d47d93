import type { SweepEvent } from '#libs/contracts';
import { type Decision, nothing } from '#libs/process';
import type { ListedRecord } from '#libs/vendors/hubspot';
import type { About } from './leg.decider';

/** What was said of one record: how often, and what at last, by what the sweeps were for. */
export interface Finds {
  count: number;
  last: Readonly<Record<string, { sweep: number; says: string }>>;
}

export const noFinds: Finds = { count: 0, last: {} };

/** A sweep has read a record. */
export interface RecordRead {
  type: 'found';
  streamId: string;
  about: About;
  record: ListedRecord;
}

export function evolveFinds(finds: Finds, event: SweepEvent): Finds {
  if (event.type !== 'RecordFound') return finds;
  const { data } = event;
  const { count, last } = finds;
  return { count: count + 1, last: { ...last, [forOf(data)]: { sweep: data.sweep, says: saysOf(data) } } };
}

/**
 * A record is said once by each sweep that somebody asked for. Of those by schedule, which overlap, it is said only what
 * was not said before. Each find begins a chain of its own.
 */
export function onFound({ count, last }: Finds, { streamId, about, record }: RecordRead): Decision<SweepEvent> {
  const data = { ...about, ...record };
  const before = last[forOf(data)];
  const isRepeat = before?.says === saysOf(data) && (about.origin !== 'backfill' || before.sweep === about.sweep);
  if (isRepeat) return nothing();
  return {
    events: [{ type: 'RecordFound', data }],
    rootCause: `${streamId}@${String(count + 1)}`,
    // What a date sets off is as urgent as a change; what was missed gives way.
    ...(about.origin === 'due' ? {} : { lane: 'backfill' }),
  };
}

const forOf = ({ origin, recipe = '' }: Pick<About, 'origin' | 'recipe'>): string => `${origin} ${recipe}`;

// A record that was changed elsewhere says the same still.
const saysOf = ({ created, properties }: Pick<ListedRecord, 'created' | 'properties'>): string =>
  JSON.stringify([created.at, Object.entries(properties).sort(([a], [b]) => (a < b ? -1 : 1))]);
