import { type CrmEvent, ONE_OF_SEVERAL, type RecordRef } from '#libs/contracts';
import { type Decider, type Decision, nothing } from '#libs/process';
import type { AwaitedDate } from '#libs/recipes';
import { compare, type Doubts, doubting, readBackAt } from './read-back';
import {
  evolveSteps,
  isOfStep,
  onStepDue,
  onStepRead,
  type StepCourse,
  type StepDue,
  type StepRead,
  type TakenSteps,
  type Wanted,
} from './step.decider';
import { type DateDue, type Dates, evolveDates, isOfDate, onDateDue, onDateSaid } from './date.decider';
import {
  type ActionEnded,
  type Actions,
  evolveActions,
  isOfAction,
  onActionEnded,
  onActionsWanted,
} from './action.decider';
import {
  type AssignDue,
  evolveTurns,
  isOfTurns,
  noTurns,
  onAssigns,
  onTurn,
  type TurnInput,
  type Turns,
} from './turns';
import { evolveLookups, type Lookups } from './lookups';
import { markedAlone, newerOf, recipesOf, together, valuesOf, type Wishes, wished, withRefused } from './wishes';

/** What a CRM record should say, what was written to it, the one write that is under way, and what was done at it. */
export interface RecordState {
  wanted: Wishes;
  /** A value that is there but undefined may be anything. */
  written: Readonly<Record<string, string | undefined>>;
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
}

export type RecordInput =
  /** An event wants something of the record, by itself or by the steps that recipes let follow it. */
  | {
      type: 'told';
      record: RecordRef;
      because: string;
      wish?: Omit<Wanted, 'because'>;
      steps: StepDue[];
      assigns?: AssignDue[];
      dates?: AwaitedDate[];
    }
  | { type: 'date-due'; date: DateDue }
  | { type: 'step-read'; record: RecordRef; read: StepRead }
  | TurnInput
  | ActionEnded
  | { type: 'written'; record: RecordRef; write: number; at: string; ended: Ended }
  /** Time to read back, if the write is the newest still. */
  | { type: 'read-due'; record: RecordRef; write: number }
  /** `properties` are absent where the record could not be read. */
  | { type: 'read'; record: RecordRef; write: number; properties?: Record<string, string | null> };

/**
 * How a write ended. `superseded`: it never began; `owedAt` was its place in the queue. `late`: no end, but a given-up
 * attempt of it was answered after all, so it may have come to HubSpot after a newer write. `unsure`: a call of it was
 * repeated, not knowing whether it had been obeyed, and may arrive late.
 */
export type Ended =
  | { state: 'done'; unsure?: true }
  | { state: 'late' | 'erased' }
  | { state: 'dead' | 'held'; code: string; unsure?: true }
  | { state: 'superseded'; owedAt?: string };

/**
 * Writes wanted state. One write of a record is under way at a time; what is wanted meanwhile goes into the next one,
 * so changes coalesce and arrive in order, and nothing that was written is written again. A write that still waits,
 * for a limit say, gives way to one of the newest wanted state, which takes its place in the queue. Where a write's
 * outcome was unknown for a while, the record is read back once, and what a late call set back is written once more.
 * Actions at the record are taken beside that.
 */
export const recordDecider: Decider<RecordState, CrmEvent, RecordInput> = {
  initial: {
    wanted: {},
    written: {},
    doubts: {},
    steps: {},
    actions: {},
    dates: {},
    turns: noTurns,
    lookups: {},
    writes: 0,
  },
  evolve,
  decide(state, input) {
    switch (input.type) {
      case 'told':
        return onTold(state, input);
      case 'date-due':
        return onDateDue(state.dates, input.date);
      case 'step-read':
        return follow(state, onStepRead(state.steps, input.read, state.lookups), input.record);
      case 'assign-read':
      case 'turn-wanted':
      case 'turn-taken':
        return onTurn(state, input);
      case 'written':
        return onWritten(state, input);
      case 'read-due':
        return onReadDue(state, input);
      case 'read':
        return onRead(state, input);
      case 'action-ended':
        return onActionEnded(state.actions, input);
    }
  },
  recall: (state, event) => ({ ...state, lookups: evolveLookups(state.lookups, event) }),
};

function evolve(before: RecordState, event: CrmEvent): RecordState {
  const state = { ...before, lookups: evolveLookups(before.lookups, event) };
  if (isOfTurns(event)) return { ...state, turns: evolveTurns(state.turns, event) };
  if (isOfStep(event)) return { ...state, steps: evolveSteps(state.steps, event) };
  if (isOfDate(event)) return { ...state, dates: evolveDates(state.dates, event) };
  if (isOfAction(event)) return { ...state, actions: evolveActions(state.actions, event) };
  return evolveWrites(state, event);
}

type WriteEvent = Extract<CrmEvent, { type: `RecordUpdate${string}` | 'RecordChangeWanted' | 'RecordReadBack' }>;

function evolveWrites(state: RecordState, event: WriteEvent): RecordState {
  switch (event.type) {
    case 'RecordChangeWanted':
      return { ...state, wanted: wished(state.wanted, event) };
    case 'RecordUpdateOwed':
      return { ...state, writes: event.data.write, underWay: event.data };
    case 'RecordUpdated': {
      const { underWay, written } = state;
      return {
        ...state,
        wanted: markedAlone(state.wanted, event.data.properties, false),
        written: underWay?.doubted ? unknown(state) : { ...written, ...event.data.properties },
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
    case 'RecordUpdateSuperseded':
      return { ...state, underWay: undefined };
    case 'RecordUpdateDoubted':
      return { ...state, written: unknown(state), underWay: state.underWay && { ...state.underWay, doubted: true } };
    case 'RecordReadBack':
      return { ...state, written: { ...state.written, ...event.data.undone }, doubts: {} };
  }
}

const ERASED = 'erased';

const unknown = ({ wanted }: RecordState): RecordState['written'] =>
  Object.fromEntries(Object.keys(wanted).map((name) => [name, undefined]));

const doubtsAfter = (
  { doubts }: RecordState,
  { data }: CrmEvent & { type: 'RecordUpdated' | 'RecordUpdateRejected' | 'RecordUpdateSplit' },
): Doubts => (data.unsure ? doubting(doubts, data.properties) : doubts);

function onTold(state: RecordState, input: RecordInput & { type: 'told' }): Decision<CrmEvent> {
  const { record, because, wish, steps, dates = [], assigns = [] } = input;
  const awaited = dates.map((date) => onDateSaid(state.dates, date));
  const course = steps.reduce<StepCourse>(
    (before, due) => {
      const taken = before.events.reduce(evolveSteps, state.steps);
      const { events, wanted, reads, actions } = onStepDue(taken, due, record, state.lookups);
      return {
        events: [...before.events, ...events],
        wanted: [...before.wanted, ...wanted],
        reads: [...before.reads, ...reads],
        actions: [...before.actions, ...actions],
      };
    },
    { events: [], wanted: wish ? [{ ...wish, because }] : [], reads: [], actions: [] },
  );
  const { events, ...decision } = follow(state, course, record);
  const assigned = onAssigns(state, assigns, record);
  const effects = [...assigned.reads, ...(decision.effects ?? [])];
  const timers = awaited.flatMap((date) => date.timers ?? []);
  return {
    ...decision,
    events: [...awaited.flatMap((date) => date.events), ...assigned.events, ...events],
    ...(effects.length > 0 ? { effects } : {}),
    ...(timers.length > 0 ? { timers } : {}),
  };
}

/** What steps want is wanted like anything else: all of it goes into one write. */
function follow(before: RecordState, course: StepCourse, record: RecordRef): Decision<CrmEvent> {
  const { wanted } = course;
  const taken = onActionsWanted(before.actions, course.actions, record);
  const events = [...course.events, ...taken.events];
  const calls = [...course.reads, ...taken.effects];
  let state = events.reduce(evolve, before);
  const newer = wanted.flatMap((wish) => {
    const event = newerOf(state.wanted, wish);
    if (event) state = evolve(state, event);
    return event ?? [];
  });
  const all = [...events, ...newer];
  const said: Decision<CrmEvent> = { events: all, ...(calls.length > 0 ? { effects: calls } : {}) };
  if (newer.length === 0) return said;
  const { underWay } = before;
  const names = newer.flatMap(({ data }) => Object.keys(data.properties));
  const differs = underWay && names.some((name) => state.wanted[name]?.value !== underWay.properties[name]);
  if (differs) return { ...said, supersede: [{ kind: UPDATE, purpose: purposeOf(underWay.write) }] };
  const next = withNextWrite(before, all, record);
  return { ...said, ...next, ...(next.effects ? { effects: [...calls, ...next.effects] } : {}) };
}

const UPDATE = 'hubspot.update';
const purposeOf = (write: number): string => `write-${String(write)}`;

function onWritten(state: RecordState, input: RecordInput & { type: 'written' }): Decision<CrmEvent> {
  if (input.ended.state === 'late') return onLate(state, input.write, input.record);
  if (state.underWay?.write !== input.write) return nothing();
  const decision = onEnd(state, state.underWay.properties, input);
  const after = decision.events.reduce(evolve, state);
  // The newest write has ended: whatever may still come late is looked for once, when it can come no more.
  if (after.underWay || isEmpty(after.doubts)) return decision;
  return { ...decision, timers: [{ name: readBackOf(after.writes), due: readBackAt(input.at) }] };
}

function onEnd(
  state: RecordState,
  properties: Record<string, string>,
  { ended, write, record }: RecordInput & { type: 'written' },
): Decision<CrmEvent> {
  const unsure = 'unsure' in ended && ended.unsure ? { unsure: ended.unsure } : {};
  switch (ended.state) {
    case 'done':
      return withNextWrite(state, [{ type: 'RecordUpdated', data: { write, properties, ...unsure } }], record);
    case 'superseded':
      return withNextWrite(state, [{ type: 'RecordUpdateSuperseded', data: { write } }], record, ended.owedAt);
    case 'erased': {
      // Nothing that was wanted until now is written any more.
      const all = { ...properties, ...outstanding(state) };
      const data = { write, properties: all, code: ERASED, reason: 'its subject was erased' };
      return withNextWrite(state, [{ type: 'RecordUpdateRejected', data }], record);
    }
    case 'dead':
    case 'held': {
      if (ended.code === ONE_OF_SEVERAL)
        return withNextWrite(state, [{ type: 'RecordUpdateSplit', data: { write, properties, ...unsure } }], record);
      const reason = 'HubSpot did not take the write';
      const data = { write, properties, code: ended.code, reason, ...unsure };
      return withNextWrite(state, [{ type: 'RecordUpdateRejected', data }], record);
    }
    case 'late':
      return nothing();
  }
}

const readBackOf = (write: number): string => `read-back-${String(write)}`;
const isEmpty = (doubts: Doubts): boolean => Object.keys(doubts).length === 0;

// A newer write meanwhile sets the time anew when it has ended.
const isNewest = (state: RecordState, write: number): boolean => !state.underWay && state.writes === write;

function onReadDue(state: RecordState, { record, write }: RecordInput & { type: 'read-due' }): Decision<CrmEvent> {
  if (!isNewest(state, write) || isEmpty(state.doubts)) return nothing();
  const request = { record, properties: Object.keys(state.doubts).sort(), notes: 0 };
  return { events: [], effects: [{ kind: 'hubspot.read', purpose: readBackOf(write), request }] };
}

function onRead(state: RecordState, input: RecordInput & { type: 'read' }): Decision<CrmEvent> {
  const { record, write, properties } = input;
  if (!properties || !isNewest(state, write) || isEmpty(state.doubts)) return nothing();
  const found = compare(state.doubts, valuesOf(state.wanted), properties);
  return withNextWrite(state, [{ type: 'RecordReadBack', data: { write, ...found } }], record);
}

// An older write may have undone newer ones: everything wanted is written once more (protocol 17).
function onLate(state: RecordState, write: number, record: RecordRef): Decision<CrmEvent> {
  if (write >= state.writes) return nothing();
  return withNextWrite(state, [{ type: 'RecordUpdateDoubted', data: { write } }], record);
}

function withNextWrite(
  before: RecordState,
  events: CrmEvent[],
  record: RecordRef,
  owedSince?: string,
): Decision<CrmEvent> {
  const state = events.reduce(evolve, before);
  const properties = together(state.wanted, outstanding(state));
  if (state.underWay || Object.keys(properties).length === 0) return { events };
  const write = state.writes + 1;
  return {
    events: [...events, { type: 'RecordUpdateOwed', data: { write, properties } }],
    effects: [
      {
        kind: UPDATE,
        purpose: purposeOf(write),
        request: { record, properties },
        orderKey: `${record.type}:${record.id}`,
        ...(owedSince === undefined ? {} : { owedSince }),
        ...recipesOf(state.wanted, Object.keys(properties)),
      },
    ],
  };
}

const outstanding = ({ wanted, written }: RecordState): Record<string, string> =>
  Object.fromEntries(
    // What was never written is as good as empty.
    Object.entries(valuesOf(wanted)).filter(([name, value]) => (name in written ? written[name] : '') !== value),
  );
