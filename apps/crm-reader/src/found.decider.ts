import type { FoundOrigin, SweepEvent } from '#libs/contracts';
import { type Decision, nothing } from '#libs/process';
import type { ChangedRecord, ChangedRequest, ListedRecord } from '#libs/vendors/hubspot';
import type { JournaledChange } from './journal.decider';
import type { About, Ended } from './leg.decider';

/** What was said of one record: how often it was found, and what was said last, by what it was read for. */
export interface Finds {
  count: number;
  last: Readonly<Record<string, { sweep?: number; says: string }>>;
}

export const noFinds: Finds = { count: 0, last: {} };

/** A sweep has read a record. */
export interface RecordRead {
  type: 'found';
  streamId: string;
  about: About;
  record: ListedRecord;
}

/** The journal tells of a change: the record is to be read, and was read. */
export type RecordJournaled =
  | { type: 'journaled'; streamId: string; change: JournaledChange }
  | { type: 'change-read'; object: string; id: string; purpose: string; ended: Ended<ChangeAnswer> };

/** A change to look up; what the record is told comes back with the answer. */
export interface ChangeRequest extends ChangedRequest {
  isNew: boolean;
}
export type ChangeAnswer = ChangedRecord & Pick<ChangeRequest, 'isNew'>;

/** The kind of call by which a journaled change is looked up. */
export const CHANGED = 'hubspot.changed';

export function evolveFinds(finds: Finds, event: SweepEvent): Finds {
  const { count, last } = finds;
  if (event.type === 'RecordFateFound') return { count, last: { ...last, [FATE]: { says: fateOf(event.data) } } };
  if (event.type !== 'RecordFound') return finds;
  const { data } = event;
  return { count: count + 1, last: { ...last, [forOf(data)]: { sweep: data.sweep, says: saysOf(data) } } };
}

/**
 * A record is said once by each sweep that somebody asked for. Of those by schedule, which overlap, it is said only what
 * was not said before. Each find begins a chain of its own.
 */
export function onFound({ count, last }: Finds, { streamId, about, record }: RecordRead): Decision<SweepEvent> {
  const { batch, ...told } = about;
  const data = { ...told, ...record };
  const before = last[forOf(data)];
  const isRepeat = before?.says === saysOf(data) && (about.origin !== 'backfill' || before.sweep === about.sweep);
  if (isRepeat) return nothing();
  return {
    events: [{ type: 'RecordFound', data }],
    rootCause: `${streamId}@${String(count + 1)}`,
    // What a date sets off is as urgent as a change; what was missed gives way.
    ...(about.origin === 'due' ? {} : { lane: batch ? 'batch' : 'backfill' }),
  };
}

/**
 * The journal does not say who made a change, by which our own and machines' answers are known: the record's history does.
 * Each change is a chain of its own from here on.
 */
export function onJournaled(
  { last }: Finds,
  { streamId, change }: RecordJournaled & { type: 'journaled' },
): Decision<SweepEvent> {
  const { place, object: type, id, at, properties, isNew, fate } = change;
  if (fate) {
    const data = { object: type, id, what: fate, at };
    const events: SweepEvent[] = last[FATE]?.says === fateOf(data) ? [] : [{ type: 'RecordFateFound', data }];
    return { events, rootCause: `${streamId}@${place}` };
  }
  const request: ChangeRequest = { record: { type, id }, at, properties, isNew };
  const effect = { kind: CHANGED, purpose: place, request, lane: 'backfill' as const };
  return { events: [], effects: [effect], rootCause: `${streamId}@${place}`, lane: 'backfill' };
}

/** Only what changed is said, and nothing that was before. */
export function onChangeRead(
  { last }: Finds,
  { object, id, purpose, ended }: RecordJournaled & { type: 'change-read' },
): Decision<SweepEvent> {
  if ('code' in ended) return unread({ object, id, change: purpose, code: ended.code });
  const { record, isNew } = ended.answer;
  const forget = [{ kind: CHANGED, purpose }];
  const times = [
    ...Object.values(record?.properties ?? {}).flatMap(({ at }) => at ?? []),
    ...(record && isNew ? [record.created.at] : []),
  ].sort((a, b) => Date.parse(a) - Date.parse(b));
  const [from] = times;
  if (!record || from === undefined) return { events: [], forget };
  const data = { object, origin: 'journal' as const, from, ...record };
  if (last[forOf(data)]?.says === saysOf(data)) return { events: [], forget };
  return { events: [{ type: 'RecordFound', data }], forget, lane: 'backfill' };
}

const FATE = 'fate';
const fateOf = ({ what, at }: { what: string; at: string }): string => `${what} ${at}`;

// Of whom is erased nothing is kept.
const unread = (data: { object: string; id: string; change: string; code: string }): Decision<SweepEvent> =>
  data.code === 'erased' ? nothing() : { events: [{ type: 'ChangeUnread', data }] };

const forOf = ({ origin, recipe = '' }: { origin: FoundOrigin; recipe?: string }): string => `${origin} ${recipe}`;

// A record that was changed elsewhere says the same still.
const saysOf = ({ created, properties }: Pick<ListedRecord, 'created' | 'properties'>): string =>
  JSON.stringify([created.at, Object.entries(properties).sort(([a], [b]) => (a < b ? -1 : 1))]);
