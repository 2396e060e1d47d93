import type { CrmEvent, RecordRef } from '#libs/contracts';
import type { Decision } from '#libs/process';
import {
  type AssignCourse,
  type AssignDue,
  type Assignments,
  type AssignRead,
  evolveAssignments,
  isOfOwner,
  onAssignDue,
  onAssignRead,
  onTurnTaken,
  type OwnerEvent,
  readingsOf,
  type Turn,
} from './assign.decider';
import type { Place } from './followed';
import type { Lookups } from './lookups';
import {
  evolveRota,
  freshRota,
  isOfRota,
  onTurnWanted,
  type Rota,
  type TurnEvent,
  type TurnWanted,
} from './rota.decider';

export type { AssignDue } from './assign.decider';

/** Of a record's stream its assignments, of a rota's stream the turns that were taken. */
export interface Turns {
  assignments: Assignments;
  rota: Rota;
}

export const noTurns: Turns = { assignments: {}, rota: freshRota };

/** The way of a turn: the record's reading, the wish at the rota, and its answer at the record. */
export type TurnInput =
  | { type: 'assign-read'; record: RecordRef; purpose: string; read: AssignRead }
  | { type: 'turn-wanted'; wanted: TurnWanted }
  | { type: 'turn-taken'; turn: Turn };

type TurnsEvent = OwnerEvent | TurnEvent;

export const isOfTurns = (event: CrmEvent): event is TurnsEvent => isOfOwner(event) || isOfRota(event);

export const evolveTurns = (turns: Turns, event: TurnsEvent): Turns =>
  event.type === 'TurnTaken'
    ? { ...turns, rota: evolveRota(turns.rota, event) }
    : { ...turns, assignments: evolveAssignments(turns.assignments, event) };

interface Known {
  turns: Turns;
  lookups: Lookups;
}

/** What comes of assign steps that are due together: each sees what those before it said. */
export const onAssigns = ({ turns, lookups }: Known, due: readonly AssignDue[], place: Place): AssignCourse =>
  due.reduce<AssignCourse>(
    (course, one) => {
      const assignments = course.events.reduce(evolveAssignments, turns.assignments);
      const next = onAssignDue({ assignments, lookups }, one, place);
      return { events: [...course.events, ...next.events], reads: [...course.reads, ...next.reads] };
    },
    { events: [], reads: [] },
  );

/** What was read for an assign step. */
export function onAssigning({ turns, lookups }: Known, read: AssignRead, place: Place): Decision<CrmEvent> {
  const { events, reads } = onAssignRead({ assignments: turns.assignments, lookups }, read, place);
  return { events, ...(reads.length > 0 ? { effects: reads } : {}) };
}

export function onTurn({ turns }: Known, input: Exclude<TurnInput, { type: 'assign-read' }>): Decision<CrmEvent> {
  const { assignments, rota } = turns;
  switch (input.type) {
    case 'turn-wanted':
      return { events: onTurnWanted(rota, input.wanted) };
    case 'turn-taken':
      return { events: onTurnTaken(assignments, input.turn).events };
  }
}

export { readingsOf as assignReadings };
