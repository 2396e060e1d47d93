import { randomBytes } from 'node:crypto';
import { RECORD_UNREADABLE, type TopicSpec } from '#libs/contracts';
import { kafkaOf, withAdmin } from './client';
import { LogConsumer } from './consumer';
import { deadLetter } from './dead-letter';
import { LogProducer } from './producer';
import type { BatchHandler, IncomingRecord } from './record';
import { createTopics, Progress, testConnection, testRecord, TopicReader } from './testing/log-fixture';

const connection = testConnection('log');
const spec = (name: string, partitions: number): TopicSpec => ({ name, partitions, retentionMs: 3_600_000, says: '' });

let producer: LogProducer;
beforeAll(async () => {
  await createTopics(connection, [
    spec('exact', 3),
    spec('retry', 3),
    spec('resume', 1),
    spec('poison', 1),
    spec('writer.dlq', 1),
    spec('large', 1),
    spec('stall', 1),
  ]);
  producer = new LogProducer(connection);
});
afterAll(() => producer.close());

const open: { close(): Promise<void> }[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map((thing) => thing.close()));
});

function consume(groupId: string, topic: string, handler: BatchHandler, chunkRecords?: number): LogConsumer {
  const consumer = new LogConsumer(connection, { groupId, chunkRecords }, new Map([[topic, handler]]));
  open.push(consumer);
  consumer.start();
  return consumer;
}

/** Asks again and again until the answer is the wanted one. */
async function untilReady(consumer: LogConsumer, wanted: true | RegExp): Promise<void> {
  for (;;) {
    const said = await consumer.check().then(
      () => true as const,
      (error: unknown) => String(error),
    );
    if (said === true ? wanted === true : wanted !== true && wanted.test(said)) return;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

function read(topic: string): TopicReader {
  const reader = new TopicReader(connection, topic);
  open.push(reader);
  return reader;
}

const text = (record: IncomingRecord) => record.value.toString();

it('brings back the exact bytes, key, envelope and headers, under the topic name without its prefix', async () => {
  const bytes = randomBytes(2_000);
  const sent = { ...testRecord('exact', 'default:contact:1', bytes), headers: { reason: 'größer' } };
  sent.envelope.traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
  await producer.publish([sent]);
  const [got] = await read('exact').until(1, (r) => r.envelope?.id === sent.envelope.id);
  expect(got).toMatchObject({ topic: 'exact', key: sent.key, envelope: sent.envelope });
  expect(got?.value.equals(bytes)).toBe(true);
  expect(got?.headers).toMatchObject({ reason: 'größer', traceparent: sent.envelope.traceparent });
});

it('keeps the order of each key across many concurrent calls', async () => {
  const calls = Array.from({ length: 200 }, (_, i) =>
    producer.publish(Array.from({ length: 5 }, (_, k) => testRecord('exact', `order-${k}`, String(i)))),
  );
  await Promise.all(calls);
  const records = await read('exact').until(1_000, (r) => r.key.startsWith('order-'));
  for (let k = 0; k < 5; k++) {
    const values = records.filter((r) => r.key === `order-${k}`).map((r) => Number(text(r)));
    expect(values).toEqual(Array.from({ length: 200 }, (_, i) => i));
  }
});

it('takes a record of a whole request body', async () => {
  await producer.publish([testRecord('large', 'k', Buffer.alloc(1024 * 1024, 'x'))]);
  const [got] = await read('large').until(1);
  expect(got?.value.length).toBe(1024 * 1024);
});

it('hands rejected records over again without loss or disorder, while other partitions go on', async () => {
  const rounds = 5;
  const progress = new Progress();
  const done = new Map<number, string[]>();
  let broken: number | undefined;
  let refused = 0;
  const consumer = consume(
    'retry',
    'retry',
    (records) => {
      const partition = records[0]?.partition ?? -1;
      broken ??= partition;
      if (partition === broken && refused < 1_000_000) {
        refused += 1;
        progress.note();
        return Promise.reject(new Error('the database is away'));
      }
      done.set(partition, [...(done.get(partition) ?? []), ...records.map(text)]);
      progress.note();
      return Promise.resolve();
    },
    7,
  );
  const keys = Array.from({ length: 12 }, (_, i) => `key-${i}`);
  const handled = () => [...done.values()].reduce((sum, values) => sum + values.length, 0);
  await producer.publish(keys.map((key) => testRecord('retry', key, `0 ${key}`)));
  await progress.until(() => refused > 0);
  // The broken partition is known now: every further round must pass on the others while it is retried.
  for (let round = 1; round < rounds; round++) {
    const before = handled();
    await producer.publish(keys.map((key) => testRecord('retry', key, `${round} ${key}`)));
    await progress.until(() => handled() > before && refused > round);
  }
  expect(done.has(broken ?? -1)).toBe(false);
  await consumer.check();

  refused = 1_000_000;
  await progress.until(() => handled() >= rounds * keys.length);
  const all = [...done.values()].flat();
  expect(new Set(all).size).toBe(rounds * keys.length);
  expect(all).toHaveLength(rounds * keys.length);
  for (const key of keys) {
    const seen = [...done.values()].flat().filter((value) => value.endsWith(` ${key}`));
    expect(seen).toEqual(Array.from({ length: rounds }, (_, round) => `${round} ${key}`));
  }
});

it('commits what was handled and nothing else: the next member goes on exactly there', async () => {
  await producer.publish(Array.from({ length: 20 }, (_, i) => testRecord('resume', 'k', String(i))));
  const progress = new Progress();
  const first: string[] = [];
  const member = consume(
    'resume',
    'resume',
    (records) => {
      if (first.length >= 10) {
        progress.note();
        return Promise.reject(new Error('enough'));
      }
      first.push(...records.map(text));
      return Promise.resolve();
    },
    5,
  );
  await progress.until(() => first.length >= 10);
  await member.close();
  const second: string[] = [];
  consume('resume', 'resume', (records) => {
    second.push(...records.map(text));
    progress.note();
    return Promise.resolve();
  });
  await progress.until(() => second.length >= 10);
  expect([...first, ...second]).toEqual(Array.from({ length: 20 }, (_, i) => String(i)));
});

it('is not ready while records wait and none is handled, because a handler hangs; ready again when they move', async () => {
  const hold = Promise.withResolvers<void>();
  const progress = new Progress();
  let handled = 0;
  const consumer = new LogConsumer(
    connection,
    { groupId: 'stall', redAfterMs: 200 },
    new Map([
      [
        'stall',
        async (records) => {
          if (records.some((record) => text(record) === 'hang')) await hold.promise;
          handled += records.length;
          progress.note();
        },
      ],
    ]),
  );
  open.push(consumer);
  consumer.start();
  await producer.publish([testRecord('stall', 'k', 'first')]);
  await progress.until(() => handled === 1);
  await untilReady(consumer, true);
  await producer.publish([testRecord('stall', 'k', 'hang')]);
  await untilReady(consumer, /stall\/0: records wait, and none was handled for/);
  hold.resolve();
  await progress.until(() => handled === 2);
  await untilReady(consumer, true);
});

it('gives poison without an envelope, which goes to the dead letters with its bytes and whereabouts', async () => {
  const raw = kafkaOf(connection).producer({ allowAutoTopicCreation: false });
  await raw.connect();
  const bytes = Buffer.from([0xff, 0x00, 0x7b]);
  await raw.send({
    topic: `${connection.topicPrefix}poison`,
    messages: [{ key: 'k', value: bytes, headers: { a: 'b' } }],
  });
  await raw.disconnect();

  const [poison] = await read('poison').until(1);
  if (!poison) throw new Error('no record');
  expect(poison).toMatchObject({ envelope: undefined, headers: { a: 'b' }, key: 'k' });
  const error = { code: 'unreadable', class: 'invalid', message: 'no envelope' };
  await deadLetter(producer, { service: 'writer', record: poison, error, attempts: 2, handlerVersion: '1.2.3' });

  const [letter] = await read('writer.dlq').until(1);
  expect(letter?.value.equals(bytes)).toBe(true);
  expect(letter?.envelope).toMatchObject({ type: RECORD_UNREADABLE, source: '/writer', subject: 'record:poison/0/0' });
  expect(letter?.headers).toMatchObject({
    refrain_original_topic: 'poison',
    refrain_original_partition: '0',
    refrain_original_offset: '0',
    refrain_original_key: 'k',
    refrain_original_timestamp: String(poison.timestamp),
    refrain_error_code: 'unreadable',
    refrain_error_class: 'invalid',
    refrain_attempts: '2',
    refrain_handler_version: '1.2.3',
  });
});

describe('without a broker', () => {
  const nowhere = { ...connection, brokers: ['127.0.0.1:1'] };

  it('rejects within the time-out, is not ready, and closes', async () => {
    const lost = new LogProducer(nowhere);
    const started = Date.now();
    await expect(lost.publish([testRecord('exact', 'k', 'v')], { timeoutMs: 2_000 })).rejects.toMatchObject({
      name: 'LogUnavailable',
    });
    expect(Date.now() - started).toBeLessThan(2_500);
    await expect(lost.check()).rejects.toMatchObject({ code: 'broker' });
    await lost.close();
  });

  it('a consumer is not ready and closes at once', async () => {
    const lost = new LogConsumer(nowhere, { groupId: 'lost' }, new Map([['exact', () => Promise.resolve()]]));
    lost.start();
    await expect(lost.check()).rejects.toMatchObject({ code: 'broker' });
    await lost.close();
  });
});

it('is ready while the broker answers', async () => {
  await producer.check();
  expect(await withAdmin(connection, (admin) => admin.listTopics())).toContain(`${connection.topicPrefix}exact`);
});
