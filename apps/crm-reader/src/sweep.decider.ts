import type { EventOf, sweepEvents, SweepEvent, SweepOrigin } from '#libs/contracts';
import { type Decider, type Decision, nothing } from '#libs/process';
import {
  evolveFinds,
  type Finds,
  noFinds,
  onChangeRead,
  onFound,
  onJournaled,
  type RecordJournaled,
  type RecordRead,
} from './found.decider';
import { decideJournal, evolveJournal, type Journal, type JournalInput } from './journal.decider';
import { decideLeg, evolveLeg, type Leg, type LegInput } from './leg.decider';
import { decideShape, evolveShape, type Shape, type ShapeInput, unseen } from './shape.decider';

type DataOf<Type extends SweepEvent['type']> = Extract<EventOf<typeof sweepEvents>, { type: Type }>['data'];

/** The sweeps of one type of object and origin. */
export interface Sweeps {
  count: number;
  open?: DataOf<'SweepBegan'>;
  /** Up to when nothing is missing (RFC 3339). */
  upTo?: string;
  /** When the next one begins (RFC 3339). */
  next?: string;
}

/** State of whichever of the four kinds of streams it is. */
export interface SweepState {
  sweeps: Sweeps;
  leg?: Leg;
  journal?: Journal;
  finds: Finds;
  shape: Shape;
}

/** What a sweep is to read, as it is known when it is asked for. */
export interface Task {
  object: string;
  origin: SweepOrigin;
  properties: string[];
  due?: { recipe: string; property: string; offsetMs: number };
  /** Of a backfill: records changed since (RFC 3339). */
  from?: string;
  /** Of a backfill: what is asked of a model because of it goes by batches. */
  batch?: boolean;
}

/** How often it is done by itself, in milliseconds; absent where only people ask. */
interface Rhythm {
  at: string;
  everyMs?: number;
}

export type SweepInput =
  /** `isScheduled`: by the schedule, which asks whenever it starts; else a person does. A code: it cannot be. */
  | ({
      type: 'asked';
      task: Task | { object: string; origin: SweepOrigin; code: string };
      isScheduled: boolean;
      by?: string;
    } & Rhythm)
  /** The time has come; without a task nothing is to be read any more. */
  | ({ type: 'time'; due: string; task?: Task } & Rhythm)
  | ({ type: 'read'; read: DataOf<'SweepRead'> } & Rhythm)
  | LegInput
  | JournalInput
  | RecordRead
  | RecordJournaled
  | ShapeInput;

/** HubSpot's search knows of a change only a little later; what is older than this it knows. */
export const INDEX_LAG_MS = 60_000;
/** Clocks differ: a window begins a little before the end of the one before. */
export const OVERLAP_MS = 5 * 60_000;

/**
 * When sweeps begin and end, how their parts read page by page, what is said of each record, and what became other of
 * the portal. Only one sweep of a kind
 * is under way at a time: whoever asks meanwhile joins it.
 */
export const sweepDecider: Decider<SweepState, SweepEvent, SweepInput> = {
  initial: { sweeps: { count: 0 }, finds: noFinds, shape: unseen },
  evolve: ({ sweeps, leg, journal, finds, shape }, event) => ({
    sweeps: evolveSweeps(sweeps, event),
    leg: evolveLeg(leg, event),
    journal: evolveJournal(journal, event),
    finds: evolveFinds(finds, event),
    shape: evolveShape(shape, event),
  }),
  decide({ sweeps, leg, journal, finds, shape }, input) {
    switch (input.type) {
      case 'asked':
        return onAsked(sweeps, input);
      case 'time':
        return onTime(sweeps, input);
      case 'read':
        return onRead(sweeps, input);
      case 'found':
        return onFound(finds, input);
      case 'shape-asked':
      case 'shape-time':
      case 'shape-read':
        return decideShape(shape, input);
      case 'journaled':
        return onJournaled(finds, input);
      case 'change-read':
        return onChangeRead(finds, input);
      case 'begun':
      case 'page':
      case 'counted':
        return decideLeg(leg, input);
      default:
        return decideJournal(journal, input);
    }
  },
};

function evolveSweeps(sweeps: Sweeps, event: SweepEvent): Sweeps {
  switch (event.type) {
    case 'SweepBegan':
      return { ...sweeps, count: event.data.sweep, open: event.data };
    case 'SweepEnded': {
      // What was not read to its end is read again from its beginning.
      const { sweep, upTo = sweeps.upTo ?? sweeps.open?.from, next } = event.data;
      return { count: sweep, upTo, next };
    }
    default:
      return sweeps;
  }
}

// The schedule asks whenever a service starts: what has its time already is left to it.
function onAsked(sweeps: Sweeps, { task, isScheduled, by, ...rhythm }: SweepInput & { type: 'asked' }) {
  if (sweeps.open || (isScheduled && isTimed(sweeps, rhythm))) return nothing<SweepEvent>();
  if ('code' in task) {
    const ended: SweepEvent = { type: 'SweepEnded', data: { sweep: sweeps.count + 1, found: 0, ...task } };
    return { events: isScheduled ? [] : [ended] };
  }
  return { events: [began(sweeps, task, rhythm, by)] };
}

function isTimed({ next }: Sweeps, { at, everyMs = 0 }: Rhythm): boolean {
  const left = next === undefined ? 0 : Date.parse(next) - Date.parse(at);
  return left > 0 && left <= everyMs;
}

function onTime(sweeps: Sweeps, { due, task, ...rhythm }: SweepInput & { type: 'time' }): Decision<SweepEvent> {
  if (sweeps.open || sweeps.next !== due || !task) return nothing();
  return { events: [began(sweeps, task, rhythm)] };
}

function began({ count, upTo }: Sweeps, task: Task, rhythm: Rhythm, by?: string): SweepEvent {
  const window = windowOf(task, rhythm, upTo);
  return {
    type: 'SweepBegan',
    data: { sweep: count + 1, ...task, ...window, again: false, ...(by === undefined ? {} : { by }) },
  };
}

/** The first window of all begins so long before now as one is long: nobody watched before. */
function windowOf({ origin }: Task, { at, everyMs = 0 }: Rhythm, upTo: string | undefined) {
  switch (origin) {
    case 'backfill':
      return {};
    case 'reconcile':
      return { from: shifted(upTo ?? shifted(at, -everyMs), -OVERLAP_MS), to: shifted(at, -INDEX_LAG_MS) };
    // A little longer than until the next time, which may be late.
    case 'due':
      return { from: upTo ?? at, to: shifted(at, everyMs + OVERLAP_MS) };
  }
}

function onRead(sweeps: Sweeps, { read, ...rhythm }: SweepInput & { type: 'read' }): Decision<SweepEvent> {
  const { open } = sweeps;
  if (open?.sweep !== read.sweep) return nothing();
  const { counted } = read;
  const differs = counted !== undefined && counted.hubspot > counted.found;
  if (!differs || open.again)
    return ended(open, { ...read, code: read.code ?? (differs ? DIFFER : undefined) }, rhythm);
  const { sweep, object, origin } = open;
  return {
    events: [
      { type: 'SweepDiffered', data: { sweep, object, origin, counted } },
      { type: 'SweepBegan', data: { ...open, sweep: sweep + 1, again: true } },
    ],
  };
}

const DIFFER = 'counts-differ';

/** What is not complete is begun anew at the next time, from where the last complete one ended. */
function ended(open: DataOf<'SweepBegan'>, read: DataOf<'SweepRead'>, { at, everyMs }: Rhythm): Decision<SweepEvent> {
  const { object } = open;
  const { counted, code } = read;
  const upTo = code === undefined ? open.to : undefined;
  const next = everyMs === undefined ? undefined : shifted(at, everyMs);
  const complete: SweepEvent[] =
    upTo !== undefined && counted ? [{ type: 'CompleteUpTo', data: { object, at: upTo, counted } }] : [];
  return {
    events: [{ type: 'SweepEnded', data: { ...read, upTo, next } }, ...complete],
    ...(next === undefined ? {} : { timers: [{ name: 'next', due: next }] }),
  };
}

const shifted = (at: string, ms: number): string => new Date(Date.parse(at) + ms).toISOString();
