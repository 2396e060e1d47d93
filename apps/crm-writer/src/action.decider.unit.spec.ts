import type { Action, ActionOf, CrmEvent } from '#libs/contracts';
import type { EffectOutcome } from '#libs/process';
import { given as givenOf } from '../../../libs/process/src/testing/given';
import { type ActionEnd, onActionsWanted, purposeOf, type WantedAction } from './action.decider';
import { recordDecider, type RecordInput } from './record.decider';
import { recordProcess } from './record.source';

const given =
  (...history: CrmEvent[]) =>
  (...input: [RecordInput] | WantedAction[]) => {
    const [first] = input;
    if (first && 'type' in first) return givenOf(recordDecider, ...history)(first);
    const { actions } = history.reduce(recordDecider.evolve, recordDecider.initial);
    return onActionsWanted(actions, input as WantedAction[], record);
  };
const record = { type: 'contact', id: '7' };
const about = { recipe: 'lead-qualified', step: 'call' };
const at = '2026-11-21T10:00:00.000Z';
const HOUR = 3_600_000;
const later = (hours: number) => new Date(Date.parse(at) + hours * HOUR).toISOString();
const task: ActionOf<'task'> = {
  kind: 'task',
  title: 'Call Maria',
  body: 'Worth 90',
  priority: 'HIGH',
  dueAt: '2026-11-22T10:00:00Z',
  ownerId: '701',
};
const note: Action = { kind: 'note', text: 'Was called.', at };
const list = (id: string, change: 'add' | 'remove' = 'add'): Action => ({ kind: 'list', list: id, change });

const want = (action: Action = task, over: Partial<WantedAction> = {}): WantedAction => ({
  ...about,
  recipeVersion: 'v1',
  rootCause: 'cause-1',
  at,
  coolDownMs: 24 * HOUR,
  action,
  ...over,
});
const end = (ended: ActionEnd): RecordInput => ({
  type: 'action-ended',
  purpose: 'task/lead-qualified/call',
  rootCause: 'cause-1',
  ended,
});
const wanted = (action: Action = task, over: Partial<WantedAction> = {}): CrmEvent => {
  const { coolDownMs: _, at: triggeredAt, ...data } = want(action, over);
  return { type: 'ActionWanted', data: { ...data, triggeredAt, purpose: purposeOf(data) } };
};
const named = { ...about, purpose: 'task/lead-qualified/call', rootCause: 'cause-1' };
const done = (id?: string): CrmEvent => ({
  type: 'ActionDone',
  data: { ...named, ...(id === undefined ? {} : { id }) },
});
const rejected = (code: string, reason: string): CrmEvent => ({
  type: 'ActionRejected',
  data: { ...named, code, reason },
});
const create = ({ kind: _, ...what }: ActionOf<'task'>, version = 'v1') => ({
  kind: 'hubspot.create-task',
  purpose: 'task/lead-qualified/call',
  request: { record, task: what },
  recipes: [`lead-qualified@${version}`],
});

it('states no second action of the same trigger: the same call is owed, and the ledger knows it', () => {
  expect(given(wanted())(want())).toEqual({ events: [], effects: [create(task)] });
  expect(given(wanted(), done('31'))(want())).toEqual({ events: [], effects: [create(task)] });
});

it('says with a mended text what it would send, for the ledger to compare; another version alone changes nothing', () => {
  const mended = { ...task, title: 'Call Maria Johnson' };
  const history = [wanted(), done('31')];
  expect(given(...history)(want(mended, { recipeVersion: 'v2' }))).toEqual({
    events: [],
    effects: [create(mended, 'v2')],
  });
  expect(given(...history)(want(task, { recipeVersion: 'v2' })).effects).toEqual([create(task, 'v2')]);
});

it('takes another action of another trigger, and of another step', () => {
  const second = { rootCause: 'cause-2' };
  expect(given(wanted(), done('31'))(want(task, second))).toEqual({
    events: [wanted(task, second)],
    effects: [create(task)],
  });
  const other = { step: 'mail' };
  expect(given(wanted())(want(task, other))).toEqual({
    events: [wanted(task, other)],
    effects: [{ ...create(task), purpose: 'task/lead-qualified/mail' }],
  });
});

it('takes each of the actions of one step, and each list by itself', () => {
  const { events, effects } = given()(
    want(),
    want(note),
    want(list('12')),
    want(list('13')),
    want(list('12', 'remove')),
  );
  expect(events).toHaveLength(5);
  expect(effects?.map(({ kind, purpose, orderKey }) => [kind, purpose, orderKey])).toEqual([
    ['hubspot.create-task', 'task/lead-qualified/call', undefined],
    ['hubspot.create-note', 'note/lead-qualified/call', undefined],
    ['hubspot.change-list', 'list/lead-qualified/call/add/12', 'contact:7 list 12'],
    ['hubspot.change-list', 'list/lead-qualified/call/add/13', 'contact:7 list 13'],
    ['hubspot.change-list', 'list/lead-qualified/call/remove/12', 'contact:7 list 12'],
  ]);
});

it('orders what several records want of one record, without telling its key', () => {
  const upsert = (name: string): Action => ({
    kind: 'upsert',
    object: 'contact',
    by: 'email',
    properties: { email: 'ada@example.com', firstname: name },
  });
  const [first] = onActionsWanted({}, [want(upsert('Ada'))], record).effects;
  const [second] = onActionsWanted({}, [want(upsert('Eve'))], { type: 'deal', id: '8' }).effects;
  expect(first?.orderKey).toBe(second?.orderKey);
  expect(first?.orderKey).toMatch(/^upsert contact [0-9a-f]{16}$/);
});

describe('another trigger of the same content', () => {
  const content = 'stage=lead';
  const first = wanted(task, { content });
  const again = (over: Partial<WantedAction> = {}) =>
    want(task, { content, rootCause: 'cause-2', at: later(1), ...over });
  const nothing = { events: [], effects: [] };

  it('within the cool-down makes nothing again, whichever came first', () => {
    expect(given(first)(again())).toEqual(nothing);
    expect(given(first)(again({ at: later(-1) }))).toEqual(nothing);
    expect(given(first, done('31'))(again())).toEqual(nothing);
    expect(onActionsWanted({}, [want(task, { content }), again()], record).events).toEqual([first]);
  });

  it('makes it again past the cool-down, by the triggers’ own times', () => {
    expect(given(first)(again({ at: later(24) })).effects).toEqual([create(task)]);
    expect(given(first)(again({ coolDownMs: HOUR })).effects).toEqual([create(task)]);
  });

  it('makes it where the first was rejected, where the content is another, and where nobody knows it', () => {
    expect(given(first, rejected('x', 'y'))(again()).effects).toEqual([create(task)]);
    expect(given(first)(again({ content: 'stage=customer' })).effects).toEqual([create(task)]);
    expect(given(wanted(task, { content: '' }))(again({ content: '' })).effects).toEqual([create(task)]);
  });

  it('of the same root cause stays the same', () => {
    expect(given(first)(again({ rootCause: 'cause-1' }))).toEqual({ events: [], effects: [create(task)] });
  });

  it('does again what another trigger has undone since', () => {
    const added = wanted(list('12'), { content });
    const removed = wanted(list('12', 'remove'), { content: 'stage=customer', rootCause: 'cause-3', step: 'leave' });
    const back = want(list('12'), { content, rootCause: 'cause-2', at: later(2) });
    expect(given(added)(back)).toEqual(nothing);
    expect(given(added, wanted(list('13', 'remove'), { rootCause: 'cause-3' }))(back)).toEqual(nothing);
    expect(given(added, removed)(back).effects).toHaveLength(1);
  });
});

it('ends an action whose subject was erased', () => {
  expect(given(wanted())(end({ state: 'erased' }))).toEqual({ events: [rejected('erased', 'its subject was erased')] });
  // What was made before is a fact.
  expect(given(wanted(), done('31'))(end({ state: 'erased' }))).toEqual({ events: [] });
});

it('says once that an action was refused, and takes a proof that it was done nevertheless', () => {
  const dead = end({ state: 'dead', code: 'INVALID_OWNER_ID' });
  const refusal = rejected('INVALID_OWNER_ID', 'HubSpot did not take the task');
  expect(given(wanted())(dead)).toEqual({ events: [refusal] });
  expect(given(wanted(), refusal)(dead)).toEqual({ events: [] });
  expect(given(wanted(), refusal)(end({ state: 'done', id: '31' }))).toEqual({ events: [done('31')] });
});

it('tells with a refusal what helps', () => {
  const { events } = given(wanted())(end({ state: 'dead', code: 'list-is-dynamic' }));
  expect(events).toEqual([rejected('list-is-dynamic', expect.stringContaining('filled by hand') as string)]);
});

it('leaves a held action open: whether it was done is for a person to find out', () => {
  expect(given(wanted())(end({ state: 'held' }))).toEqual({ events: [] });
  expect(given(wanted())(end({ state: 'done', id: '31' }))).toEqual({ events: [done('31')] });
});

it('says nothing twice, and nothing of a late answer', () => {
  const history = [wanted(), done('31')];
  expect(given(...history)(end({ state: 'done', id: '31' }))).toEqual({ events: [] });
  expect(given(...history)(end({ state: 'done' }))).toEqual({ events: [] });
  expect(given(...history)(end({ state: 'late' }))).toEqual({ events: [] });
  expect(given(...history)(end({ state: 'dead', code: 'x' }))).toEqual({ events: [] });
  // Another generation has made another task.
  expect(given(...history)(end({ state: 'done', id: '32' }))).toEqual({ events: [done('32')] });
});

it('ignores the end of an action that nobody wanted', () => {
  expect(given()(end({ state: 'done', id: '31' }))).toEqual({ events: [] });
});

it('keeps actions and writes of a record apart', () => {
  const guard = { at, number: 1, rank: 3 };
  const properties = { lead_score: '90' };
  const write: RecordInput = { type: 'told', record, wishes: [{ properties, guard, because: 'test' }], steps: [] };
  const decided = given()(write);
  expect(given(wanted(), done('31'))(write)).toEqual(decided);
  expect(given(...decided.events)(want())).toEqual(given()(want()));
});

it.each([
  [
    { state: 'done', answer: { id: '31' } },
    { state: 'done', id: '31' },
  ],
  // A person has said that it did happen, and no more.
  [{ state: 'done', answer: null }, { state: 'done' }],
  [
    { state: 'dead', code: 'INVALID_OWNER_ID' },
    { state: 'dead', code: 'INVALID_OWNER_ID' },
  ],
  [
    { state: 'cancelled', code: null },
    { state: 'dead', code: 'cancelled' },
  ],
  [{ state: 'held', code: 'deadline' }, { state: 'held' }],
  [{ state: 'erased' }, { state: 'erased' }],
] as const)('hears of a call that it is %j', (told, ended) => {
  const outcome = { kind: 'hubspot.create-task', purpose: named.purpose, rootCause: 'cause-1', ...told };
  const input = recordProcess(() => [], '1').outcome(
    outcome as unknown as EffectOutcome,
    '2026-11-21T10:00:00Z',
    'record-default:contact:7',
  );
  expect(input).toEqual({ ...end(ended) });
});
