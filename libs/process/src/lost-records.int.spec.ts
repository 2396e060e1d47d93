import { parkedMail, openPool, type Pool } from '#libs/event-store';
import { type BatchHandler, LogConsumer, LogProducer } from '#libs/log';
import { testDatabase, type TestDatabase } from '../../event-store/src/testing/test-database';
import { createTopics, testConnection, testRecord } from '../../log/src/testing/log-fixture';
import { Process } from './process';
import { Published, TOY_TOPIC, toyCall, toyProcess } from './testing/toy';

// A bug that others had: record k fails, k + 1 of the same partition is handled and committed, the process starts again,
// and nobody ever sees k. Here with the real consumer, its commits and a restart.

const connection = testConnection('lost');
const service = 'toy-lost';
let db: TestDatabase;
let producer: LogProducer;
let published: Published;
const closing: (() => Promise<void>)[] = [];

beforeEach(async () => {
  db = await testDatabase();
  await createTopics(connection, [{ name: TOY_TOPIC, partitions: 1, retentionMs: 3_600_000, says: '' }]);
  producer = new LogProducer(connection);
  published = new Published();
});
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
  await producer.close();
  await db.drop();
});

const publish = (...words: [subject: string, word: string][]) =>
  producer.publish(
    words.map(([subject, word]) => {
      const record = testRecord(TOY_TOPIC, subject, JSON.stringify({ word }));
      return { ...record, envelope: { ...record.envelope, id: `${subject} ${word}` } };
    }),
  );

function handlerOn(pool: Pool): BatchHandler {
  const process = new Process(toyProcess(service), {
    pool,
    produce: published.produce,
    deadLetter: () => Promise.resolve(),
    effects: toyCall(() => Promise.resolve({ outcome: 'done', value: '' })),
    concurrency: 1,
    // The database that is away says so again and again.
    onError: () => undefined,
    onParked: () => undefined,
  });
  process.start();
  closing.push(() => process.stop());
  return process.handlerFor(TOY_TOPIC);
}

/** Consumes record by record in one group, as the service does; resolves to how one ends it. */
function consume(group: string, handler: BatchHandler): () => Promise<void> {
  const options = { groupId: `${service}-${group}`, chunkRecords: 1 };
  const consumer = new LogConsumer(connection, options, new Map([[TOY_TOPIC, handler]]));
  consumer.start();
  closing.push(() => consumer.close());
  return () => consumer.close();
}

const heard = (subject: string) => published.of(subject).filter(({ type }) => type.includes('heard')).length;

it('a failed record k followed by a good k + 1 and a restart does not lose k: the database was away for k', async () => {
  const away = openPool('postgres://nobody:none@127.0.0.1:1/none', 'away');
  closing.push(() => away.end());
  const [withoutStore, good] = [handlerOn(away), handlerOn(db.pool)];
  const failed = Promise.withResolvers<undefined>();
  const stop = consume('away', async (records) => {
    if (!records.some(({ key }) => key === 'contact:1')) return good(records);
    await withoutStore(records).catch((error: unknown) => {
      failed.resolve(undefined);
      throw error;
    });
  });
  await publish(['contact:1', 'k'], ['contact:2', 'next']);
  await failed.promise;
  await stop();
  consume('away', good);
  await published.until(() => heard('contact:1') === 1 && heard('contact:2') === 1);
});

it('a failed record k followed by a good k + 1 and a restart does not lose k: a bug parks it', async () => {
  const handler = handlerOn(db.pool);
  const stop = consume('bug', handler);
  await publish(['contact:3', 'bug'], ['contact:4', 'next']);
  await published.until(() => heard('contact:4') === 1);
  await stop();
  await publish(['contact:4', 'after the restart']);
  consume('bug', handler);
  await published.until(() => heard('contact:4') === 2);
  const waiting = await parkedMail(db.pool, service, 'default:contact:3', 10);
  expect(waiting.map(({ key }) => key)).toEqual(['contact:3 bug']);
});
