import { type EffectState, type Step, transitions } from './effect-states';
import { Ledger, type Settlement } from './ledger';
import type { ClaimedEffect } from './shapes';
import { eraseEffects } from './erasure';
import { cancel, redo, resolveHeld } from './operations';
import { effect, owe } from './testing/owing';
import { testDatabase, type TestDatabase } from './testing/test-database';
import { transact } from './transaction';

let db: TestDatabase;
beforeAll(async () => {
  db = await testDatabase();
});
afterAll(() => db.drop());

const policy = { kind: 'toy.call', deadlineMs: 5_000 };
const repeating = () => new Ledger(db.pool, 'toy-service', [{ ...policy, maxRepeats: 1 }]);
const holding = () => new Ledger(db.pool, 'toy-service', [{ ...policy, maxRepeats: 0 }]);
const name = { slot: 'walked', generation: 1 };
const settle = (end: Settlement) => repeating().settle({ ...name, ...call }, end);
const call = { attempt: 1, tenant: 'default', kind: 'toy.call', streamId: 's' } as Omit<
  ClaimedEffect,
  'slot' | 'generation'
>;
const erasing = { service: 'toy-service', tenant: 'default', subject: 'contact:1', inputKeys: [] };
const quietly = (work: Promise<unknown>) => work.catch(() => undefined);

/** Every step that the ledger knows, tried by what really does it. */
const steps: Record<Step, () => Promise<unknown>> = {
  claim: () => repeating().claim('me', 10),
  'settle done': () => settle({ state: 'done', answer: 1 }),
  'settle dead': () => settle({ state: 'dead', code: 'no', message: '' }),
  'settle owed': () => settle({ state: 'owed', code: 'later', afterMs: 0, refused: false }),
  'settle unknown': () => settle({ state: 'unknown', code: 'deadline', afterMs: 0 }),
  expire: () => repeating().expire(),
  repeat: () => repeating().reconcile(),
  hold: () => holding().reconcile(),
  cancel: () => quietly(cancel(db.pool, name)),
  supersede: () => owe(db.pool, [], { superseded: [{ streamId: 'toy-walked', kind: 'toy.call', purpose: 'call' }] }),
  erase: () => transact(db.pool, 'toy-service', [], (tx) => eraseEffects(tx, erasing)),
  'resolve done': () => quietly(resolveHeld(db.pool, name, { state: 'done', answer: 1 })),
  'resolve dead': () => quietly(resolveHeld(db.pool, name, { state: 'dead', code: 'no' })),
  'resolve owed': () => quietly(resolveHeld(db.pool, name, { state: 'owed' })),
};

async function put(state: EffectState): Promise<void> {
  await db.pool.query('truncate effect, mailbox');
  await owe(db.pool, [effect({ slot: 'walked', streamId: 'toy-walked' })]);
  await db.pool.query(
    `update effect set state = $1, attempts = 1, deadline_ms = 0, due = refrain_now() - interval '1 s',
       lease_until = case when $1 = 'running' then refrain_now() - interval '1 s' end`,
    [state],
  );
}

const stateNow = async () => (await db.pool.query<{ state: EffectState }>('select state from effect')).rows[0]?.state;
const mailed = async () => (await db.pool.query('select from mailbox')).rows.length;
const open = new Set<EffectState | undefined>(['owed', 'running', 'unknown']);
const ended = new Set<EffectState>(['done', 'dead', 'cancelled', 'superseded']);

const states = Object.keys(transitions) as EffectState[];
it.each(states.flatMap((from) => (Object.keys(steps) as Step[]).map((step) => [from, step] as const)))(
  'goes from %s by %s where the table says, or stays',
  async (from, step) => {
    await put(from);
    await steps[step]();
    const to = await stateNow();
    expect(to).toBe(transitions[from][step] ?? from);
    // An owner hears of every end, and of nothing else; whoever heard of one needs no word that it was forgotten.
    const heard = to === 'erased' && ended.has(from);
    expect(await mailed()).toBe(to !== from && !open.has(to) && !heard ? 1 : 0);
  },
);

it.each(states)('redoes what has ended as a new generation, and nothing else (%s)', async (from) => {
  await put(from);
  const made = await redo(db.pool, 'walked').catch(() => undefined);
  expect(made).toEqual(ended.has(from) ? { slot: 'walked', generation: 2 } : undefined);
});

it('takes no late proof for an effect that was never sent', async () => {
  await put('owed');
  await db.pool.query('update effect set attempts = 0');
  await settle({ state: 'done', answer: 1 });
  expect(await stateNow()).toBe('owed');
});

it('lets an effect that a person owes again wait for the newer one of its order that is under way', async () => {
  await db.pool.query('truncate effect, mailbox');
  const inOrder = { streamId: 'toy-walked', orderKey: 'one-by-one' };
  const older = { slot: 'older', generation: 1 };
  await owe(db.pool, [effect({ slot: older.slot, ...inOrder })]);
  await db.pool.query(`update effect set state = 'held'`);
  await owe(db.pool, [effect({ slot: 'newer', ...inOrder })]);
  const [newer] = await repeating().claim('me', 10);

  await resolveHeld(db.pool, older, { state: 'owed' });

  expect(newer?.slot).toBe('newer');
  expect(await repeating().claim('me', 10)).toEqual([]);
  if (newer) await repeating().settle(newer, { state: 'unknown', code: 'deadline', afterMs: 60_000 });
  expect(await repeating().claim('me', 10)).toEqual([]);
  if (newer) await repeating().settle(newer, { state: 'done', answer: 1 });
  expect((await repeating().claim('me', 10)).map(({ slot }) => slot)).toEqual(['older']);
});
