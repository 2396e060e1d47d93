import { contentKey, WrongContentKey } from './content-key';
import { type EffectOutcome, Ledger } from './ledger';
import { deadLetterEffects } from './dead-letters';
import { ForgottenQuestions1797120000000 } from './migrations/1797120000000-forgotten-questions';
import { cancel, redo, resolveHeld } from './operations';
import { effect, owe, sure } from './testing/owing';
import { testDatabase, type TestDatabase } from './testing/test-database';

let db: TestDatabase;
let ledger: Ledger;
beforeEach(async () => {
  db = await testDatabase();
  ledger = new Ledger(db.pool, 'toy-service', [{ kind: 'toy.call', deadlineMs: 5_000, maxRepeats: 0 }]);
});
afterEach(() => db.drop());

const asking = (content: string, slot?: string) => effect({ shares: `default|toy.call|content-k|${content}`, slot });
const done = (answer: unknown) => ({ state: 'done', answer, cost: { inputTokens: 7 } }) as const;

/** What the owners were told, by slot. */
async function told(): Promise<Record<string, unknown[]>> {
  const { rows } = await db.pool.query<{ body: EffectOutcome }>('select body from mailbox order by id');
  const outcomes: Record<string, unknown[]> = {};
  for (const { body } of rows) (outcomes[body.slot] ??= []).push(body.state === 'done' ? body.answer : body.state);
  return outcomes;
}

it('makes one call for two owners of the same content, and tells both', async () => {
  await owe(db.pool, [asking('x', 'a')]);
  await owe(db.pool, [asking('x', 'b')]);
  const calls = await ledger.claim('me', 10);
  expect(calls.map((c) => c.slot)).toEqual(['default|toy.call|content-k|x']);
  await ledger.settle(sure(calls[0]), done('said'));
  expect(await told()).toEqual({ a: ['said'], b: ['said'] });
  const { rows } = await db.pool.query('select slot, state, cost, request from effect order by slot');
  expect(rows).toEqual([
    { slot: 'a', state: 'done', cost: null, request: null },
    { slot: 'b', state: 'done', cost: null, request: null },
    { slot: 'default|toy.call|content-k|x', state: 'done', cost: { inputTokens: 7 }, request: null },
  ]);
});

it('answers a later owner from the receipt, in the transaction that owes', async () => {
  await owe(db.pool, [asking('x', 'a')]);
  await ledger.settle(sure((await ledger.claim('me', 10))[0]), done('said'));
  await owe(db.pool, [asking('x', 'late')]);
  expect(await told()).toEqual({ a: ['said'], late: ['said'] });
  expect(await ledger.claim('me', 10)).toEqual([]);
});

it('tells owners of a refusal, of a call that is held, and of what a person finds', async () => {
  await owe(db.pool, [asking('x', 'a'), asking('y', 'b')]);
  const calls = await ledger.claim('me', 10);
  const [x, y] = [sure(calls.find((c) => c.slot.endsWith('x'))), sure(calls.find((c) => c.slot.endsWith('y')))];
  await ledger.settle(x, { state: 'dead', code: 'invalid', message: '' });
  await ledger.settle(y, { state: 'unknown', code: 'deadline', afterMs: 0 });
  await ledger.reconcile();
  expect(await told()).toEqual({ a: ['dead'], b: ['held'] });
  await resolveHeld(db.pool, y, { state: 'done', answer: 'found' });
  expect(await told()).toEqual({ a: ['dead'], b: ['held', 'found'] });
  const again = await redo(db.pool, 'a');
  expect(again).toEqual({ slot: 'a', generation: 2 });
  const [call] = await ledger.claim('me', 10);
  expect(call).toMatchObject({ slot: x.slot, generation: 2 });
  await ledger.settle(sure(call), done('at last'));
  expect((await told())['a']).toEqual(['dead', 'at last']);
});

it('ends one owner’s interest without ending the call of the other', async () => {
  await owe(db.pool, [asking('x', 'a'), asking('x', 'b')]);
  await cancel(db.pool, { slot: 'a', generation: 1 });
  const [call] = await ledger.claim('me', 10);
  await ledger.settle(sure(call), done('said'));
  // The late proof reaches the one who had turned away as well.
  expect(await told()).toEqual({ a: ['cancelled', 'said'], b: ['said'] });
});

describe('what was asked', () => {
  const asked = async () => {
    const { rows } = await db.pool.query<{ slot: string; generation: number; request: unknown }>(
      `select slot, generation, request from effect where shares is not null order by slot, generation`,
    );
    return rows.map(({ slot, generation, request }) => [`${slot}#${String(generation)}`, request !== null]);
  };
  const letters = async () => (await deadLetterEffects(db.pool, {}, 10)).map(({ slot, request }) => [slot, request]);

  it.each([
    ['dead', { state: 'dead', code: 'invalid', message: '' }],
    ['held', { state: 'unknown', code: 'deadline', afterMs: 0 }],
  ] as const)('is kept of a call that is %s until it is asked again and answered', async (state, end) => {
    await owe(db.pool, [asking('x', 'a'), asking('x', 'b')]);
    const call = sure((await ledger.claim('me', 10))[0]);
    await ledger.settle(call, end);
    await ledger.reconcile();
    expect(await letters()).toEqual([
      ['a', { slot: 'a' }],
      ['b', { slot: 'b' }],
    ]);
    if (state === 'dead') await Promise.all(['a', 'b'].map((slot) => redo(db.pool, slot)));
    else await resolveHeld(db.pool, call, { state: 'owed' });
    const again = sure((await ledger.claim('me', 10))[0]);
    expect(again).toMatchObject({ slot: call.slot, request: call.request });
    await ledger.settle(again, done('at last'));
    const ended = ['a', 'b'].flatMap((slot) => [
      ...(state === 'dead' ? [[`${slot}#1`, true]] : []),
      [`${slot}#${String(again.generation)}`, false],
    ]);
    expect(await asked()).toEqual(ended);
  });

  it('is forgotten with the answer, also of whoever comes later, has turned away or wants it no more', async () => {
    await owe(
      db.pool,
      ['asks', 'cancelled', 'superseded'].map((slot) => asking('x', slot)),
    );
    await cancel(db.pool, { slot: 'cancelled', generation: 1 });
    await owe(db.pool, [], { superseded: [{ streamId: 'toy-superseded', kind: 'toy.call', purpose: 'call' }] });
    expect((await asked()).map(([, isKept]) => isKept)).toEqual([true, true, true]);
    await ledger.settle(sure((await ledger.claim('me', 10))[0]), done('said'));
    await owe(db.pool, [asking('x', 'later')]);
    expect(await asked()).toEqual(['asks', 'cancelled', 'later', 'superseded'].map((slot) => [`${slot}#1`, false]));
  });

  it('is forgotten once a person has found the answer', async () => {
    await owe(db.pool, [asking('x', 'a')]);
    const call = sure((await ledger.claim('me', 10))[0]);
    await ledger.settle(call, { state: 'unknown', code: 'deadline', afterMs: 0 });
    await ledger.reconcile();
    await resolveHeld(db.pool, call, { state: 'done', answer: 'found' });
    expect(await asked()).toEqual([['a#1', false]]);
  });

  it('is never asked again as nothing: whoever wants an answer anew is told so', async () => {
    await owe(db.pool, [asking('x', 'a')]);
    await ledger.settle(sure((await ledger.claim('me', 10))[0]), done('said'));
    await expect(redo(db.pool, 'a')).rejects.toThrow('a has no generation that ended and keeps its request');
    expect(await ledger.claim('me', 10)).toEqual([]);
    // A replay makes it anew, and owes it as a generation of its own.
    await owe(db.pool, [{ ...asking('x', 'a'), generation: 2 }]);
    expect(await ledger.claim('me', 10)).toMatchObject([{ generation: 2, request: { slot: 'a' } }]);
  });

  it('is forgotten of what was answered before owners forgot it, and of nothing else', async () => {
    await owe(db.pool, [asking('x', 'answered'), asking('y', 'owed'), effect({ slot: 'alone' })]);
    await db.pool.query(`update effect set state = 'done' where slot in ('answered', 'alone')`);
    await new ForgottenQuestions1797120000000().up({ query: (text: string) => db.pool.query(text) } as never);
    const { rows } = await db.pool.query(`select slot from effect where request::text = 'null'`);
    expect(rows).toEqual([{ slot: 'answered' }]);
  });
});

// Owners come in batches in opposite order while calls of the same contents are settled: none waits for ever, no batch
// locks another one out.
it('loses no waiter and meets no deadlock among many concurrent batches', async () => {
  const contents = Array.from({ length: 30 }, (_, i) => `c${String(i)}`);
  let owing = true;
  const settling = [1, 2].map(async () => {
    for (;;) {
      const last = !owing;
      const calls = await ledger.claim('me', 5);
      await Promise.all(calls.map((call) => ledger.settle(call, done(call.slot.split('|')[3]))));
      if (last && calls.length === 0) return;
    }
  });
  const owners: Record<string, string[]> = {};
  const batches = Array.from({ length: 60 }, (_, n) =>
    contents.slice(n % 10, (n % 10) + 15).map((content, i) => {
      // Owners' own slots in the order of contents in every second batch, against it in the others.
      const slot = `${String(n % 2 ? 100 + i : 200 - i)}-${String(n)}`;
      owners[slot] = [content];
      return asking(content, slot);
    }),
  );
  const before = await deadlocks();
  for (let i = 0; i < batches.length; i += 6) {
    await Promise.all(batches.slice(i, i + 6).map((batch) => owe(db.pool, batch)));
  }
  owing = false;
  await Promise.all(settling);
  expect(await told()).toEqual(owners);
  expect(await deadlocks()).toBe(before);
  const { rows } = await db.pool.query(
    `select count(*)::int as calls, max(attempts) as attempts from effect where shares is null`,
  );
  expect(rows).toEqual([{ calls: 24, attempts: 1 }]);
});

const deadlocks = async () =>
  (
    await db.pool.query<{ deadlocks: string }>(
      'select deadlocks from pg_stat_database where datname = current_database()',
    )
  ).rows[0]?.deadlocks;

it('names content by a key whose mismatch is refused at start', async () => {
  const key = await contentKey(db.pool, 'one secret');
  const slot = key.slotOf('default', 'toy.call', 'who is Ann?');
  expect(slot).toMatch(/^default\|toy\.call\|content-[0-9a-f]{8}\|[0-9a-f]{64}$/);
  expect((await contentKey(db.pool, 'one secret')).slotOf('default', 'toy.call', 'who is Ann?')).toBe(slot);
  expect(key.slotOf('other', 'toy.call', 'who is Ann?').slice(-64)).not.toBe(slot.slice(-64));
  await expect(contentKey(db.pool, 'another secret')).rejects.toThrow(WrongContentKey);
  await expect(contentKey(db.pool, undefined)).rejects.toThrow(WrongContentKey);
});

it('makes itself a key, once, where none is set', async () => {
  const keys = await Promise.all([contentKey(db.pool, undefined), contentKey(db.pool, undefined)]);
  expect(new Set(keys.map((key) => key.slotOf('t', 'k', 'm'))).size).toBe(1);
});
