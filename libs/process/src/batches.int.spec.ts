import { type Answer, BATCH_REFUSED } from '#libs/contracts';
import { testDatabase, type TestDatabase } from '../../event-store/src/testing/test-database';
import type { EffectKind } from './effect-kind';
import { Process } from './process';
import { Published, TOY_TOPIC, toyCall, toyProcess, wordRecord } from './testing/toy';

let db: TestDatabase;
let running: Process<never, never, never> | undefined;
const errors: unknown[] = [];

beforeEach(async () => {
  db = await testDatabase();
});
afterEach(async () => {
  await running?.stop();
  expect(errors.splice(0)).toEqual([]);
  await db.drop();
});

const SUBJECTS = [1, 2, 3, 4, 5].map((n) => `contact:${String(n)}`);
const done = (value: unknown): Answer => ({ outcome: 'done', value });

/** Says one word for each subject at once; resolves to what came of each, when all have ended. */
async function answersTo(batch: NonNullable<EffectKind['batch']>, alone?: EffectKind['perform']) {
  const published = new Published();
  const perform: EffectKind['perform'] = alone ?? (() => Promise.reject(new Error('was called alone')));
  const process = new Process(toyProcess(), {
    pool: db.pool,
    produce: published.produce,
    deadLetter: () => Promise.resolve(),
    effects: toyCall(perform, { batch, maxRepeats: 2 }),
    concurrency: 10,
    onError: (error) => errors.push(error),
    onParked: () => undefined,
  });
  running = process as never;
  await process.handlerFor(TOY_TOPIC)(SUBJECTS.map((subject) => wordRecord(subject, { word: subject })));
  process.start();
  await published.until(() => SUBJECTS.every((subject) => published.of(subject).length === 2));
  return SUBJECTS.map((subject) => (published.of(subject)[1]?.data as { answer: string }).answer);
}

it('performs what is owed together in one call, and tells each its own answer', async () => {
  const calls: number[] = [];
  const perform = (requests: readonly { word: string }[]): Promise<Answer[]> => {
    calls.push(requests.length);
    return Promise.resolve(requests.map(({ word }) => done(`heard ${word}`)));
  };
  expect(await answersTo({ most: 100, perform })).toEqual(SUBJECTS.map((subject) => `heard ${subject}`));
  expect(calls).toEqual([5]);
});

it('lets no answer of one count for another', async () => {
  const perform = (requests: readonly { word: string }[]): Promise<Answer[]> =>
    Promise.resolve(
      requests.map(({ word }) =>
        word === 'contact:2' ? { outcome: 'stop', code: 'no-such-record', message: '' } : done('heard'),
      ),
    );
  expect(await answersTo({ most: 100, perform })).toEqual(['heard', 'dead: no-such-record', 'heard', 'heard', 'heard']);
});

it('performs each by itself where the whole batch was refused for one of them', async () => {
  const refused: Answer = { outcome: 'retry', code: BATCH_REFUSED, message: '', refused: true, afterMs: 0 };
  const alone: string[] = [];
  const answers = await answersTo(
    { most: 100, perform: (requests) => Promise.resolve(requests.map(() => refused)) },
    ({ word }: { word: string }) => {
      alone.push(word);
      return Promise.resolve(word === 'contact:2' ? { outcome: 'stop', code: 'bad', message: '' } : done('heard'));
    },
  );
  expect(answers).toEqual(['heard', 'dead: bad', 'heard', 'heard', 'heard']);
  expect(alone.sort()).toEqual(SUBJECTS);
});

it('repeats all of a batch whose answer was lost, and what an answer left out', async () => {
  let calls = 0;
  const perform = (requests: readonly { word: string }[]): Promise<Answer[]> => {
    calls += 1;
    if (calls === 1) return Promise.reject(new Error('connection lost'));
    return Promise.resolve(requests.slice(0, calls === 2 ? 4 : 5).map(() => done('heard')));
  };
  const alone = () => Promise.resolve(done('heard alone'));
  const ended = answersTo({ most: 100, perform }, alone);
  for (const wanted of [5, 1]) {
    await untilUnknown(wanted);
    await db.moveClock(60_000);
  }
  expect((await ended).sort()).toEqual(['heard', 'heard', 'heard', 'heard', 'heard alone']);
  expect(calls).toBe(2);
});

async function untilUnknown(count: number): Promise<void> {
  for (;;) {
    const { rows } = await db.pool.query(`select from effect where state = 'unknown'`);
    if (rows.length === count) return;
  }
}
