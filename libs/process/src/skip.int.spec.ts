import { INPUT_PARKED } from '#libs/contracts';
import { parkedKeys, requestRelease } from '#libs/event-store';
import { testDatabase, type TestDatabase } from '../../event-store/src/testing/test-database';
import { until } from '../../event-store/src/testing/until';
import type { ProcessDefinition } from './definition';
import { Process } from './process';
import {
  Published,
  TOY_TOPIC,
  toyCall,
  type ToyEvent,
  type ToyInput,
  toyProcess,
  type ToyState,
  wordRecord,
} from './testing/toy';

let db: TestDatabase;
const running: Process<never, never, never>[] = [];
const errors: unknown[] = [];

beforeAll(async () => {
  db = await testDatabase();
});
afterEach(async () => {
  await Promise.all(running.splice(0).map((p) => p.stop()));
  expect(errors.splice(0)).toEqual([]);
});
afterAll(async () => {
  await db.drop();
});

/** The toy, which sets aside what fails; unless fixed, it fails at the answer to "deaf" too. */
function skipping(service: string, fixed: boolean): ProcessDefinition<ToyState, ToyEvent, ToyInput> {
  const toy = toyProcess(service, fixed);
  const decide: typeof toy.decider.decide = (state, input) => {
    if (!fixed && input.type === 'answer' && input.answer === 'deaf') throw new RangeError('a bug at an answer');
    return toy.decider.decide(state, input);
  };
  return { ...toy, decider: { ...toy.decider, decide }, onFailure: 'skip' };
}

function start(service: string, fixed = false) {
  const published = new Published();
  const process = new Process(skipping(service, fixed), {
    pool: db.pool,
    produce: published.produce,
    deadLetter: () => Promise.resolve(),
    effects: toyCall(({ word }: { word: string }) => Promise.resolve({ outcome: 'done', value: word })),
    concurrency: 10,
    onError: (error) => errors.push(error),
    onParked: () => undefined,
  });
  process.start();
  running.push(process as never);
  return { handle: process.handlerFor(TOY_TOPIC), published };
}

const say = (subject: string, word: string) => wordRecord(subject, { word }, { id: `${subject} ${word}` });

async function events(service: string): Promise<string[]> {
  const { rows } = await db.pool.query<{ said: string }>(
    `select coalesce(data->>'word', 'answer to ' || (data->>'answer')) as said from event
     where service = $1 and stream_id like 'toy-%' order by version`,
    [service],
  );
  return rows.map((row) => row.said);
}

it('sets a failing input aside alone: what follows for its key goes on, and it is released by a key of its own', async () => {
  const service = 'toy-skip';
  const { handle, published } = start(service);
  const batch = ['before', 'bug', 'after'].map((word) => say('contact:1', word));
  await handle(batch);
  await handle(batch);
  await published.until(() => published.records.some((r) => r.envelope.type === INPUT_PARKED));
  await until(async () => (await events(service)).length === 4);
  expect((await events(service)).slice(0, 2)).toEqual(['before', 'after']);
  const own = 'default:contact:1|contact:1 bug';
  expect(await parkedKeys(db.pool, { service })).toMatchObject([{ inputKey: own, code: 'TypeError', waiting: 1 }]);
  const announced = published.records.find((r) => r.envelope.type === INPUT_PARKED);
  expect([announced?.topic, announced?.envelope.subject]).toEqual([`${service}.dlq`, 'contact:1']);
  await running.pop()?.stop();

  start(service, true);
  expect(await requestRelease(db.pool, { service, inputKey: own }, 'operator')).toBe(1);
  await until(async () => (await events(service)).length === 6);
  expect((await events(service)).filter((said) => said === 'bug')).toHaveLength(1);
  expect(await parkedKeys(db.pool, { service })).toEqual([]);
});

it('sets an outcome aside in the same way', async () => {
  const service = 'toy-skip-outcome';
  const { handle } = start(service);
  await handle([say('contact:2', 'deaf')]);
  await until(async () => (await parkedKeys(db.pool, { service })).length === 1);
  await handle([say('contact:2', 'later')]);
  await until(async () => (await events(service)).length === 3);
  expect(await events(service)).toEqual(['deaf', 'later', 'answer to later']);
  expect(await parkedKeys(db.pool, { service })).toMatchObject([{ code: 'RangeError', waiting: 1 }]);
  await running.pop()?.stop();

  start(service, true);
  await requestRelease(db.pool, { service }, 'operator');
  await until(async () => (await events(service)).length === 4);
  expect((await events(service)).at(-1)).toBe('answer to deaf');
  await until(async () => (await parkedKeys(db.pool, { service })).length === 0);
});
