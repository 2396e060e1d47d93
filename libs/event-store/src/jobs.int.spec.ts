import { Ledger } from './ledger';
import { gathering, openJobs } from './jobs';
import type { ClaimedEffect, NewEffect } from './shapes';
import { effect, owe, sure } from './testing/owing';
import { testDatabase, type TestDatabase } from './testing/test-database';

let db: TestDatabase;
let ledger: Ledger;
beforeEach(async () => {
  db = await testDatabase();
  const policy = { deadlineMs: 5_000, maxRepeats: 9 };
  ledger = new Ledger(db.pool, 'toy-service', [
    { kind: 'toy.call', ...policy },
    { kind: 'toy.job', ...policy },
  ]);
});
afterEach(() => db.drop());

const company = gathering('toy.job', 'default', 'm');
const patient = (slot: string, over: Partial<NewEffect> = {}) =>
  effect({ slot, lane: 'batch', gathers: company, ...over });
const shared = (content: string, slot: string, over: Partial<NewEffect> = {}) =>
  patient(slot, { shares: `default|toy.call|content-${content}`, ...over });
const spec = { kind: 'toy.job', most: 10, mostBytes: 1_000, afterMs: 0, rate: 1 };
const slots = (rows: ClaimedEffect[]) => rows.map((row) => row.slot).sort();

/** The job that is claimed next. */
async function nextJob(): Promise<ClaimedEffect> {
  const claimed = await ledger.claim('me', 10);
  expect(claimed.map(({ kind }) => kind)).toEqual(['toy.job']);
  return sure(claimed[0]);
}

async function told(): Promise<string[]> {
  const { rows } = await db.pool.query<{ says: string }>(
    `select body->>'slot' || ' ' || (body->>'state') || ' ' || coalesce(body->>'answer', '') as says from mailbox order by 1`,
  );
  return rows.map(({ says }) => says.trim());
}

it('lets effects wait until there are enough or the first has waited, and makes one job of them', async () => {
  await owe(db.pool, [patient('a'), patient('b')]);
  expect(await ledger.claim('me', 10)).toEqual([]);
  expect(await ledger.gather([{ ...spec, afterMs: 60_000 }])).toBe(0);
  expect(await ledger.gather([{ ...spec, most: 2, afterMs: 60_000 }])).toBe(1);
  await owe(db.pool, [patient('c')]);
  await db.moveClock(61_000);
  expect(await ledger.gather([{ ...spec, afterMs: 60_000 }])).toBe(1);
  const jobs = await ledger.claim('me', 10);
  const carried = await Promise.all(jobs.map((job) => ledger.carriedBy(job)));
  expect(carried.map(slots).sort()).toEqual([['a', 'b'], ['c']]);
});

it('takes no effect into two jobs where two replicas gather, and leaves to the next what does not fit in bytes', async () => {
  await owe(
    db.pool,
    Array.from({ length: 20 }, (_, i) => patient(`e${String(i)}`, { request: { text: 'x'.repeat(300) } })),
  );
  while ((await Promise.all([1, 2].map(() => ledger.gather([spec])))).some((made) => made > 0));
  const jobs = await ledger.claim('me', 50);
  const carried = (await Promise.all(jobs.map((job) => ledger.carriedBy(job)))).map(slots);
  expect(carried.flat().sort()).toEqual(Array.from({ length: 20 }, (_, i) => `e${String(i)}`).sort());
  expect(Math.max(...carried.map((one) => one.length))).toBe(3);
});

it('keeps how far a job has come, over refusals and a crash', async () => {
  await owe(db.pool, [patient('a')]);
  await ledger.gather([spec]);
  const soFar = { id: 'batch_1' };
  await ledger.settle(await nextJob(), { state: 'owed', code: 'under-way', afterMs: 0, refused: true, soFar });
  const again = await nextJob();
  expect(again.soFar).toEqual(soFar);
  await ledger.settle(again, { state: 'owed', code: 'rate', afterMs: 0, refused: true });
  expect((await nextJob()).soFar).toEqual(soFar);
  await db.moveClock(60_000);
  await ledger.expire();
  await ledger.reconcile();
  const last = await nextJob();
  expect([last.soFar, last.attempt - last.refusals]).toEqual([soFar, 2]);
});

it('settles what it carries once, tells all owners, and lets the rest wait for the next job', async () => {
  await owe(db.pool, [shared('x', 'a'), shared('x', 'b'), patient('c'), patient('d')]);
  await ledger.gather([spec]);
  const job = await nextJob();
  const [x, c, d] = (await ledger.carriedBy(job)).sort((one, other) => (one.slot > other.slot ? 1 : -1)).slice(-3);
  const byName = (end: string) => sure([x, c, d].find((row) => row?.slot.endsWith(end)));
  const done = { state: 'done', answer: 'said' } as const;
  expect(await ledger.settleCarried(job, byName('content-x'), done, { company })).toBe(true);
  expect(await ledger.settleCarried(job, byName('content-x'), done, { company })).toBe(false);
  await ledger.settleCarried(job, byName('c'), { state: 'dead', code: 'no', message: '' }, { company });
  const later = { state: 'owed', code: 'expired', afterMs: 0, refused: true } as const;
  await ledger.settleCarried(job, byName('d'), later, { company });
  expect(await told()).toEqual(['a done said', 'b done said', 'c dead {"message":""}']);
  await ledger.settle(job, { state: 'done', answer: null });
  expect(await ledger.claim('me', 10)).toEqual([]);
  await ledger.gather([spec]);
  const [waiting] = await ledger.carriedBy(await nextJob());
  expect([waiting?.slot, waiting?.attempt, waiting?.refusals]).toEqual(['d', 2, 1]);
});

it('asks at once, and alone, what somebody waits for by now; but not what is under way in a job', async () => {
  await owe(db.pool, [shared('x', 'a'), shared('y', 'b')]);
  await owe(db.pool, [shared('x', 'now', { lane: 'live', gathers: undefined })]);
  expect(slots(await ledger.claim('me', 10))).toEqual(['default|toy.call|content-x']);
  await ledger.gather([spec]);
  const job = await nextJob();
  await owe(db.pool, [shared('y', 'soon', { lane: 'live', gathers: undefined })]);
  expect(await ledger.claim('me', 10)).toEqual([]);
  const [y] = await ledger.carriedBy(job);
  await ledger.settleCarried(job, sure(y), { state: 'owed', code: 'expired', afterMs: 0, refused: true }, { company });
  expect(slots(await ledger.claim('me', 10))).toEqual(['default|toy.call|content-y']);
});

it('shows what gathers and what is under way', async () => {
  await owe(db.pool, [patient('a'), patient('b')]);
  expect(await openJobs(db.pool)).toMatchObject([{ kind: 'toy.job', alike: 'm', state: 'gathering', effects: 2 }]);
  await ledger.gather([spec]);
  const soFar = { id: 'batch_1' };
  await ledger.settle(await nextJob(), { state: 'owed', code: 'under-way', afterMs: 9, refused: true, soFar });
  expect(await openJobs(db.pool)).toMatchObject([
    { kind: 'toy.job', alike: 'm', state: 'owed', code: 'under-way', effects: 2, soFar, tenant: 'default' },
  ]);
});
