import { randomBytes } from 'node:crypto';
import type { Answer } from '#libs/contracts';
import { contentKey, keptCall, keptCalls } from '#libs/event-store';
import { sealerOf } from '#libs/platform';
import { rowsSaying, tableOf } from '../../event-store/src/testing/rows-saying';
import { testDatabase, type TestDatabase } from '../../event-store/src/testing/test-database';
import { until } from '../../event-store/src/testing/until';
import type { EffectKind } from './effect-kind';
import { Process, type Surroundings } from './process';
import { Published, TOY_TOPIC, toyCall, toyProcess, wordRecord } from './testing/toy';

let db: TestDatabase;
const running: Process<never, never, never>[] = [];
const errors: unknown[] = [];

beforeEach(async () => {
  db = await testDatabase();
});
afterEach(async () => {
  await Promise.all(running.splice(0).map((p) => p.stop()));
  expect(errors.splice(0)).toEqual([]);
  await db.drop();
});

function start(effects: Record<string, EffectKind>, over: Partial<Surroundings> = {}) {
  const published = new Published();
  const process = new Process(toyProcess(), {
    pool: db.pool,
    produce: published.produce,
    deadLetter: () => Promise.resolve(),
    effects,
    concurrency: 10,
    onError: (error) => errors.push(error),
    onParked: () => undefined,
    ...over,
  });
  process.start();
  running.push(process as never);
  return { handle: process.handlerFor(TOY_TOPIC), published };
}

const done = (value: unknown): Answer => ({ outcome: 'done', value });
const refused: Answer = { outcome: 'retry', code: 'rate', message: '', refused: true, afterMs: 1 };
const failed: Answer = { outcome: 'retry', code: 'http-500', message: '', refused: false, afterMs: 1 };
const unknown: Answer = { outcome: 'unknown', code: 'deadline', message: '' };

/** Performs one answer after the other, the last one again and again; notes the idempotency keys. */
function scripted(...answers: (Answer | (() => Promise<Answer>))[]) {
  const keys: string[] = [];
  const perform: EffectKind['perform'] = (_request, call) => {
    keys.push(call.idempotencyKey);
    const answer = answers[Math.min(keys.length, answers.length) - 1] ?? unknown;
    return typeof answer === 'function' ? answer() : Promise.resolve(answer);
  };
  return { keys, perform };
}

async function answerTo(effects: Record<string, EffectKind>, whileWaiting?: () => Promise<void>): Promise<unknown> {
  const { handle, published } = start(effects);
  await handle([wordRecord('contact:1', { word: 'go' })]);
  await whileWaiting?.();
  await published.until(() => published.of('contact:1').length === 2);
  return published.of('contact:1')[1]?.data;
}

const stateOf = async () =>
  (
    await db.pool.query<{ state: string; attempts: number; repeats: number; refusals: number }>(
      'select state, attempts, repeats, refusals from effect',
    )
  ).rows[0];

/** Resolves when the one effect is in the given state. */
const untilState = (state: string) => until(async () => (await stateOf())?.state === state);

it('waits for a rate limit without using up attempts', async () => {
  const { perform } = scripted(...Array<Answer>(8).fill(refused), failed, done('at last'));
  expect(await answerTo(toyCall(perform, { maxAttempts: 2 }))).toEqual({ n: 1, answer: 'at last' });
  expect(await stateOf()).toEqual({ state: 'done', attempts: 10, repeats: 0, refusals: 8 });
});

it('is dead after its attempts, and decide hears of it', async () => {
  const { keys, perform } = scripted(failed);
  expect(await answerTo(toyCall(perform, { maxAttempts: 3 }))).toEqual({ n: 1, answer: 'dead: http-500' });
  expect(keys).toHaveLength(3);
});

it('stops at once when the vendor says no for good', async () => {
  const { keys, perform } = scripted({ outcome: 'stop', code: 'invalid', message: '' });
  expect(await answerTo(toyCall(perform))).toEqual({ n: 1, answer: 'dead: invalid' });
  expect(keys).toHaveLength(1);
});

it('repeats an unknown command as often as its kind allows, under the same key, then holds it for a person', async () => {
  const { keys, perform } = scripted(unknown);
  const answer = await answerTo(toyCall(perform, { maxRepeats: 1 }), async () => {
    await untilState('unknown');
    await db.moveClock(60_000);
    await until(() => keys.length === 2);
    await untilState('unknown');
    await db.moveClock(60_000);
  });
  expect(answer).toEqual({ n: 1, answer: 'held: deadline' });
  expect(keys).toHaveLength(2);
  expect(new Set(keys).size).toBe(1);
});

it('reads again what a query did not learn', async () => {
  const { perform } = scripted(unknown, done('read'));
  expect(await answerTo(toyCall(perform, { is: 'query' }))).toEqual({ n: 1, answer: 'read' });
});

// A process that was killed in mid-call leaves its claim behind: this one is claimed by hand and never settled.
it('turns a call that was cut by a crash into unknown, and looks at it again only after lease and deadline', async () => {
  const { handle } = start(toyCall(() => Promise.resolve(refused), { deadlineMs: 60_000 }));
  await handle([wordRecord('contact:1', { word: 'go' })]);
  await running.pop()?.stop();
  await db.pool.query(
    `update effect set state = 'running', attempts = attempts + 1, lease_owner = 'gone', deadline_ms = 10000,
       lease_until = refrain_now() + interval '20 seconds'`,
  );
  const { keys, perform } = scripted(done('after all'));
  const { published } = start(toyCall(perform, { deadlineMs: 10_000 }));
  await db.moveClock(21_000);
  await untilState('unknown');
  expect(keys).toEqual([]);
  await db.moveClock(10_000);
  await published.until(() => published.of('contact:1').length >= 1 && keys.length === 1);
  await untilState('done');
  expect(keys).toHaveLength(1);
});

it('reads again what a crash cut, however often the kind says that a call may be repeated', async () => {
  const query = { is: 'query', deadlineMs: 10_000, maxRepeats: 0 } as const;
  const { handle } = start(toyCall(() => Promise.resolve(refused), query));
  await handle([wordRecord('contact:1', { word: 'go' })]);
  await running.pop()?.stop();
  await db.pool.query(
    `update effect set state = 'running', attempts = attempts + 1, lease_owner = 'gone', deadline_ms = 10000,
       lease_until = refrain_now() - interval '20 seconds'`,
  );
  const { published } = start(toyCall(scripted(done('read after all')).perform, query));
  await published.until(() => published.of('contact:1').length >= 1);
  await untilState('done');
});

it('takes the late answer of a call whose lease ran out, and does not call again', async () => {
  let answerLate: (answer: Answer) => void = () => undefined;
  const { keys, perform } = scripted(() => new Promise<Answer>((resolve) => (answerLate = resolve)));
  const answer = await answerTo(toyCall(perform, { deadlineMs: 10_000 }), async () => {
    await untilState('running');
    await db.moveClock(21_000);
    await untilState('unknown');
    answerLate(done('late'));
  });
  expect(answer).toEqual({ n: 1, answer: 'late' });
  expect(keys).toHaveLength(1);
});

it('performs the effects of one order key one after the other, in the order they were owed', async () => {
  const log: string[] = [];
  const perform: EffectKind['perform'] = async (request: { word: string }) => {
    log.push(`begin ${request.word}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
    log.push(`end ${request.word}`);
    return done(request.word);
  };
  const one = start(toyCall(perform));
  const two = start(toyCall(perform));
  const words = Array.from({ length: 12 }, (_, i) => `w${String(i)}`);
  for (const word of words) await one.handle([wordRecord('contact:1', { word, orderKey: 'same' })]);
  const all = () => [...one.published.records, ...two.published.records];
  await Promise.race([one, two].map(({ published }) => published.until(() => all().length === 24)));
  expect(log).toEqual(words.flatMap((word) => [`begin ${word}`, `end ${word}`]));
});

it('does not send a call whose deadline passed before its turn, and uses up no attempt by it', async () => {
  const sent: string[] = [];
  const perform: EffectKind['perform'] = (request: { word: string }) => {
    sent.push(request.word);
    // The process stands still, as under SIGSTOP, while the other call that was claimed with this one waits.
    if (sent.length === 1) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 400);
    return Promise.resolve(done(request.word));
  };
  const { handle, published } = start(toyCall(perform, { deadlineMs: 300, maxAttempts: 1 }));
  await handle([wordRecord('contact:1', { word: 'a' }), wordRecord('contact:2', { word: 'b' })]);
  await published.until(() => published.records.length === 4);
  const { rows } = await db.pool.query('select attempts, refusals from effect order by attempts');
  expect(rows).toEqual([
    { attempts: 1, refusals: 0 },
    { attempts: 2, refusals: 1 },
  ]);
  expect(sent).toHaveLength(2);
});

it('makes one billed call for two records with exactly the same content, and answers both', async () => {
  const { keys, perform } = scripted(done('same'));
  const sharing = toyCall(perform, { shares: (request: { word: string }) => request.word });
  const replicas = [start(sharing), start(sharing)];
  const key = await contentKey(db.pool, 'a secret');
  for (const process of running) process.contentKey = key;
  await Promise.all(replicas.map(({ handle }, i) => handle([wordRecord(`contact:${String(i)}`, { word: 'go' })])));
  const all = () => replicas.flatMap(({ published }) => published.records);
  await Promise.race(replicas.map(({ published }) => published.until(() => all().length === 4)));
  expect(keys).toHaveLength(1);
  const answers = all().filter((record) => record.envelope.type === 'refrain.word.answered.v1');
  expect(answers.map((record) => record.envelope.subject).sort()).toEqual(['contact:0', 'contact:1']);
});

it('keeps what was asked in no clear text once it is answered, and sealed it can be opened', async () => {
  const sealer = sealerOf([randomBytes(32)]);
  const answers: (() => void)[] = [];
  const perform: EffectKind['perform'] = ({ word }: { word: string }) =>
    new Promise((resolve) => {
      const record = { facts: { model: 'm' }, sealed: { text: word } };
      answers.push(() => resolve({ outcome: 'done', value: 'yes', record }));
    });
  const { handle, published } = start(toyCall(perform, { shares: (request: { word: string }) => request.word }), {
    sealing: { days: 30, seal: (text, place) => sealer.seal(text, place) },
  });
  for (const process of running) process.contentKey = await contentKey(db.pool, 'a secret');
  const marker = 'told-in-confidence';
  const tables = async () => [...new Set((await rowsSaying(db.pool, marker)).map(tableOf))].sort();
  await handle([wordRecord('contact:1', { word: marker }), wordRecord('contact:2', { word: marker })]);
  await until(() => answers.length === 1);
  // The toy's own event says the word that it heard.
  expect(await tables()).toEqual(['effect', 'event']);
  answers[0]?.();
  await published.until(() => published.of('contact:2').length === 2 && published.of('contact:1').length === 2);
  expect(await tables()).toEqual(['event']);
  const [kept] = await keptCalls(db.pool, { limit: 10 });
  const { sealed = '', place = '' } = (await keptCall(db.pool, kept?.id ?? '')) ?? {};
  expect(JSON.parse(await sealer.open(sealed, place))).toEqual({ text: marker });
});

it('settles a call although the database was away when its answer came', async () => {
  const cut = () =>
    db.pool.query(
      `select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()`,
    );
  const perform = async () => {
    // Two at once, each of which may end the other's own session.
    await Promise.allSettled([cut(), cut()]);
    return done('kept');
  };
  const { handle, published } = start(toyCall(perform, { maxRepeats: 0 }));
  await handle([wordRecord('contact:1', { word: 'go' })]);
  await published.until(() => published.of('contact:1').length === 2);
  expect(published.of('contact:1')[1]?.data).toEqual({ n: 1, answer: 'kept' });
  expect(await stateOf()).toMatchObject({ state: 'done', attempts: 1 });
  errors.splice(0);
});
