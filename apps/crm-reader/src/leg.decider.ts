import type { EventOf, SweepCursor, sweepEvents, SweepEvent, SweepOrigin } from '#libs/contracts';
import { type Decision, nothing, type Owed } from '#libs/process';
import type { CountRequest, RecordPage } from '#libs/vendors/hubspot';
import { firstCursor, nextCursor } from './cursor';

type DataOf<Type extends SweepEvent['type']> = Extract<EventOf<typeof sweepEvents>, { type: Type }>['data'];

/** A part of a sweep: what it is to read, and how far it has come. */
export type Leg = Omit<DataOf<'SweepLegBegan'>, 'cursor'> & { cursor?: SweepCursor };

/** A page to read; `about` comes back with the answer. */
export interface PageRequest {
  object: string;
  properties: string[];
  cursor: SweepCursor;
  /** The dates that are looked for, where it is not by the records' last change. */
  between?: { property: string; from: string; to: string };
  about: About;
}

/** What a record is told of the sweep that found it. */
export interface About {
  sweep: number;
  object: string;
  origin: SweepOrigin;
  from?: string;
  recipe?: string;
  batch?: boolean;
}

/** A page, and what it was asked for. */
export type PageAnswer = RecordPage & { about: About };

export type LegInput =
  | { type: 'begun'; began: DataOf<'SweepBegan'> | DataOf<'SweepHandedOn'> }
  | { type: 'page'; page: number; ended: Ended<PageAnswer> }
  | { type: 'counted'; ended: Ended<number> };

/** How a call ended. */
export type Ended<T> = { answer: T } | { code: string };

/** Pages of one part: the next part has a stream of its own, so that no stream becomes long. */
export const PAGES_A_LEG = 200;

const COUNT = 'count';
const PAGE = /^page-(\d+)$/;

/** The page that a call was for; undefined for the counting at the end. */
export const pageOf = (purpose: string): number | undefined => {
  const [, page] = PAGE.exec(purpose) ?? [];
  return page === undefined ? undefined : Number(page);
};

export function evolveLeg(leg: Leg | undefined, event: SweepEvent): Leg | undefined {
  if (event.type === 'SweepLegBegan') return event.data;
  if (event.type !== 'SweepPageRead' || !leg) return leg;
  return { ...leg, ...event.data, cursor: event.data.cursor };
}

/** Reads one page after the other: the next one is owed by the answer of the one before, so a crash loses none. */
export function decideLeg(leg: Leg | undefined, input: LegInput): Decision<SweepEvent> {
  switch (input.type) {
    case 'begun':
      return leg ? nothing() : onBegun(input.began);
    case 'page':
      return leg ? onPage(leg, input) : nothing();
    case 'counted':
      return leg ? onCounted(leg, input.ended) : nothing();
  }
}

function onBegun(began: (LegInput & { type: 'begun' })['began']): Decision<SweepEvent> {
  const leg =
    'leg' in began
      ? began
      : { ...nameOf(began), ...taskOf(began), leg: 1, found: 0, inWindow: 0, pages: 0, cursor: firstCursor(began) };
  return { events: [{ type: 'SweepLegBegan', data: leg }], effects: [pageAt(leg, leg.cursor)] };
}

function onPage(leg: Leg, { page, ended }: LegInput & { type: 'page' }): Decision<SweepEvent> {
  if (page !== leg.pages + 1 || !leg.cursor) return nothing();
  if ('code' in ended)
    return { events: [{ type: 'SweepRead', data: { ...nameOf(leg), found: leg.found, code: ended.code } }] };
  // A page is about many people: what it says stands with each of them from now on.
  return { ...goOn(leg, page, ended.answer), forget: [{ kind: kindOf(leg), purpose: purposeOf(page) }] };
}

function goOn(leg: Leg, page: number, answer: PageAnswer): Decision<SweepEvent> {
  const read = readOf(leg, answer);
  const { cursor } = read;
  const pageRead: SweepEvent = { type: 'SweepPageRead', data: { ...nameOf(leg), leg: leg.leg, ...read } };
  const after: Leg = { ...leg, ...read };
  if (!cursor) return lastPage(after, [pageRead]);
  if (page % PAGES_A_LEG > 0) return { events: [pageRead], effects: [pageAt(after, cursor)] };
  return { events: [pageRead, { type: 'SweepHandedOn', data: { ...after, leg: leg.leg + 1, cursor } }] };
}

function readOf(leg: Leg, answer: PageAnswer) {
  const { rows, total: all } = answer;
  const cursor = leg.cursor && nextCursor(leg.cursor, answer);
  const fresh = rows.filter(({ id }) => !leg.cursor?.seen?.includes(id));
  const { to } = leg;
  const inWindow =
    to === undefined ? fresh : fresh.filter(({ modifiedAt }) => Date.parse(modifiedAt) <= Date.parse(to));
  const total = leg.total ?? all;
  return {
    found: leg.found + fresh.length,
    inWindow: leg.inWindow + inWindow.length,
    pages: leg.pages + 1,
    ...(total === undefined ? {} : { total }),
    cursor,
  };
}

/** Where more than one page was read, something may have moved meanwhile: HubSpot is asked how many there are now. */
function lastPage(leg: Leg, events: SweepEvent[]): Decision<SweepEvent> {
  const { object, origin, from, to, pages, inWindow } = leg;
  if (origin !== 'reconcile' || from === undefined || to === undefined) return { events: [...events, read(leg)] };
  if (pages === 1) return { events: [...events, read(leg, { hubspot: inWindow, found: inWindow })] };
  const request: CountRequest = { object, modified: { from, to } };
  return { events, effects: [{ kind: 'hubspot.count', purpose: COUNT, request, lane: 'backfill' }] };
}

const onCounted = (leg: Leg, ended: Ended<number>): Decision<SweepEvent> => ({
  events: [
    'code' in ended
      ? { type: 'SweepRead', data: { ...nameOf(leg), found: leg.found, code: ended.code } }
      : read(leg, { hubspot: ended.answer, found: leg.inWindow }),
  ],
});

const read = (leg: Leg, counted?: { hubspot: number; found: number }): SweepEvent => ({
  type: 'SweepRead',
  data: { ...nameOf(leg), found: leg.found, ...(counted ? { counted } : {}) },
});

function pageAt(leg: Leg, cursor: SweepCursor): Owed {
  const { object, properties, from, due, pages, batch } = leg;
  const by = { ...(due ? { recipe: due.recipe } : {}), ...(batch ? { batch } : {}) };
  const about: About = { ...nameOf(leg), ...(from === undefined || due ? {} : { from }), ...by };
  const request: PageRequest = { object, properties, cursor, about, ...betweenOf(leg) };
  return { kind: kindOf(leg), purpose: purposeOf(pages + 1), request, lane: 'backfill' };
}

const kindOf = ({ origin, from }: Leg): string =>
  origin === 'backfill' && from === undefined ? 'hubspot.list' : 'hubspot.search';
const purposeOf = (page: number): string => `page-${String(page)}`;

/** The dates that come due between two times are so much earlier themselves. */
function betweenOf({ due, from, to }: Leg): Pick<PageRequest, 'between'> {
  if (!due || from === undefined || to === undefined) return {};
  const earlier = (time: string) => new Date(Date.parse(time) - due.offsetMs).toISOString();
  return { between: { property: due.property, from: earlier(from), to: earlier(to) } };
}

const nameOf = ({ sweep, object, origin }: About) => ({ sweep, object, origin });

const taskOf = ({ properties, from, to, due, batch }: DataOf<'SweepBegan'>) => ({
  properties,
  ...(from === undefined ? {} : { from }),
  ...(to === undefined ? {} : { to }),
  ...(due ? { due } : {}),
  ...(batch ? { batch } : {}),
});
