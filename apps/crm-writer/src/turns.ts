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
  type Turn,
} from './assign.decider';
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
  | { type: 'assign-read'; record: RecordRef; read: AssignRead }
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
export const onAssigns = ({ turns, lookups }: Known, due: readonly AssignDue[], record: RecordRef): AssignCourse =>
  due.reduce<AssignCourse>(
    (course, one) => {
      const assignments = course.events.reduce(evolveAssignments, turns.assignments);
      const next = onAssignDue({ assignments, lookups }, one, record);
      return { events: [...course.events, ...next.events], reads: [...course.reads, ...next.reads] };
    },
    { events: [], reads: [] },
  );

export function onTurn({ turns, lookups }: Known, input: TurnInput): Decision<CrmEvent> {
  const { assignments, rota } = turns;
  switch (input.type) {
    case 'assign-read':
      return { events: onAssignRead({ assignments, lookups }, input.read).events };
    case 'turn-wanted':
      return { events: onTurnWanted(rota, input.wanted) };
    case 'turn-taken':
      return { events: onTurnTaken(assignments, input.turn).events };
  }
}
