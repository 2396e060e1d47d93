import type { Answer } from '#libs/contracts';
import { contentKey } from '#libs/event-store';
import { owe } from '../../event-store/src/testing/owing';
import { testDatabase, type TestDatabase } from '../../event-store/src/testing/test-database';
import { until } from '../../event-store/src/testing/until';
import type { CallContext, Carried, EffectKind, JobInHand, UnderWay } from './effect-kind';
import { eraseSubject } from './erasure';
import { Process } from './process';
import { Published, TOY_TOPIC, toyProcess, wordRecord } from './testing/toy';

let db: TestDatabase;
const running: Process<never, never, never>[] = [];
const errors: unknown[] = [];

beforeEach(async () => {
  db = await testDatabase();
});
afterEach(async () => {
  await Promise.all(running.splice(0).map((one) => one.stop()));
  expect(errors.splice(0)).toEqual([]);
  await db.drop();
});

interface Word {
  word: string;
}
const wordOf = ({ request }: Carried): string => (request as Word).word;

/** A vendor that takes words together, and answers when it is told to; a call with its token finds what it has taken. */
class Vendor {
  readonly taken = new Map<string, string[]>();
  readonly single: string[] = [];
  isOpen = true;
  /** What becomes of a submission before its answer arrives. */
  fault: ((token: string) => Answer | undefined) | undefined;
  answer = (word: string): Answer => ({ outcome: 'done', value: word.toUpperCase() });

  readonly call = ({ word }: Word): Promise<Answer> => {
    this.single.push(word);
    return Promise.resolve(this.answer(word));
  };

  readonly job = async (_request: unknown, call: CallContext): Promise<Answer | UnderWay> => {
    const { job } = call;
    if (!job) throw new Error('no job');
    const underWay: UnderWay = { outcome: 'under-way', soFar: { id: call.idempotencyKey }, afterMs: 50 };
    if (job.soFar === undefined) {
      if (this.taken.has(call.idempotencyKey)) return underWay;
      const lost = this.fault?.(call.idempotencyKey);
      if (lost?.outcome !== 'stop') this.taken.set(call.idempotencyKey, (await job.carried()).map(wordOf));
      return lost ?? underWay;
    }
    if (this.isOpen) return underWay;
    return this.tell(job);
  };

  private async tell(job: JobInHand): Promise<Answer> {
    for (const one of await job.carried()) await job.answer(one, this.answer(wordOf(one)));
    return { outcome: 'done', value: null };
  }
}

function kindsOf(vendor: Vendor, over: Partial<EffectKind> = {}): Record<string, EffectKind> {
  const is = { is: 'command', deadlineMs: 2_000, maxAttempts: 3, maxRepeats: 0 } as const;
  const job = { carries: 'toy.call', alike: () => '', most: 10, mostBytes: 10_000, gatherMs: 100, doubtMs: 50 };
  return {
    'toy.call': { ...is, shares: ({ word }: Word) => word, perform: vendor.call, ...over },
    'toy.batch': { ...is, job, perform: vendor.job },
  };
}

async function start(vendor: Vendor, over?: Partial<EffectKind>) {
  const published = new Published();
  const process = new Process(toyProcess(), {
    pool: db.pool,
    produce: published.produce,
    deadLetter: () => Promise.resolve(),
    effects: kindsOf(vendor, over),
    concurrency: 10,
    onError: (error) => errors.push(error),
    onParked: () => undefined,
  });
  process.contentKey = await contentKey(db.pool, undefined);
  process.start();
  running.push(process as never);
  return { handle: process.handlerFor(TOY_TOPIC), published };
}

const batch = { lane: 'batch' } as const;
const patient = (...words: string[]) => words.map((word, i) => wordRecord(`contact:${String(i + 1)}`, { word }, batch));
const answersIn = ({ records }: Published) =>
  records
    .filter(({ envelope }) => envelope.type === 'refrain.word.answered.v1')
    .map(({ envelope, value }) => `${envelope.subject} ${(JSON.parse(String(value)) as { answer: string }).answer}`)
    .sort();

async function answered(published: Published, n: number): Promise<string[]> {
  await published.until(() => answersIn(published).length >= n);
  return answersIn(published);
}

it('sends what may wait as one job, holds no call meanwhile, and tells each its answer', async () => {
  const vendor = new Vendor();
  const { handle, published } = await start(vendor);
  await handle([...patient('a', 'b', 'a'), wordRecord('contact:9', { word: 'now' })]);
  await until(() => vendor.taken.size === 1);
  expect([[...vendor.taken.values()][0]?.sort(), vendor.single]).toEqual([['a', 'b'], ['now']]);
  await until(async () => {
    const { rows } = await db.pool.query(`select from effect where kind = 'toy.batch' and code = 'under-way'`);
    return rows.length === 1;
  });
  vendor.isOpen = false;
  expect(await answered(published, 4)).toEqual(['contact:1 A', 'contact:2 B', 'contact:3 A', 'contact:9 NOW']);
  expect([vendor.taken.size, vendor.single]).toEqual([1, ['now']]);
});

it('shares answers between jobs and single calls, either way', async () => {
  const vendor = new Vendor();
  const { handle, published } = await start(vendor);
  await handle([wordRecord('contact:7', { word: 'known' })]);
  await answered(published, 1);
  await handle(patient('known', 'asked'));
  await until(() => vendor.taken.size === 1);
  await handle([wordRecord('contact:8', { word: 'asked' })]);
  vendor.isOpen = false;
  expect(await answered(published, 4)).toEqual([
    'contact:1 KNOWN',
    'contact:2 ASKED',
    'contact:7 KNOWN',
    'contact:8 ASKED',
  ]);
  expect([[...vendor.taken.values()], vendor.single]).toEqual([[['asked']], ['known']]);
});

it('finds a submission again whose answer was lost, instead of sending it once more', async () => {
  const vendor = new Vendor();
  vendor.isOpen = false;
  const tokens: string[] = [];
  vendor.fault = (token) => {
    tokens.push(token);
    return { outcome: 'unknown', code: 'connection-lost', message: '' };
  };
  const { handle, published } = await start(vendor);
  await handle(patient('a', 'b'));
  expect(await answered(published, 2)).toEqual(['contact:1 A', 'contact:2 B']);
  expect([tokens.length, vendor.taken.size]).toEqual([1, 1]);
});

it('goes on with a job that a crash cut, under the same token, however often', async () => {
  const vendor = new Vendor();
  const { handle } = await start(vendor);
  await handle(patient('a'));
  await until(() => vendor.taken.size === 1);
  for (let i = 0; i < 3; i += 1) {
    await Promise.all(running.splice(0).map((one) => one.stop()));
    // As a process leaves it that was killed in mid-call.
    await db.pool.query(`update effect set state = 'running', attempts = attempts + 1, lease_owner = 'gone',
      deadline_ms = 1000, lease_until = refrain_now() - interval '5 seconds' where kind = 'toy.batch'`);
    await start(vendor);
    await until(async () => {
      const { rows } = await db.pool.query(`select from effect where kind = 'toy.batch' and code = 'under-way'`);
      return rows.length === 1;
    });
  }
  vendor.isOpen = false;
  const done = () =>
    db.pool.query<{ repeats: number }>(`select repeats from effect where kind = 'toy.batch' and state = 'done'`);
  await until(async () => (await done()).rows.length > 0);
  const { rows } = await done();
  expect([rows, vendor.taken.size, vendor.single]).toEqual([[{ repeats: 3 }], 1, []]);
});

it('lets what has no answer go with the next job; what fails again and again is dead like a single call', async () => {
  const vendor = new Vendor();
  vendor.isOpen = false;
  const refusals = new Map<string, number>();
  vendor.answer = (word) => {
    const n = (refusals.get(word) ?? 0) + 1;
    refusals.set(word, n);
    if (word === 'no') return { outcome: 'stop', code: 'invalid', message: 'no' };
    if (word === 'never') return { outcome: 'retry', code: 'server', message: '', refused: false, afterMs: 0 };
    if (word === 'later' && n < 6) return { outcome: 'retry', code: 'expired', message: '', refused: true, afterMs: 0 };
    return { outcome: 'done', value: word.toUpperCase() };
  };
  const { handle, published } = await start(vendor);
  await handle(patient('a', 'no', 'never', 'later'));
  expect(await answered(published, 4)).toEqual([
    'contact:1 A',
    'contact:2 dead: invalid',
    'contact:3 dead: server',
    'contact:4 LATER',
  ]);
  expect(Object.fromEntries(refusals)).toEqual({ a: 1, no: 1, never: 3, later: 6 });
  expect(vendor.single).toEqual([]);
});

it('takes no answer for what was erased or withdrawn while the job was under way', async () => {
  const vendor = new Vendor();
  const { handle, published } = await start(vendor);
  await handle(patient('secret', 'b', 'gone'));
  await until(() => vendor.taken.size === 1);
  await eraseSubject(db.pool, { tenant: 'default', subject: 'contact:1', by: 'test', dryRun: false });
  const superseded = [{ streamId: 'toy-default:contact:3', kind: 'toy.call', purpose: 'call-1' }];
  await owe(db.pool, [], { superseded });
  vendor.isOpen = false;
  expect(await answered(published, 3)).toEqual([
    'contact:1 erased: erased',
    'contact:2 B',
    'contact:3 superseded: superseded',
  ]);
  await until(async () => {
    const job = await db.pool.query(`select from effect where kind = 'toy.batch' and state = 'done'`);
    return job.rows.length === 1;
  });
  const kept = await db.pool.query(`select from effect where answer::text ilike '%secret%'`);
  expect([kept.rows.length, vendor.taken.size]).toEqual([0, 1]);
});

it('ends what it carries where it is refused for good, after as many jobs as a call has attempts', async () => {
  const vendor = new Vendor();
  const tokens = new Set<string>();
  vendor.fault = (token) => {
    tokens.add(token);
    return { outcome: 'stop', code: 'invalid-file', message: '' };
  };
  const { handle, published } = await start(vendor, { maxAttempts: 2 });
  await handle(patient('a'));
  await until(() => tokens.size === 1);
  await db.moveClock(10_000);
  expect(await answered(published, 1)).toEqual(['contact:1 dead: invalid-file']);
  expect([tokens.size, vendor.taken.size]).toEqual([2, 0]);
});
