import { parkedKeys, requestRelease } from '#libs/event-store';
import { testDatabase, type TestDatabase } from '../../event-store/src/testing/test-database';
import { until } from '../../event-store/src/testing/until';
import { Process } from './process';
import type { Storm } from './storm';
import { Published, TOY_TOPIC, toyCall, toyProcess, wordRecord } from './testing/toy';

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

function start(service: string, fixed: boolean) {
  const storms: Storm[] = [];
  const process = new Process(toyProcess(service, fixed), {
    pool: db.pool,
    produce: new Published().produce,
    deadLetter: () => Promise.resolve(),
    effects: toyCall(() => Promise.resolve({ outcome: 'done', value: 'yes' })),
    concurrency: 10,
    onError: (error) => errors.push(error),
    onParked: () => undefined,
    onStorm: (storm) => storms.push(storm),
  });
  process.start();
  running.push(process as never);
  return { handle: process.handlerFor(TOY_TOPIC), process, storms };
}

const say = (n: number, word: string) =>
  wordRecord(`contact:${String(n)}`, { word }, { id: `contact:${String(n)} ${word}` });

async function heard(service: string): Promise<Map<string, string[]>> {
  const { rows } = await db.pool.query<{ subject: string; word: string }>(
    `select subject, data->>'word' as word from event where service = $1 and type like '%heard%' order by position`,
    [service],
  );
  return new Map([...Map.groupBy(rows, (row) => row.subject)].map(([subject, of]) => [subject, of.map((r) => r.word)]));
}

it('stops when more than 5 % of the last 1,000 inputs fail alike: no more is parked, and after the fix all is decided once', async () => {
  const service = 'toy-storm';
  const bugs = Array.from({ length: 200 }, (_, n) => say(n, 'bug'));
  const good = Array.from({ length: 20 }, (_, n) => say(1_000 + n, 'good'));
  const broken = start(service, false);
  await broken.process.check();
  // Three partitions at once: together they park no more than one would.
  const batches = [bugs.slice(0, 80), bugs.slice(80, 150), [...bugs.slice(150), ...good]];
  const ended = await Promise.allSettled(batches.map((batch) => broken.handle(batch)));
  expect(ended.map((e) => e.status)).toEqual(['rejected', 'rejected', 'rejected']);
  expect(await parkedKeys(db.pool, { service })).toHaveLength(50);
  await expect(broken.process.check()).rejects.toThrow(/failed alike \(TypeError\)/);

  // Stopped: healthy records are not taken either, and it was said once.
  await expect(broken.handle(good)).rejects.toThrow(/failed alike/);
  expect(await heard(service)).toEqual(new Map());
  expect(broken.storms).toHaveLength(1);
  expect(await parkedKeys(db.pool, { service })).toHaveLength(50);
  await running.pop()?.stop();

  // The log hands the same batches over again, since none was resolved.
  const mended = start(service, true);
  await Promise.all(batches.map((batch) => mended.handle(batch)));
  await mended.process.check();
  expect(await requestRelease(db.pool, { service }, 'operator')).toBe(50);
  await until(async () => (await parkedKeys(db.pool, { service })).length === 0);
  await Promise.all(batches.map((batch) => mended.handle(batch)));
  const words = await heard(service);
  expect(words.size).toBe(220);
  expect([...words.values()].every((said) => said.length === 1)).toBe(true);
  expect([...words.values()].flat().filter((word) => word === 'bug')).toHaveLength(200);
});

it('goes on where failures are few, or differ', async () => {
  const few = start('toy-drizzle', false);
  await few.handle(Array.from({ length: 50 }, (_, n) => say(n, 'bug')));
  await few.handle([say(99, 'good')]);
  await few.process.check();
  expect(few.storms).toEqual([]);
});
