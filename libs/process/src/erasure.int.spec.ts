import { createHash, randomUUID } from 'node:crypto';
import { INPUTS_FREED } from '#libs/contracts';
import {
  cancel,
  dueMail,
  type EffectOutcome,
  emptyOutcome,
  type Erased,
  Ledger,
  parkedKeys,
  redo,
  requestRelease,
  writeBatch,
} from '#libs/event-store';
import { effect, owe, sure } from '../../event-store/src/testing/owing';
import { rowsSaying, tableOf } from '../../event-store/src/testing/rows-saying';
import { testDatabase, type TestDatabase } from '../../event-store/src/testing/test-database';
import { until } from '../../event-store/src/testing/until';
import type { EffectKind } from './effect-kind';
import { eraseSubject } from './erasure';
import { Process } from './process';
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
afterAll(() => db.drop());

type Perform = (request: { word: string; n: number }) => ReturnType<EffectKind['perform']>;
const yes: Perform = ({ word }) => Promise.resolve({ outcome: 'done', value: `yes to ${word}` });

function start(service: string, { fixed = false, perform = yes } = {}, over: Partial<EffectKind> = {}) {
  const published = new Published();
  const process = new Process(toyProcess(service, fixed), {
    pool: db.pool,
    produce: published.produce,
    deadLetter: () => Promise.resolve(),
    effects: toyCall(perform, over),
    concurrency: 10,
    onError: (error) => errors.push(error),
    onParked: () => undefined,
  });
  process.start();
  running.push(process as never);
  return { handle: process.handlerFor(TOY_TOPIC), published };
}

/** A subject of the test's own. */
const someone = (): string => `contact:${randomUUID().slice(0, 8)}`;
const say = (subject: string, word: string) =>
  wordRecord(subject, { word }, { id: `${subject} ${createHash('sha256').update(word).digest('hex').slice(0, 8)}` });
const erase = (subject: string, dryRun = false) =>
  eraseSubject(db.pool, { tenant: 'default', subject, by: 'test', dryRun });

const nothing: Erased = { effects: 0, cancelled: 0, outcomes: 0, inputs: 0, freed: 0, shared: 0, planned: 0 };

const rowsOf = async <R extends object>(text: string, ...values: unknown[]): Promise<R[]> =>
  (await db.pool.query<R>(text, values)).rows;
const effectsOf = (subject: string) =>
  rowsOf<{ state: string }>(
    `select state, request, request_hash, answer, shares from effect where subject = $1 order by seq`,
    subject,
  );
const erasedEffect = { state: 'erased', request: null, request_hash: '', answer: null, shares: null };

/** Every row that says one of these words, but events: they are another matter. */
const saying = async (...words: string[]): Promise<string[]> =>
  (await rowsSaying(db.pool, ...words)).filter((row) => tableOf(row) !== 'event');

const heardOf = async (service: string, subject: string) =>
  (
    await rowsOf<{ said: string }>(
      `select coalesce(data->>'word', data->>'answer') as said from event
       where service = $1 and stream_id = $2 order by version`,
      service,
      `toy-default:${subject}`,
    )
  ).map(({ said }) => said);

it('counts in a dry run what it then erases: receipts, parked inputs, open work; twice does nothing more', async () => {
  const subject = someone();
  const { handle, published } = start('e-all');
  await handle([say(subject, 'first-secret')]);
  await published.until(() => published.of(subject).length === 2);
  await handle(['bug', 'second-secret', 'third-secret'].map((word) => say(subject, word)));
  await until(async () => (await parkedKeys(db.pool, { service: 'e-all' })).length === 1);
  const held = effect({ slot: `${subject} held`, subject, streamId: `toy-default:${subject}`, purpose: 'call-9' });
  await owe(db.pool, [held], { service: 'e-all' });
  await db.pool.query(`update effect set state = 'held' where slot = $1`, [`${subject} held`]);

  const found = { ...nothing, effects: 2, cancelled: 1, inputs: 3, freed: 1 };
  expect(await erase(subject, true)).toEqual({ 'e-all': found });
  expect((await saying('-secret')).map(tableOf).sort()).toEqual(['effect', 'mailbox', 'mailbox']);
  expect(await parkedKeys(db.pool, { service: 'e-all' })).toHaveLength(1);
  expect((await effectsOf(subject)).map(({ state }) => state)).toEqual(['done', 'held']);

  expect(await erase(subject)).toEqual({ 'e-all': found });
  expect(await effectsOf(subject)).toEqual([erasedEffect, erasedEffect]);
  expect(await saying('-secret')).toEqual([]);
  expect(await erase(subject)).toEqual({ 'e-all': nothing });
  await published.until(() => published.records.some((r) => r.envelope.type === INPUTS_FREED));
  const freed = published.records.find((r) => r.envelope.type === INPUTS_FREED);
  expect(JSON.parse(freed?.value.toString() ?? '')).toMatchObject({ how: 'erased', by: 'test' });
});

it('decides normally what comes after, and never what was dropped', async () => {
  const subject = someone();
  const { handle } = start('e-after');
  await handle(['bug', 'dropped'].map((word) => say(subject, word)));
  await erase(subject);
  await handle(['dropped', 'new'].map((word) => say(subject, word)));
  await until(async () => (await heardOf('e-after', subject)).length === 2);
  expect(await heardOf('e-after', subject)).toEqual(['new', 'yes to new']);
});

it('leaves all other subjects alone, also one whose id begins alike', async () => {
  const [subject, other] = [someone(), someone()];
  const alike = `${subject}0`;
  const { handle } = start('e-others');
  await handle([subject, other, alike].flatMap((s) => [say(s, 'bug'), say(s, 'after')]));
  await erase(subject);
  const parked = (await parkedKeys(db.pool, { service: 'e-others' })).map((key) => [key.inputKey, key.waiting]);
  expect(parked.sort()).toEqual([other, alike].map((s) => [`default:${s}`, 2]).sort());
});

it('tells `erased` to whoever waits for an answer behind a parked key, so that its stream goes on', async () => {
  const subject = someone();
  const calls: ((value: string) => void)[] = [];
  const slow: Perform = () => new Promise((resolve) => calls.push((value) => resolve({ outcome: 'done', value })));
  const { handle } = start('e-waiters', { perform: slow });
  await handle([say(subject, 'one')]);
  await until(() => calls.length === 1);
  await handle([say(subject, 'bug')]);
  calls[0]?.('secret');
  await until(async () => (await rowsOf(`select 1 from mailbox where kind = 'outcome' and parked`)).length === 1);
  expect((await erase(subject))['e-waiters']).toEqual({ ...nothing, effects: 1, outcomes: 1, inputs: 1, freed: 1 });
  await until(async () => (await heardOf('e-waiters', subject)).length === 2);
  expect(await heardOf('e-waiters', subject)).toEqual(['one', 'erased: erased']);
});

it('takes no answer of a call that runs on, nor of one that was lost, and lets nobody make it again', async () => {
  const subject = someone();
  const ledger = new Ledger(db.pool, 'e-running', [{ kind: 'toy.call', deadlineMs: 5_000, maxRepeats: 3 }]);
  const slots = ['runs', 'lost'].map((s) => `${subject} ${s}`);
  await owe(
    db.pool,
    slots.map((slot) => effect({ slot, subject })),
    { service: 'e-running' },
  );
  const claimed = await ledger.claim('me', 2);
  const lost = sure(claimed.find(({ slot }) => slot.endsWith('lost')));
  await ledger.settle(lost, { state: 'unknown', code: 'deadline', afterMs: 0 });
  expect((await erase(subject))['e-running']).toMatchObject({ effects: 2, cancelled: 2 });
  for (const call of claimed) expect(await ledger.settle(call, { state: 'done', answer: 'late secret' })).toBe(false);
  expect(await ledger.reconcile()).toBe(0);
  expect(await effectsOf(subject)).toEqual([erasedEffect, erasedEffect]);
  await expect(redo(db.pool, slots[0] ?? '')).rejects.toThrow('no generation that ended');
  await expect(cancel(db.pool, lost)).rejects.toThrow('not owed');
  const told = await rowsOf<{ body: EffectOutcome }>(`select body from mailbox where service = 'e-running'`);
  expect(told.map(({ body }) => [body.slot, body.state, body.answer]).sort()).toEqual(
    slots.map((slot) => [slot, 'erased', null]).sort(),
  );
});

it('forgets a callback that had to wait for its stream', async () => {
  const subject = someone();
  const { handle } = start('e-callback');
  await handle([wordRecord('letter:1', { word: 'called-secretly', callbackOf: subject })]);
  await handle([wordRecord(subject, { word: 'one', correlate: subject })]);
  await until(async () => (await heardOf('e-callback', subject)).length === 3);
  expect(await saying('called-secretly')).toHaveLength(1);
  await erase(subject);
  expect(await saying('called-secretly')).toEqual([]);
});

it('lets nobody decide on an answer that was read before it was erased', async () => {
  const subject = someone();
  const ledger = new Ledger(db.pool, 'e-read', [{ kind: 'toy.call', deadlineMs: 5_000, maxRepeats: 0 }]);
  await owe(db.pool, [effect({ subject })], { service: 'e-read' });
  await ledger.settle(sure((await ledger.claim('me', 1))[0]), { state: 'done', answer: 'secret' });
  const [read] = await dueMail(db.pool, 'e-read', 1);
  expect((await erase(subject))['e-read']).toEqual({ ...nothing, effects: 1, outcomes: 1 });
  const decided = { ...emptyOutcome(), taken: [sure(read).id] };
  await expect(writeBatch(db.pool, 'e-read', decided, { open: [], parked: [] })).rejects.toThrow('mail was taken');
  const [now] = await dueMail(db.pool, 'e-read', 1);
  expect(now).toMatchObject({ key: read?.key, body: { state: 'erased', answer: null, code: 'erased' } });
});

describe('a shared call', () => {
  const ledger = () => new Ledger(db.pool, 'e-shared', [{ kind: 'toy.call', deadlineMs: 5_000, maxRepeats: 0 }]);
  const asking = (content: string, subject: string) =>
    effect({ shares: `default|toy.call|content-k|${content}`, slot: `${subject} asks ${content}`, subject });
  const ask = (content: string, ...subjects: string[]) =>
    owe(
      db.pool,
      subjects.map((subject) => asking(content, subject)),
      { service: 'e-shared' },
    );
  const told = async (subject: string) =>
    (
      await rowsOf<{ body: EffectOutcome }>(
        `select body from mailbox where input_key = $1 order by id`,
        `default:${subject}`,
      )
    ).map(({ body }) => body.answer ?? body.state);

  it.each(['owed', 'running', 'done'])(
    'that is %s stays for owners of other subjects; the erased one is told so',
    async (at) => {
      const [gone, stays, content] = [someone(), someone(), randomUUID()];
      await ask(content, gone, stays);
      const call = at === 'owed' ? undefined : sure((await ledger().claim('me', 1))[0]);
      if (call && at === 'done') await ledger().settle(call, { state: 'done', answer: 'said' });
      expect((await erase(gone))['e-shared']).toMatchObject({ effects: 1, shared: 0 });
      expect(await effectsOf(gone)).toEqual([erasedEffect]);
      const still = call ?? sure((await ledger().claim('me', 1))[0]);
      await ledger().settle(still, { state: 'done', answer: 'said' });
      expect(await told(stays)).toEqual(['said']);
      expect(await told(gone)).toEqual(['erased']);
      expect(await effectsOf(gone)).toEqual([erasedEffect]);
      // The next one who asks the same is answered from the receipt.
      const next = someone();
      await ask(content, next);
      expect(await told(next)).toEqual(['said']);
    },
  );

  it('that was nobody else’s is erased too, and the same content is a new call', async () => {
    const [gone, content] = [someone(), randomUUID()];
    await ask(content, gone);
    await ledger().settle(sure((await ledger().claim('me', 1))[0]), { state: 'done', answer: 'about Ann' });
    expect((await erase(gone))['e-shared']).toMatchObject({ effects: 1, cancelled: 0, outcomes: 1, shared: 1 });
    expect(await saying('about Ann')).toEqual([]);
    const next = someone();
    await ask(content, next);
    await ledger().settle(sure((await ledger().claim('me', 1))[0]), { state: 'done', answer: 'again' });
    expect(await told(next)).toEqual(['again']);
  });

  it('loses no other owner and keeps no answer when erasures, owners and settlements meet', async () => {
    const contents = Array.from({ length: 12 }, () => randomUUID());
    const [gone, stays] = [Array.from({ length: 12 }, someone), Array.from({ length: 12 }, someone)];
    let owing = true;
    const settling = [1, 2].map(async () => {
      for (;;) {
        const last = !owing;
        const calls = await ledger().claim('me', 5);
        await Promise.all(calls.map((call) => ledger().settle(call, { state: 'done', answer: 'said' })));
        if (last && calls.length === 0) return;
      }
    });
    await Promise.all(
      contents.map(async (content, i) => {
        await ask(content, gone[i] ?? '');
        await Promise.all([erase(gone[i] ?? ''), ask(content, stays[i] ?? '')]);
      }),
    );
    owing = false;
    await Promise.all(settling);
    expect(await Promise.all(stays.map(told))).toEqual(stays.map(() => ['said']));
    expect((await Promise.all(gone.map(effectsOf))).flat()).toEqual(gone.map(() => erasedEffect));
    expect((await Promise.all(gone.map(told))).flat()).toEqual(gone.map(() => 'erased'));
  });
});

it('holds when parking, a release, the pump and the runner of two replicas meet it', async () => {
  const subjects = Array.from({ length: 4 }, someone);
  const replicas = [start('e-storm'), start('e-storm')];
  const words = (subject: string) => ['a-secret', 'bug', 'b-secret', 'c-secret'].map((word) => say(subject, word));
  const hearing = subjects.flatMap((subject) => words(subject).map((record, i) => replicas[i % 2]?.handle([record])));
  const releasing = subjects.map((subject) => requestRelease(db.pool, { inputKey: `default:${subject}` }, 'test'));
  const erasing = [...subjects, ...subjects].map((subject) => erase(subject));
  await Promise.all([...hearing, ...releasing, ...erasing]);
  await until(async () => {
    await Promise.all(subjects.map((subject) => erase(subject)));
    const open = `select from mailbox where service = 'e-storm'
      union all select from parked_key where service = 'e-storm'
      union all select from effect where service = 'e-storm' and state <> 'erased'`;
    return (await rowsOf(open)).length === 0;
  });
  expect(await saying('-secret')).toEqual([]);
  for (const subject of subjects) {
    const heard = await heardOf('e-storm', subject);
    expect(heard.filter((word) => word === 'bug')).toEqual([]);
    // Whatever was heard has its answer: the vendor's, or that it was erased.
    expect(heard.filter((said) => said.endsWith('-secret') && !said.startsWith('yes')).length * 2).toBe(heard.length);
  }
  for (const replica of replicas) await replica.handle(subjects.map((subject) => say(subject, 'after')));
  await until(async () =>
    (await Promise.all(subjects.map((s) => heardOf('e-storm', s)))).every((h) => h.at(-1) === 'yes to after'),
  );
});
