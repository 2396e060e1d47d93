import { hash } from 'node:crypto';
import { type Action, type ActionKind, actionRemedies, type CrmEvent, type RecordRef } from '#libs/contracts';
import { type Decision, nothing, type Owed } from '#libs/process';
import { coolsDown, GONE, labelOf } from '#libs/recipes';

/** An action that was wanted, and what came of it. */
interface Taken {
  recipe: string;
  step: string;
  purpose: string;
  rootCause: string;
  kind: ActionKind;
  /** What it is about; a later action about the same thing may have undone it. */
  about?: string;
  content?: string;
  /** RFC 3339: the trigger's own time. */
  at: string;
  done: boolean;
  /** What was made in the CRM: one, and one more for each redo. */
  ids: readonly string[];
  rejected: boolean;
}

/** The actions of one record, by purpose and root cause, in the order in which they were first wanted. */
export type Actions = Readonly<Record<string, Taken>>;

export interface ActionEnded {
  type: 'action-ended';
  purpose: string;
  rootCause: string;
  ended: ActionEnd;
}

/** A trigger's action. */
export interface WantedAction {
  recipe: string;
  recipeVersion: string;
  step: string;
  rootCause: string;
  /** What the trigger said; undefined or empty where nobody knows any more. */
  content?: string;
  /** RFC 3339: the trigger's own time. */
  at: string;
  coolDownMs: number;
  action: Action;
}

/**
 * How a call ended. `held`: a person decides; `late`: no end, but a call that had been given up was answered; `withdrawn`:
 * it never began, since the record is gone.
 */
export type ActionEnd =
  | { state: 'done'; id?: string }
  | { state: 'dead'; code: string }
  | { state: 'held' | 'late' | 'erased' | 'withdrawn' };

export type ActionEvent = Extract<CrmEvent, { type: `Action${string}` }>;

export const isOfAction = (event: CrmEvent): event is ActionEvent => event.type.startsWith('Action');

/** The calls that actions are made by. */
export const callOf = {
  task: 'hubspot.create-task',
  note: 'hubspot.create-note',
  list: 'hubspot.change-list',
  consent: 'hubspot.change-consent',
  sequence: 'hubspot.enrol',
  upsert: 'hubspot.upsert',
  event: 'hubspot.send-event',
} as const satisfies Record<ActionKind, string>;

export const isCallOfAction = (kind: string): boolean => Object.values<string>(callOf).includes(kind);

/** What the call is for: with the root cause it makes a slot for each action of each trigger. */
export function purposeOf({ recipe, step, action }: Pick<WantedAction, 'recipe' | 'step' | 'action'>): string {
  const purpose = `${action.kind}/${recipe}/${step}`;
  // A step may be about several lists, each of them once.
  return action.kind === 'list' ? `${purpose}/${action.change}/${action.list}` : purpose;
}

const keyOf = (purpose: string, rootCause: string): string => `${purpose} ${rootCause}`;

export function evolveActions(actions: Actions, { type, data }: ActionEvent): Actions {
  const key = keyOf(data.purpose, data.rootCause);
  if (type === 'ActionWanted') {
    const { recipe, step, purpose, rootCause, content, triggeredAt: at, action } = data;
    const name = { recipe, step, purpose, rootCause, kind: action.kind, at };
    const taken = { ...name, about: thingOf(action), content, done: false, ids: [], rejected: false };
    return key in actions ? actions : { ...actions, [key]: taken };
  }
  const taken = actions[key];
  if (!taken) return actions;
  if (type === 'ActionRejected') return { ...actions, [key]: { ...taken, rejected: true } };
  const ids = data.id === undefined ? taken.ids : [...taken.ids, data.id];
  return { ...actions, [key]: { ...taken, done: true, ids } };
}

/** The calls of actions that may still wait. */
export const callsOf = (actions: Actions): { kind: string; purpose: string }[] =>
  Object.values(actions)
    .filter(({ done, rejected }) => !done && !rejected)
    .map(({ kind, purpose }) => ({ kind: callOf[kind], purpose }));

/**
 * A trigger's action is stated once. Wanted again (a redelivery, a replay after a fix), only the same call is stated
 * once more, and the ledger says whether it is done, changed or owed again (protocol 22). Another trigger of the same
 * content within the cool-down wants what is done already: nothing is stated. At a record that is gone nothing is done.
 */
export function onActionsWanted(
  before: Actions,
  wanted: readonly WantedAction[],
  record: RecordRef,
  isGone = false,
): { events: ActionEvent[]; effects: Owed[] } {
  let actions = before;
  const events: ActionEvent[] = [];
  const effects: Owed[] = [];
  for (const one of wanted) {
    const { coolDownMs, at: triggeredAt, ...named } = one;
    const purpose = purposeOf(one);
    if (!(keyOf(purpose, one.rootCause) in actions)) {
      if (repeats(actions, purpose, one)) continue;
      const event: ActionEvent = { type: 'ActionWanted', data: { ...named, purpose, triggeredAt } };
      actions = evolveActions(actions, event);
      events.push(event);
      if (isGone) events.push({ type: 'ActionRejected', data: { ...nameOf(event.data), ...GONE } });
    }
    if (!isGone) effects.push(callFor(record, purpose, one));
  }
  return { events, effects };
}

// The rule of renders and enrichments (protocol 7), by the triggers' own times. What another trigger has undone since is
// done again: who was put on a list, taken from it and is to be put on it once more, belongs on it.
function repeats(actions: Actions, purpose: string, { action, content, at, coolDownMs }: WantedAction): boolean {
  if (!content) return false;
  const all = Object.values(actions);
  const about = thingOf(action);
  const isSame = (other: Taken) => other.purpose === purpose && other.content === content && other.about === about;
  const last = all.findLastIndex(
    (other) => isSame(other) && !other.rejected && coolsDown(other, { content, at }, coolDownMs),
  );
  if (last < 0) return false;
  return about === undefined || all.slice(last + 1).every((other) => other.about !== about || isSame(other));
}

/** What an action sets that another one may set otherwise; undefined where each makes something of its own. */
function thingOf(action: Action): string | undefined {
  switch (action.kind) {
    case 'list':
      return `list ${action.list}`;
    case 'consent':
      return `subscription ${action.subscription}`;
    case 'upsert':
      // Such values are often addresses: a key outlives what it was made of.
      return `${action.object} ${hash('sha256', JSON.stringify([action.by, action.properties[action.by]])).slice(0, 16)}`;
    case 'task':
    case 'note':
    case 'sequence':
    case 'event':
      return undefined;
  }
}

// The recipe's version is not sent: with the same content it is the same action. Of one thing the calls keep their order;
// nothing else waits for another, nor for writes.
function callFor(
  record: RecordRef,
  purpose: string,
  { action, recipe: id, recipeVersion: version }: WantedAction,
): Owed {
  const { kind, ...what } = action;
  const about = thingOf(action);
  // Other records may want the same of a record that is none of theirs.
  const owner = kind === 'upsert' ? 'upsert' : `${record.type}:${record.id}`;
  return {
    kind: callOf[kind],
    purpose,
    request: { record, [kind]: what },
    recipes: [labelOf({ id, version })],
    ...(about === undefined ? {} : { orderKey: `${owner} ${about}` }),
  };
}

/** What was done is a fact, also after it was given up; held, it stays open and visible in the ledger. */
export function onActionEnded(actions: Actions, { ended, purpose, rootCause }: ActionEnded): Decision<CrmEvent> {
  const taken = actions[keyOf(purpose, rootCause)];
  if (!taken) return nothing();
  switch (ended.state) {
    case 'done': {
      const { id } = ended;
      if (id === undefined ? taken.done : taken.ids.includes(id)) return nothing();
      return { events: [{ type: 'ActionDone', data: { ...nameOf(taken), ...(id === undefined ? {} : { id }) } }] };
    }
    case 'withdrawn':
      return reject(taken, GONE.code, GONE.reason);
    case 'dead':
      return reject(taken, ended.code, actionRemedies[ended.code] ?? `HubSpot did not take the ${taken.kind}`);
    case 'erased':
      return reject(taken, 'erased', 'its subject was erased');
    case 'held':
    case 'late':
      return nothing();
  }
}

const reject = (taken: Taken, code: string, reason: string): Decision<CrmEvent> =>
  taken.rejected || taken.done
    ? nothing()
    : { events: [{ type: 'ActionRejected', data: { ...nameOf(taken), code, reason } }] };

const nameOf = ({ recipe, step, purpose, rootCause }: Pick<Taken, 'recipe' | 'step' | 'purpose' | 'rootCause'>) => ({
  recipe,
  step,
  purpose,
  rootCause,
});
