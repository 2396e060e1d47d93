import type { CrmEvent, TaskWish } from '#libs/contracts';
import type { EffectOutcome } from '#libs/process';
import { given as givenOf } from '../../../libs/process/src/testing/given';
import { recordDecider, type RecordInput } from './record.decider';
import { recordProcess } from './record.source';
import { onTaskWanted, purposeOfTask, type TaskEnd, type WantedTask } from './task.decider';

const given =
  (...history: CrmEvent[]) =>
  (input: RecordInput | WantedTask) => {
    if ('type' in input) return givenOf(recordDecider, ...history)(input);
    return onTaskWanted(history.reduce(recordDecider.evolve, recordDecider.initial).tasks, input, record);
  };
const record = { type: 'contact', id: '7' };
const about = { recipe: 'lead-qualified', step: 'call' };
const wish: TaskWish = {
  ...about,
  recipeVersion: 'v1',
  title: 'Call Maria',
  body: 'Worth 90',
  priority: 'HIGH',
  dueAt: '2026-11-22T10:00:00Z',
  ownerId: '701',
};

const want = (task: TaskWish, rootCause = 'cause-1'): WantedTask => ({ rootCause, task });
const end = (ended: TaskEnd, rootCause = 'cause-1'): RecordInput => ({
  type: 'task-ended',
  purpose: purposeOfTask(about),
  rootCause,
  ended,
});
const wanted = (task: TaskWish, rootCause = 'cause-1'): CrmEvent => ({
  type: 'TaskWanted',
  data: { ...task, rootCause },
});
const created = (taskId: string, rootCause = 'cause-1'): CrmEvent => ({
  type: 'TaskCreated',
  data: { ...about, rootCause, taskId },
});
const rejected = (code: string, reason: string): CrmEvent => ({
  type: 'TaskRejected',
  data: { ...about, rootCause: 'cause-1', code, reason },
});
const create = ({ recipe: _r, step: _s, recipeVersion: _v, ...task }: TaskWish) => ({
  kind: 'hubspot.create-task',
  purpose: 'task/lead-qualified/call',
  request: { record, task },
});

it('states no second task of the same trigger: the same call is owed, and the ledger knows it', () => {
  expect(given(wanted(wish))(want(wish))).toEqual({ events: [], effects: [create(wish)] });
  expect(given(wanted(wish), created('31'))(want(wish))).toEqual({ events: [], effects: [create(wish)] });
});

it('says with a mended text what it would send, for the ledger to compare; another version alone changes nothing', () => {
  const mended = { ...wish, title: 'Call Maria Johnson', recipeVersion: 'v2' };
  const history = [wanted(wish), created('31')];
  expect(given(...history)(want(mended))).toEqual({ events: [], effects: [create(mended)] });
  expect(given(...history)(want({ ...wish, recipeVersion: 'v2' })).effects).toEqual([create(wish)]);
});

it('makes another task of another trigger, and of another step', () => {
  expect(given(wanted(wish), created('31'))(want(wish, 'cause-2'))).toEqual({
    events: [wanted(wish, 'cause-2')],
    effects: [create(wish)],
  });
  const other = { ...wish, step: 'mail' };
  expect(given(wanted(wish))(want(other))).toEqual({
    events: [wanted(other)],
    effects: [{ ...create(other), purpose: 'task/lead-qualified/mail' }],
  });
});

it('ends a task whose subject was erased', () => {
  expect(given(wanted(wish))(end({ state: 'erased' }))).toEqual({
    events: [rejected('erased', 'its subject was erased')],
  });
  // What was made before is a fact.
  expect(given(wanted(wish), created('31'))(end({ state: 'erased' }))).toEqual({ events: [] });
});

it('says once that a task was refused, and takes a proof that it exists nevertheless', () => {
  const dead = end({ state: 'dead', code: 'INVALID_OWNER_ID' });
  const refusal = rejected('INVALID_OWNER_ID', 'HubSpot did not take the task');
  expect(given(wanted(wish))(dead)).toEqual({ events: [refusal] });
  expect(given(wanted(wish), refusal)(dead)).toEqual({ events: [] });
  expect(given(wanted(wish), refusal)(end({ state: 'done', taskId: '31' }))).toEqual({ events: [created('31')] });
});

it('leaves a held task open: whether it exists is for a person to find out', () => {
  expect(given(wanted(wish))(end({ state: 'held' }))).toEqual({ events: [] });
  expect(given(wanted(wish))(end({ state: 'done', taskId: '31' }))).toEqual({ events: [created('31')] });
});

it('says nothing twice, and nothing of a late answer', () => {
  const history = [wanted(wish), created('31')];
  expect(given(...history)(end({ state: 'done', taskId: '31' }))).toEqual({ events: [] });
  expect(given(...history)(end({ state: 'late' }))).toEqual({ events: [] });
  expect(given(...history)(end({ state: 'dead', code: 'x' }))).toEqual({ events: [] });
  // Another generation has made another task.
  expect(given(...history)(end({ state: 'done', taskId: '32' }))).toEqual({ events: [created('32')] });
});

it('ignores the end of a task that nobody wanted', () => {
  expect(given()(end({ state: 'done', taskId: '31' }))).toEqual({ events: [] });
});

it('keeps tasks and writes of a record apart', () => {
  const guard = { at: '2026-11-21T10:00:00.000Z', number: 1, rank: 3 };
  const properties = { lead_score: '90' };
  const write: RecordInput = { type: 'told', record, because: 'test', wish: { properties, guard }, steps: [] };
  const decided = given()(write);
  expect(given(wanted(wish), created('31'))(write)).toEqual(decided);
  expect(given(...decided.events)(want(wish))).toEqual(given()(want(wish)));
});

it.each([
  [
    { state: 'done', answer: { taskId: '31' } },
    { state: 'done', taskId: '31' },
  ],
  // A person has said that it did happen, and no more.
  [
    { state: 'done', answer: null },
    { state: 'done', taskId: 'untold' },
  ],
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
  const outcome = { kind: 'hubspot.create-task', purpose: purposeOfTask(about), rootCause: 'cause-1', ...told };
  const input = recordProcess(() => [], '1').outcome(
    outcome as unknown as EffectOutcome,
    '2026-11-21T10:00:00Z',
    'record-default:contact:7',
  );
  expect(input).toEqual({ ...end(ended) });
});
