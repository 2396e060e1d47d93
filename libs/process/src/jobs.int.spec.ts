import type { Answer } from '#libs/contracts';
import { type Budgets, contentKey, raiseBudget } from '#libs/event-store';
import { owe } from '../../event-store/src/testing/owing';
import { books } from '../../event-store/src/testing/spending';
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
  /** What it answered, by half in a job. */
  readonly billed: { word: string; usd: number }[] = [];
  isOpen = true;
  /** It takes nothing together. */
  isSingle = false;
  /** It has done and billed what it took, and knows nothing of it any more. */
  isLost = false;
  /** What becomes of a submission before its answer arrives. */
  fault: ((token: string) => Answer | undefined) | undefined;
  answer = (word: string): Answer => ({ outcome: 'done', value: word.toUpperCase() });

  readonly call = ({ word }: Word): Promise<Answer> => {
    this.single.push(word);
    return Promise.resolve(this.bill(word, 0.8));
  };

  readonly job = async (_request: unknown, call: CallContext): Promise<Answer | UnderWay> => {
    const { job } = call;
    if (!job) throw new Error('no job');
    const underWay: UnderWay = { outcome: 'under-way', soFar: { id: call.idempotencyKey }, afterMs: 50 };
    if (this.isSingle) {
      for (const one of await job.carried()) await job.letGo(one, 'no-jobs');
      return { outcome: 'done', value: null };
    }
    if (job.soFar === undefined) {
      if (this.taken.has(call.idempotencyKey)) return underWay;
      const lost = this.fault?.(call.idempotencyKey);
      if (lost === undefined || lost.outcome === 'unknown')
        this.taken.set(call.idempotencyKey, (await job.carried()).map(wordOf));
      return lost ?? underWay;
    }
    if (this.isOpen) return underWay;
    if (this.isLost) {
      for (const word of this.taken.get(call.idempotencyKey) ?? []) this.bill(word, 0.4);
      return { outcome: 'stop', code: 'no-such-job', message: '' };
    }
    return this.tell(job);
  };

  private async tell(job: JobInHand): Promise<Answer> {
    for (const one of await job.carried()) await job.answer(one, this.bill(wordOf(one), 0.4));
    return { outcome: 'done', value: null };
  }

  private bill(word: string, usd: number): Answer {
    const answer = this.answer(word);
    if (answer.outcome !== 'done') return answer;
    this.billed.push({ word, usd });
    return { ...answer, cost: { usd } };
  }

  get usd(): number {
    return Number(this.billed.reduce((sum, { usd }) => sum + usd, 0).toFixed(6));
  }
}

function kindsOf(vendor: Vendor, over: Partial<EffectKind> = {}): Record<string, EffectKind> {
  const is = { is: 'command', deadlineMs: 2_000, maxAttempts: 3, maxRepeats: 0 } as const;
  const job = {
    carries: 'toy.call',
    alike: () => '',
    most: 10,
    mostBytes: 10_000,
    gatherMs: 100,
    doubtMs: 50,
    rate: 0.5,
  };
  return {
    'toy.call': { ...is, shares: ({ word }: Word) => word, perform: vendor.call, ...over },
    'toy.batch': { ...is, job, perform: vendor.job },
  };
}

async function start(vendor: Vendor, over?: Partial<EffectKind>, budgets?: Budgets) {
  const published = new Published();
  const process = new Process(toyProcess(), {
    pool: db.pool,
    produce: published.produce,
    deadLetter: () => Promise.resolve(),
    effects: kindsOf(vendor, over),
    concurrency: 10,
    ...(budgets ? { spending: { budgets: () => budgets } } : {}),
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

const PAID: Partial<EffectKind> = { spend: { estimate: () => ({ usd: 1 }) } };
const raise = (usd: number) => raiseBudget(db.pool, { tenant: 'default', usd, by: 'ada' });
const waitingFor = async (n: number) => {
  await until(async () => {
    const { rows } = await db.pool.query(
      `select from effect where state = 'owed' and starts_with(waits_for, 'default|')`,
    );
    return rows.length === n;
  });
};
const settled = async () => {
  await until(async () => (await books(db.pool))['default']?.reserved === 0);
  return (await books(db.pool))['default'];
};

it('asks in jobs what a budget has room for at half the price, and the rest in jobs, too, when there is more', async () => {
  const vendor = new Vendor();
  vendor.isOpen = false;
  const { handle, published } = await start(vendor, PAID, { perTenant: 2 });
  await handle(patient('a', 'b', 'c', 'd', 'e', 'f', 'g'));
  expect(await answered(published, 4)).toHaveLength(4);
  await waitingFor(3);
  expect([vendor.usd, await settled()]).toEqual([1.6, { spent: 1.6, reserved: 0, left: 0.4 }]);
  await raise(5);
  expect(await answered(published, 7)).toHaveLength(7);
  expect([vendor.usd, vendor.single]).toEqual([2.8, []]);
  expect(await settled()).toEqual({ spent: 2.8, reserved: 0, left: 4.2 });
});

it('neither loses nor doubles what is reserved where a crash comes before the job is sent, or its answer is lost', async () => {
  const vendor = new Vendor();
  vendor.fault = () => ({ outcome: 'retry', code: 'busy', message: '', refused: true, afterMs: 10 });
  const { handle } = await start(vendor, PAID, { perTenant: 1 });
  await handle(patient('a', 'b', 'c'));
  await waitingFor(1);
  await Promise.all(running.splice(0).map((one) => one.stop()));
  expect(await books(db.pool)).toEqual({ default: { spent: 0, reserved: 1, left: 0 } });
  vendor.fault = () => ({ outcome: 'unknown', code: 'connection-lost', message: '' });
  const { published } = await start(vendor, PAID, { perTenant: 1 });
  await until(() => vendor.taken.size === 1);
  expect(await books(db.pool)).toEqual({ default: { spent: 0, reserved: 1, left: 0 } });
  vendor.isOpen = false;
  expect(await answered(published, 2)).toHaveLength(2);
  await waitingFor(1);
  expect([vendor.usd, await settled()]).toEqual([0.8, { spent: 0.8, reserved: 0, left: 0.2 }]);
});

it('counts a job that nobody knows any more as paid for, and asks anew only what there is room for then', async () => {
  const vendor = new Vendor();
  [vendor.isOpen, vendor.isLost] = [false, true];
  const { handle, published } = await start(vendor, PAID, { perTenant: 1 });
  await handle(patient('a', 'b'));
  await until(() => vendor.billed.length === 2);
  vendor.isLost = false;
  await db.moveClock(10_000);
  await waitingFor(2);
  expect([vendor.usd, await books(db.pool)]).toEqual([0.8, { default: { spent: 0, reserved: 1, left: 0 } }]);
  await raise(1);
  expect(await answered(published, 2)).toEqual(['contact:1 A', 'contact:2 B']);
  expect(vendor.usd).toBe(1.6);
  await until(async () => (await books(db.pool))['default']?.spent === 0.8);
  expect(await books(db.pool)).toEqual({ default: { spent: 0.8, reserved: 1, left: 0.2 } });
});

it('lets what leaves its job wait for the full price', async () => {
  const vendor = new Vendor();
  const { handle, published } = await start(vendor, PAID, { perTenant: 1.5 });
  vendor.isSingle = true;
  await handle(patient('a', 'b', 'c'));
  expect(await answered(published, 1)).toHaveLength(1);
  await waitingFor(2);
  expect([vendor.single.length, await settled()]).toEqual([1, { spent: 0.8, reserved: 0, left: 0.7 }]);
  await raise(1.3);
  expect(await answered(published, 3)).toHaveLength(3);
  expect([vendor.usd, await settled()]).toEqual([2.4, { spent: 2.4, reserved: 0, left: 0.4 }]);
});
