import type { EffectKind } from '#libs/process';
import { type ActionForm, type Recipe, stepsOf } from '#libs/recipes';
import {
  type ConsentRequest,
  type EventRequest,
  type HubspotAccounts,
  isByEmail,
  type ListRequest,
  MOST_IN_BATCH,
  type NoteRequest,
  type ReadRequest,
  type SequenceRequest,
  type TaskRequest,
  type UpdateRequest,
  type UpsertRequest,
} from '#libs/vendors/hubspot';
import { callOf } from './action.decider';
import { WRITE_DEADLINE_MS } from './read-back';

// Enough to be no other's of the record, and short enough to be read out.
const REFERENCE_DIGITS = 16;

/** By its address a contact is looked for, created, and written to where somebody else was quicker. */
const CALLS_BY_EMAIL = 3;

/**
 * crm-writer's calls. A write whose answer was lost is sent again before any later one of its record: it says what the
 * record should say, so once more changes nothing. Once it has ended the record is read back. `recipes` are those
 * that run: they bound what may follow from a reading.
 */
export function recordEffects(recipes: () => readonly Recipe[], hubspot: HubspotAccounts): Record<string, EffectKind> {
  const command = commandOf();
  return {
    'hubspot.update': {
      ...command,
      maxRepeats: 10,
      limits: hubspot.limits(),
      // A write carries all that is wanted: others follow only from what somebody else wants meanwhile, from a repeated
      // call, which no bound holds, or where HubSpot refuses one of its values: then each is written by itself.
      plan: {
        answer: () => ({ modifiedAt: null }),
        cost: () => ({ apiCalls: 1 }),
        follows: ({ properties }: UpdateRequest) => splitInto(Object.keys(properties).length),
      },
      perform: (request: UpdateRequest, call) => hubspot.of(call.tenant).update(request, call.signal),
      batch: {
        most: MOST_IN_BATCH,
        perform: (requests: readonly UpdateRequest[], call) =>
          hubspot.of(call.tenant).updateTogether(requests, call.signal),
      },
    },
    'hubspot.read': {
      is: 'query',
      deadlineMs: 8_000,
      maxAttempts: 8,
      maxRepeats: 0,
      get limits() {
        return hubspot.limits(readsStages(recipes()) ? 2 : 1);
      },
      // What a late call set back is written once more; a step's reading leads to a write and to its actions.
      plan: { cost: () => ({ apiCalls: 1 }), follows: () => ({ apiCalls: 1 + mostCallsOf(recipes()) }) },
      perform: (request: ReadRequest, call) => hubspot.of(call.tenant).read(request, call.signal),
    },
    ...actionEffects(hubspot, recipes),
  };
}

const commandOf = () => ({ is: 'command', deadlineMs: WRITE_DEADLINE_MS, maxAttempts: 8 }) as const;

/** The calls of actions. What an action whose answer was lost may have made is looked for before it is made again. */
function actionEffects(hubspot: HubspotAccounts, recipes: () => readonly Recipe[]): Record<string, EffectKind> {
  const command = commandOf();
  // No call of this service follows from the end of an action.
  const changed = { answer: () => ({}), cost: () => ({ apiCalls: 1 }), follows: () => ({}) };
  const created = { ...changed, answer: () => ({ id: 'planned' }) };
  // A repeat asks for the record's tasks or notes, reads one batch of them, and makes its own.
  const activity = {
    ...command,
    maxRepeats: 10,
    limits: hubspot.limits(1, { calls: 3, associations: 1 }),
    plan: created,
  };
  // What people say of themselves meanwhile counts more than a wish repeated for long, and each enrolment writes to a
  // person: after a few looks a person decides.
  const personal = { ...command, maxRepeats: 3, limits: hubspot.limits(1, 2) };
  return {
    [callOf.task]: {
      ...activity,
      perform: (request: TaskRequest, call) => hubspot.of(call.tenant).createTask(request, onceOf(call), call.signal),
    },
    [callOf.note]: {
      ...activity,
      perform: (request: NoteRequest, call) => hubspot.of(call.tenant).createNote(request, onceOf(call), call.signal),
    },
    [callOf.list]: {
      ...command,
      maxRepeats: 10,
      limits: hubspot.limits(),
      plan: changed,
      perform: (request: ListRequest, call) => hubspot.of(call.tenant).changeList(request, call.signal),
    },
    [callOf.consent]: {
      ...personal,
      plan: changed,
      perform: (request: ConsentRequest, call) =>
        hubspot.of(call.tenant).setConsent(request, call.attempt > 1, call.signal),
    },
    [callOf.sequence]: {
      ...personal,
      plan: created,
      perform: (request: SequenceRequest, call) =>
        hubspot.of(call.tenant).enrol(request, call.attempt > 1, call.signal),
    },
    // The form is the account's, and no part of what is owed: what was told in one form is not told again in the other.
    [callOf.event]: {
      ...activity,
      plan: changed,
      perform: (request: EventRequest, call) => {
        const once = { ...onceOf(call), key: call.idempotencyKey };
        return hubspot.of(call.tenant).tellTimeline(request, hubspot.timeline(call.tenant), once, call.signal);
      },
    },
    [callOf.upsert]: {
      ...command,
      maxRepeats: 10,
      get limits() {
        return hubspot.limits(mostOf(formsOf(recipes())));
      },
      plan: { ...created, cost: ({ upsert }: UpsertRequest) => ({ apiCalls: callsOfUpsert(upsert) }) },
      perform: (request: UpsertRequest, call) => hubspot.of(call.tenant).upsert(request, call.signal),
    },
  };
}

const onceOf = ({ idempotencyKey, attempt }: { idempotencyKey: string; attempt: number }) => ({
  reference: idempotencyKey.slice(0, REFERENCE_DIGITS),
  isRepeat: attempt > 1,
});

/** The most calls that the actions of any one step are made by. */
const mostCallsOf = (recipes: readonly Recipe[]): number =>
  Math.max(
    0,
    ...recipes.flatMap((recipe) =>
      stepsOf(recipe, 'write').map(({ actions }) => actions.reduce((sum, form) => sum + callsOf(form), 0)),
    ),
  );

const readsStages = (recipes: readonly Recipe[]): boolean =>
  recipes.some((recipe) => stepsOf(recipe, 'write').some((step) => step.readsStages));

const formsOf = (recipes: readonly Recipe[]): ActionForm[] =>
  recipes.flatMap((recipe) => stepsOf(recipe, 'write').flatMap(({ actions }) => actions));

const callsOf = (form: ActionForm): number => (form.kind === 'upsert' ? callsOfUpsert(form) : 1);

/** The most calls that any one of them makes. */
const mostOf = (forms: readonly ActionForm[]) => ({
  calls: Math.max(1, ...forms.map(callsOf)),
  associations: Math.max(0, ...forms.map((form) => (form.kind === 'upsert' ? (form.associate?.length ?? 0) : 0))),
});

/** A record that it is tied to is looked for, and tied. */
const callsOfUpsert = (upsert: { object: string; by: string; associate?: readonly unknown[] }): number =>
  (isByEmail({ upsert }) ? CALLS_BY_EMAIL : 1) + 2 * (upsert.associate?.length ?? 0);

const splitInto = (properties: number) => (properties > 1 ? { apiCalls: properties } : {});
