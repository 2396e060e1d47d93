import type { CrmEvent, RecordRef } from '#libs/contracts';
import { type Decider, type Decision, nothing } from '#libs/process';
import { askedNow, type AwaitedDate, type Elsewhere, GONE, goesOnAs, isGone, subjectNow } from '#libs/recipes';
import { type ActionEnded, onActionEnded, onActionsWanted } from './action.decider';
import { type DateDue, onDateDue, onDateSaid } from './date.decider';
import { type FateInput, handedOn, onFate } from './fate.decider';
import type { Place } from './followed';
import { evolveLookups } from './lookups';
import { onSetElsewhere, ruledOn } from './loop.decider';
import { evolve, noRecord, type RecordState } from './record-state';
import {
  evolveSteps,
  onStepDue,
  onStepRead,
  type StepCourse,
  type StepDue,
  type StepRead,
  type Wanted,
} from './step.decider';
import { type AssignDue, onAssigning, onAssigns, onTurn, type TurnInput } from './turns';
import { newerOf } from './wishes';
import { onWrite, withNextWrite, type WriteInput, writeUnderWay } from './writes';

export type RecordInput =
  /** An event wants something of the record, by itself or by the steps that recipes let follow it. */
  | {
      type: 'told';
      record: RecordRef;
      wishes: Wanted[];
      steps: StepDue[];
      assigns?: AssignDue[];
      dates?: AwaitedDate[];
      /** Dates that a record waited for which goes on as this one: they count where this one waits for none of its own. */
      inherited?: AwaitedDate[];
      elsewhere?: Elsewhere;
    }
  | { type: 'date-due'; date: DateDue }
  | { type: 'step-read'; record: RecordRef; purpose: string; read: StepRead }
  | TurnInput
  | ActionEnded
  | WriteInput
  | FateInput;

/**
 * Writes wanted state. One write of a record is under way at a time; what is wanted meanwhile goes into the next one,
 * so changes coalesce and arrive in order, and nothing that was written is written again. A write that still waits,
 * for a limit say, gives way to one of the newest wanted state, which takes its place in the queue. Where a write's
 * outcome was unknown for a while, the record is read back once, and what a late call set back is written once more.
 * Actions at the record are taken beside that.
 * Where the record goes on as another one, what is wanted of it is wanted of that one. Of a record that is gone wishes
 * are kept, and written when it is back.
 */
export const recordDecider: Decider<RecordState, CrmEvent, RecordInput> = {
  initial: noRecord,
  evolve,
  decide: (state, input) => ({
    ...(state.where.forgotten === undefined ? decide(state, input) : onForgotten(state, input)),
    ...subjectNow(state.where),
  }),
  recall: (state, event) => ({ ...state, lookups: evolveLookups(state.lookups, event) }),
};

function decide(state: RecordState, input: RecordInput): Decision<CrmEvent> {
  switch (input.type) {
    case 'told':
      return onTold(state, input);
    case 'date-due':
      return isGone(state.where) ? nothing() : onDateDue(state.dates, input.date);
    case 'step-read': {
      const place = placeOf(state, input.record);
      return follow(state, onStepRead(state.steps, answered(state, input), place, state.lookups), place);
    }
    case 'assign-read':
      return onAssigning(state, answered(state, input), placeOf(state, input.record));
    case 'turn-wanted':
    case 'turn-taken':
      return onTurn(state, input);
    case 'written':
    case 'read-due':
    case 'read':
      return onWrite(state, input);
    case 'action-ended':
      return onActionEnded(state.actions, input);
    case 'followed':
    case 'took-over':
    case 'withdraw':
      return onFate(state, input);
  }
}

// Whoever is forgotten leaves nothing but the ends of what was under way.
function onForgotten(state: RecordState, input: RecordInput): Decision<CrmEvent> {
  switch (input.type) {
    case 'written':
      return onWrite(state, input);
    case 'action-ended':
      return onActionEnded(state.actions, input);
    case 'took-over':
    case 'withdraw':
      return onFate(state, input);
    default:
      return nothing();
  }
}

const placeOf = ({ where }: RecordState, own: RecordRef): Place => ({ own, record: goesOnAs(own, where), where });

/** What a reading brought, or why not, or that it is to be asked of the record that this one goes on as. */
function answered<Read extends { properties?: unknown }>(
  { where }: RecordState,
  { read, purpose }: { read: Read; purpose: string },
): Read & Pick<StepRead, 'refusal' | 'again'> {
  if (read.properties) return read;
  if (isGone(where)) return { ...read, refusal: GONE };
  return askedNow(purpose, where) ? { ...read, again: true } : read;
}

function onTold(state: RecordState, input: RecordInput & { type: 'told' }): Decision<CrmEvent> {
  const { wishes, dates = [], inherited = [], elsewhere } = input;
  const { loops, written } = state;
  const contested = elsewhere ? onSetElsewhere(loops, state.wanted, written, elsewhere) : [];
  const steps = ruledOn(loops, written, input.steps);
  const assigns = ruledOn(loops, written, input.assigns ?? []);
  const cut = new Map([...steps.events, ...assigns.events].map((event) => [JSON.stringify(event), event]));
  const place = placeOf(state, input.record);
  const { merged } = place.where;
  const own = [...dates, ...inherited.filter(({ recipe }) => state.dates[recipe]?.dueAt === undefined)];
  const awaited = merged ? [] : own.map((date) => onDateSaid(state.dates, date));
  const course = steps.due
    .map((due) => unlessGone(state, due))
    .reduce<StepCourse>(
      (before, due) => {
        const taken = before.events.reduce(evolveSteps, state.steps);
        const { events, wanted, reads, actions } = onStepDue(taken, due, place, state.lookups);
        return {
          events: [...before.events, ...events],
          wanted: [...before.wanted, ...wanted],
          reads: [...before.reads, ...reads],
          actions: [...before.actions, ...actions],
        };
      },
      { events: [], wanted: wishes, reads: [], actions: [] },
    );
  const { events, ...decision } = follow(state, course, place);
  const assigned = onAssigns(
    state,
    assigns.due.map((due) => unlessGone(state, due)),
    place,
  );
  const effects = [...assigned.reads, ...(decision.effects ?? [])];
  const timers = awaited.flatMap((date) => date.timers ?? []);
  const handed = merged ? handedOn(merged.into, [], own) : [];
  return {
    ...decision,
    events: [
      ...contested,
      ...cut.values(),
      ...awaited.flatMap((date) => date.events),
      ...handed,
      ...assigned.events,
      ...events,
    ],
    ...(effects.length > 0 ? { effects } : {}),
    ...(timers.length > 0 ? { timers } : {}),
  };
}

// A record that is gone can be neither read nor given to anybody; what a step wants without is kept.
const unlessGone = <Due extends StepDue | AssignDue>({ where }: RecordState, due: Due): Due =>
  isGone(where, due.guard.at) && (due.step.kind === 'assign' || due.step.reads.length > 0)
    ? { ...due, failed: due.failed ?? GONE }
    : due;

/** What steps want is wanted like anything else: all of it goes into one write. */
function follow(before: RecordState, course: StepCourse, { record, where }: Place): Decision<CrmEvent> {
  const { wanted } = course;
  const taken = onActionsWanted(before.actions, course.actions, record, isGone(where));
  const events = [...course.events, ...taken.events];
  const calls = [...course.reads, ...taken.effects];
  let state = events.reduce(evolve, before);
  const newer = wanted.flatMap((wish) => {
    const event = newerOf(state.wanted, wish);
    if (event) state = evolve(state, event);
    return event ?? [];
  });
  const owing = calls.length > 0 ? { effects: calls } : {};
  if (where.merged) {
    const handed = handedOn(
      where.merged.into,
      newer.map(({ data }) => data),
      [],
    );
    return { events: [...events, ...handed], ...owing };
  }
  const all = [...events, ...newer];
  if (newer.length === 0) return { events: all, ...owing };
  const { underWay } = before;
  const names = newer.flatMap(({ data }) => Object.keys(data.properties));
  const differs = underWay && names.some((name) => state.wanted[name]?.value !== underWay.properties[name]);
  if (differs) return { events: all, ...owing, supersede: writeUnderWay(before) };
  const next = withNextWrite(before, all, record);
  return { ...next, ...(calls.length > 0 ? { effects: [...calls, ...(next.effects ?? [])] } : {}) };
}
