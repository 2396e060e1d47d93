import { boundsOf, deadLetter, type IncomingRecord, LogProducer, readRange } from '#libs/log';
import { Process } from '#libs/process';
import { Topic, topics } from '#libs/contracts';
import { Ledger } from '#libs/event-store';
import { effect, owe } from '../../../libs/event-store/src/testing/owing';
import { testDatabase, type TestDatabase } from '../../../libs/event-store/src/testing/test-database';
import { createTopics, testConnection, testRecord } from '../../../libs/log/src/testing/log-fixture';
import { Published, TOY_TOPIC, toyCall, toyProcess } from '../../../libs/process/src/testing/toy';
import { createProgram } from './program';

const connection = testConnection('cli');
let db: TestDatabase;
let ledger: Ledger;
let environment: jest.ReplaceProperty<NodeJS.ProcessEnv>;
beforeAll(async () => {
  const wanted = topics.filter(({ name }) => name.endsWith('.dlq'));
  await createTopics(connection, [
    ...wanted,
    { name: TOY_TOPIC, partitions: 1, retentionMs: 3_600_000, says: 'words' },
  ]);
});
beforeEach(async () => {
  db = await testDatabase();
  ledger = new Ledger(db.pool, 'render-service', [{ kind: 'toy.call', deadlineMs: 1_000, maxRepeats: 0 }]);
  environment = jest.replaceProperty(process, 'env', {
    DATABASE_URL: db.url,
    KAFKA_BROKERS: connection.brokers.join(','),
    TOPIC_PREFIX: connection.topicPrefix,
  });
});
afterEach(async () => {
  environment.restore();
  await db.drop();
});

/** Runs a command as an operator would, and reads what it prints. */
async function refrain<T>(...args: string[]): Promise<T> {
  const printed: string[] = [];
  const write = jest.spyOn(process.stdout, 'write').mockImplementation((text) => printed.push(String(text)) > 0);
  try {
    await createProgram().parseAsync(['node', 'refrain', ...args, '--json']);
  } finally {
    write.mockRestore();
  }
  return JSON.parse(printed.join('')) as T;
}

interface Listed {
  effects: { id: string; state: string; code: string; slot: string; generation: number }[];
  records: { at: string; errorClass: string }[];
}

/** One effect that is dead, and one of which nobody knows whether it happened. */
async function giveUp() {
  await owe(db.pool, [effect({ slot: 'a' }), effect({ slot: 'b' })], { service: 'render-service' });
  const [a, b] = (await ledger.claim('test', 2)).sort((x, y) => x.slot.localeCompare(y.slot));
  if (!a || !b) throw new Error('nothing was claimed');
  await ledger.settle(a, { state: 'dead', code: 'invalid', message: 'no' });
  await ledger.settle(b, { state: 'unknown', code: 'deadline', afterMs: 0 });
  await ledger.reconcile();
}

const states = async (): Promise<string[]> => {
  const { rows } = await db.pool.query<{ it: string }>(
    `select slot || generation || ' ' || state as it from effect order by 1`,
  );
  return rows.map(({ it }) => it);
};

it('lists dead and held effects, by class and age, and says what a retry would do', async () => {
  await giveUp();
  const { effects } = await refrain<Listed>('dlq', 'ls');
  expect(effects).toMatchObject([
    { slot: 'a', state: 'dead', code: 'invalid' },
    { slot: 'b', state: 'held', code: 'deadline' },
  ]);
  expect((await refrain<Listed>('dlq', 'ls', '--class', 'deadline')).effects).toMatchObject([{ slot: 'b' }]);
  expect((await refrain<Listed>('dlq', 'ls', '--older-than', '1h')).effects).toEqual([]);
  expect(await refrain('dlq', 'show', '--effect', effects[0]?.id ?? '')).toMatchObject({
    effect: { slot: 'a', request: { slot: 'a' } },
    retry: 'owes toy.call again as generation 2, under a new Idempotency-Key',
  });
});

it('owes the dead again as their next generation, once, and the held only where they did not happen', async () => {
  await giveUp();
  expect(await refrain('dlq', 'retry', '--all', '--dry-run')).toMatchObject({ retried: [{ slot: 'a' }], held: 1 });
  expect(await states()).toEqual(['a1 dead', 'b1 held']);
  await refrain('dlq', 'retry', '--all');
  expect(await states()).toEqual(['a1 dead', 'a2 owed', 'b1 held']);
  expect(await refrain('dlq', 'retry', '--all')).toMatchObject({ retried: [], held: 1 });
  await refrain('dlq', 'retry', '--class', 'deadline', '--did-not-happen');
  expect(await states()).toEqual(['a1 dead', 'a2 owed', 'b1 owed']);
});

it('takes the word of a person who looked', async () => {
  await giveUp();
  const id = (await refrain<Listed>('dlq', 'ls', '--class', 'deadline')).effects[0]?.id ?? '';
  await refrain('dlq', 'resolve', '--effect', id, '--answer', '"seen"');
  expect(await states()).toEqual(['a1 dead', 'b1 done']);
  await expect(refrain('dlq', 'discard', '--effect', id)).rejects.toThrow('neither dead nor held');
});

it('refuses to retry without a selection, and a number that is none', async () => {
  await expect(refrain('dlq', 'retry')).rejects.toThrow('--all');
  await expect(refrain('dlq', 'show', '--effect', 'x')).rejects.toThrow('is not a number');
});

it('lists records that could not be read', async () => {
  const producer = new LogProducer(connection);
  const record: IncomingRecord = {
    topic: Topic.ingressHubspot,
    partition: 2,
    offset: '17',
    timestamp: 0,
    key: 'default:contact:1',
    value: Buffer.from('{'),
    envelope: undefined,
    headers: {},
  };
  const error = { code: 'unreadable', class: 'UnreadableRecord', message: 'the value is not JSON' };
  await deadLetter(producer, { service: 'crm-writer', record, error, attempts: 1, handlerVersion: '0' });
  await producer.close();
  const found = (...more: string[]) => refrain<Listed>('dlq', 'ls', '--records', ...more);
  expect((await found()).records).toMatchObject([{ at: 'ingress.hubspot.v1/2/17', errorClass: 'UnreadableRecord' }]);
  expect((await found('--service', 'render-service')).records).toEqual([]);
});

/** The service of the command's view with a toy's decider, which bears the word "bug" only when it is mended. */
function service(mended: boolean) {
  const process = new Process(toyProcess('render-service', mended), {
    pool: db.pool,
    produce: new Published().produce,
    deadLetter: () => Promise.resolve(),
    effects: toyCall(() => Promise.reject(new Error('nothing is to be called'))),
    concurrency: 0,
    log: {
      bounds: (range) => boundsOf(connection, range),
      read: (topic, bounds, onRecords) => readRange(connection, topic, bounds, onRecords),
    },
    onError: () => undefined,
    onParked: () => undefined,
  });
  process.start();
  return process;
}

it('shows what a release would do about a failed record, by the code that runs now, and does nothing', async () => {
  const producer = new LogProducer(connection);
  await producer.publish([testRecord(TOY_TOPIC, 'contact:7', JSON.stringify({ word: 'bug' }))]);
  await producer.close();
  const broken = service(false);
  await readRange(
    connection,
    TOY_TOPIC,
    await boundsOf(connection, { topic: TOY_TOPIC }),
    broken.handlerFor(TOY_TOPIC),
  );
  await broken.stop();
  const fixed = service(true);
  const named = ['--service', 'render-service', '--key', 'default:contact:7'];
  const shown = await refrain<{ plan: { events: unknown; effects: unknown } }>('dlq', 'show', ...named, '--plan');
  await fixed.stop();
  expect(shown.plan).toMatchObject({
    events: { 'refrain.word.heard.v1': 1 },
    effects: { 'toy.call': { new: 1 } },
  });
  expect(await states()).toEqual([]);
  expect(await refrain('dlq', 'ls')).toMatchObject({ keys: [{ inputKey: 'default:contact:7', waiting: 1 }] });
});
