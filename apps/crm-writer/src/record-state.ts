import type { CrmEvent, Fate, RecordRef } from '#libs/contracts';
import { followed, type Whereabouts } from '#libs/recipes';
import { type Actions, evolveActions, isOfAction } from './action.decider';
import { type Dates, evolveDates, isOfDate } from './date.decider';
import { evolveLookups, type Lookups } from './lookups';
import { evolveLoops, isLeft, type Loops, noLoops } from './loop.decider';
import { type Doubts, doubting } from './read-back';
import { evolveSteps, isOfStep, type TakenSteps } from './step.decider';
import { evolveTurns, isOfTurns, noTurns, type Turns } from './turns';
import { markedAlone, type Wishes, wished, withNoneRefused, withRefused } from './wishes';

/** What properties said, and as of when (RFC 3339). */
export type Known = Readonly<Record<string, { value: string | null; at: string }>>;

/** What a CRM record should say, what was written to it, the one write that is under way, and what was done at it. */
export interface RecordState {
  wanted: Wishes;
  /** A value that is there but undefined may be anything. */
  written: Readonly<Record<string, string | undefined>>;
  /** What the record said last of what is wanted, by a reading or a write of ours. */
  known: Known;
  doubts: Doubts;
  /** The recipes' write steps that were taken about it. */
  steps: TakenSteps;
  writes: number;
  underWay?: {
    write: number;
    properties: Record<string, string>;
    /** An older write may undo it. */ doubted?: boolean;
  };
  actions: Actions;
  /** Dates of it for which recipes wait. */
  dates: Dates;
  turns: Turns;
  lookups: Lookups;
  where: Whereabouts;
  /** Records that were merged into it. */
  others: readonly RecordRef[];
  loops: Loops;
}

export const noRecord: RecordState = {
  wanted: {},
  written: {},
  known: {},
  doubts: {},
  steps: {},
  actions: {},
  dates: {},
  turns: noTurns,
  lookups: {},
  where: {},
  others: [],
  loops: noLoops,
  writes: 0,
};

export function evolve(before: RecordState, event: CrmEvent): RecordState {
  const state = {
    ...before,
    lookups: evolveLookups(before.lookups, event),
    loops: evolveLoops(before.loops, event, before.wanted),
  };
  if (isOfTurns(event)) return { ...state, turns: evolveTurns(state.turns, event) };
  if (isOfStep(event)) return { ...state, steps: evolveSteps(state.steps, event) };
  if (isOfDate(event)) return { ...state, dates: evolveDates(state.dates, event) };
  if (isOfAction(event)) return { ...state, actions: evolveActions(state.actions, event) };
  if (event.type === 'RecordSetElsewhere' || event.type === 'RecordLoopCut') return state;
  // Of a stream of its own.
  if (event.type === 'SubjectErased') return state;
  return isOfFate(event) ? evolveFate(state, event) : evolveWrites(state, event);
}

type FateEvent = Extract<
  CrmEvent,
  { type: `Record${'Merged' | 'TookOver' | 'Deleted' | 'Restored' | 'ErasureAsked' | 'HandedOn'}` }
>;

const ofFate: ReadonlySet<string> = new Set<FateEvent['type']>([
  'RecordMerged',
  'RecordTookOver',
  'RecordDeleted',
  'RecordRestored',
  'RecordErasureAsked',
  'RecordHandedOn',
]);
const isOfFate = (event: CrmEvent): event is FateEvent => ofFate.has(event.type);

function evolveFate(state: RecordState, { type, data }: FateEvent): RecordState {
  const after = (what: Fate['what'], at: string): Whereabouts => {
    const of = state.where.merged?.into;
    return followed(state.where, { what, at, ...(of ? { of } : {}) });
  };
  switch (type) {
    case 'RecordMerged':
      return { ...state, where: followed(state.where, { what: 'merged', at: data.at, into: data.into }) };
    case 'RecordTookOver':
      return { ...state, others: [...state.others, ...data.records] };
    case 'RecordDeleted':
      return { ...state, where: after('deleted', data.at) };
    case 'RecordRestored':
      // What was refused may have been so because there was no record.
      return { ...state, where: after('restored', data.at), wanted: withNoneRefused(state.wanted) };
    case 'RecordErasureAsked':
      return { ...state, where: after('forgotten', data.at), wanted: {}, dates: {} };
    case 'RecordHandedOn':
      return { ...state, wanted: data.wishes.reduce((wanted, wish) => wished(wanted, wish), state.wanted), dates: {} };
  }
}

type DataOf<Type extends CrmEvent['type']> = Extract<CrmEvent, { type: Type }>['data'];
type WriteEvent = Extract<CrmEvent, { type: `RecordUpdate${string}` | 'RecordChangeWanted' | 'RecordReadBack' }>;

function evolveWrites(state: RecordState, event: WriteEvent): RecordState {
  switch (event.type) {
    case 'RecordChangeWanted':
      return {
        ...state,
        wanted: wished(state.wanted, event.data, (name) => isLeft(state.loops, name, event.data.guard)),
        known: { ...state.known, ...event.data.known },
      };
    case 'RecordUpdateOwed':
      return { ...state, writes: event.data.write, underWay: event.data };
    case 'RecordUpdated': {
      const { underWay, written } = state;
      return {
        ...state,
        wanted: markedAlone(state.wanted, event.data.properties, false),
        written: underWay?.doubted ? unknown(state) : { ...written, ...event.data.properties },
        known: { ...state.known, ...knownBy(event.data) },
        doubts: doubtsAfter(state, event),
        underWay: undefined,
      };
    }
    case 'RecordUpdateRejected':
      return {
        ...state,
        wanted: withRefused(state.wanted, event.data.properties),
        doubts: event.data.code === ERASED ? {} : doubtsAfter(state, event),
        underWay: undefined,
      };
    case 'RecordUpdateSplit':
      return {
        ...state,
        wanted: markedAlone(state.wanted, event.data.properties, true),
        doubts: doubtsAfter(state, event),
        underWay: undefined,
      };
    case 'RecordUpdateSuperseded': {
      const { written, doubts, underWay } = state;
      if (!event.data.unsure || !underWay) return { ...state, underWay: undefined };
      // A call of it may have been obeyed: what was written before may stand there no more.
      const unsaid = Object.fromEntries(Object.keys(underWay.properties).map((name) => [name, undefined]));
      return {
        ...state,
        written: { ...written, ...unsaid },
        doubts: doubting(doubts, underWay.properties),
        underWay: undefined,
      };
    }
    case 'RecordUpdateDoubted':
      return { ...state, written: unknown(state), underWay: state.underWay && { ...state.underWay, doubted: true } };
    case 'RecordReadBack':
      return { ...state, written: { ...state.written, ...event.data.undone }, doubts: {} };
  }
}

const knownBy = ({ properties, writtenAt: at }: DataOf<'RecordUpdated'>): Known =>
  at === undefined ? {} : Object.fromEntries(Object.entries(properties).map(([name, value]) => [name, { value, at }]));

export const ERASED = 'erased';

const unknown = ({ wanted }: RecordState): RecordState['written'] =>
  Object.fromEntries(Object.keys(wanted).map((name) => [name, undefined]));

const doubtsAfter = (
  { doubts }: RecordState,
  { data }: CrmEvent & { type: 'RecordUpdated' | 'RecordUpdateRejected' | 'RecordUpdateSplit' },
): Doubts => (data.unsure ? doubting(doubts, data.properties) : doubts);
