import { eraseEffects } from './erasure';
import { Housekeeping } from './keeping/housekeeping';
import { Ledger } from './ledger';
import { keptCall, keptCalls, placeOfCall, tellUnsealed, wholeCalls } from './sealed-calls';
import type { ClaimedEffect } from './shapes';
import { effect, owe, sure } from './testing/owing';
import { testDatabase, type TestDatabase } from './testing/test-database';
import { transact } from './transaction';

const DAY = 86_400_000;
let db: TestDatabase;
let ledger: Ledger;
beforeEach(async () => {
  db = await testDatabase();
  ledger = new Ledger(db.pool, 'toy-service', [{ kind: 'toy.call', deadlineMs: 5_000, maxRepeats: 0 }]);
});
afterEach(() => db.drop());

const asking = (subject: string, content: string) =>
  effect({ subject, streamId: `toy-default:${subject}`, shares: `default|toy.call|content-k|${content}` });
const claimed = async (): Promise<ClaimedEffect> => sure((await ledger.claim('me', 1))[0]);
const answered = (call: ClaimedEffect, days = 30, facts: object = { model: 'm' }) =>
  ledger.settle(call, { state: 'done', answer: 'yes' }, { facts, sealed: 'sealed-text', days });
const erase = (subject: string) =>
  transact(db.pool, 'toy-service', [], async (tx) => {
    await eraseEffects(tx, { service: 'toy-service', tenant: 'default', subject, inputKeys: [] });
  });
const kept = () => keptCalls(db.pool, { limit: 10 });

it('is kept with the receipt, for all records that share the answer, and opens for its own call only', async () => {
  await owe(db.pool, [asking('contact:1', 'x'), asking('contact:2', 'x')]);
  const call = await claimed();
  expect(await answered(call)).toBe(true);
  const [one] = await kept();
  expect(one).toMatchObject({ tenant: 'default', kind: 'toy.call', attempt: 1, facts: { model: 'm' } });
  expect(one?.subjects).toEqual(['contact:1', 'contact:2']);
  expect(await keptCalls(db.pool, { subject: 'contact:2', limit: 10 })).toHaveLength(1);
  expect(await keptCalls(db.pool, { subject: 'contact:3', limit: 10 })).toEqual([]);
  const whole = sure(await keptCall(db.pool, sure(one).id));
  expect(whole).toMatchObject({ sealed: 'sealed-text', place: placeOfCall(call), service: 'toy-service' });
  expect(await keptCall(db.pool, 'no number')).toBeUndefined();
});

it('is found by what its facts say and by its time, the newest first, with what is sealed where that is wanted', async () => {
  await owe(db.pool, [asking('contact:1', 'x'), asking('contact:2', 'y'), asking('contact:3', 'z')]);
  const calls = [await claimed(), await claimed(), await claimed()].map(sure);
  await answered(sure(calls[0]), 30, { ask: 'grade', version: 1 });
  await answered(sure(calls[1]), 30, { ask: 'graded' });
  await db.moveClock(DAY);
  await answered(sure(calls[2]), 30, { ask: 'grade', version: 2 });
  const grade = { facts: { ask: 'grade' }, limit: 10 };
  const found = await wholeCalls(db.pool, grade);
  expect(found.map(({ facts, place, sealed }) => [facts['version'], place, sealed])).toEqual([
    [2, placeOfCall(sure(calls[2])), 'sealed-text'],
    [1, placeOfCall(sure(calls[0])), 'sealed-text'],
  ]);
  const versions = async (over: object) =>
    (await keptCalls(db.pool, { ...grade, ...over })).map(({ facts }) => facts['version']);
  expect(await versions({ limit: 1 })).toEqual([2]);
  expect(await versions({ since: new Date(sure(found[0]).at.getTime() - 3_600_000).toISOString() })).toEqual([2]);
  expect(await versions({ tenant: 'acme' })).toEqual([]);
});

it('is told of to be unsealed for all that are to be, or for none', async () => {
  await owe(db.pool, [asking('contact:1', 'x'), asking('contact:2', 'y')]);
  await answered(await claimed());
  await answered(await claimed());
  const all = await wholeCalls(db.pool, { limit: 10 });
  const [first, second] = all.map(sure);
  const told = async () =>
    (await db.pool.query<{ data: { call: string } }>(`select data from event order by position`)).rows.map(
      ({ data }) => data.call,
    );
  await db.pool.query(`alter table event add constraint mute check (subject <> 'contact:1')`);
  await expect(tellUnsealed(db.pool, all, { by: 'ada', why: 'x' })).rejects.toThrow('mute');
  expect(await told()).toEqual([]);
  await db.pool.query('alter table event drop constraint mute');
  await tellUnsealed(db.pool, all, { by: 'ada', why: 'x' });
  expect((await told()).sort()).toEqual([sure(first).id, sure(second).id].sort());
});

it('is not kept of a call whose answer is not taken', async () => {
  await owe(db.pool, [asking('contact:1', 'x')]);
  const call = await claimed();
  await erase('contact:1');
  expect(await answered(call)).toBe(false);
  expect(await kept()).toEqual([]);
});

it('is dropped with the last record that it is about, and not before', async () => {
  await owe(db.pool, [asking('contact:1', 'x'), asking('contact:2', 'x'), asking('contact:3', 'y')]);
  await answered(await claimed());
  await answered(await claimed());
  await erase('contact:1');
  expect((await kept()).map(({ subjects }) => subjects)).toEqual([['contact:3'], ['contact:2']]);
  await erase('contact:2');
  expect((await kept()).map(({ subjects }) => subjects)).toEqual([['contact:3']]);
});

it('is dropped after its own days, long before the receipt', async () => {
  await owe(db.pool, [asking('contact:1', 'x'), asking('contact:2', 'y')]);
  await answered(await claimed(), 30);
  await answered(await claimed(), 60);
  await db.moveClock(31 * DAY);
  const keeping = new Housekeeping({
    pool: db.pool,
    days: { inbox: 14, receipts: 90 },
    owner: 'me',
    check: () => Promise.resolve(),
    onError: (error) => {
      throw error;
    },
  });
  while (await keeping.turn());
  expect((await kept()).map(({ subjects }) => subjects)).toEqual([['contact:2']]);
  const { rows } = await db.pool.query(`select state from effect where subject <> ''`);
  expect(rows).toEqual([{ state: 'done' }, { state: 'done' }]);
});
