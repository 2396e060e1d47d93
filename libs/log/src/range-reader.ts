import { randomUUID } from 'node:crypto';
import type { Consumer, EachBatchPayload } from 'kafkajs';
import { kafkaOf, type LogConnection, withAdmin } from './client';
import { incomingRecord } from './incoming';
import type { IncomingRecord } from './record';

/** Which part of a topic is read: between two times (epoch milliseconds), or between offsets by partition. */
export interface TopicRange {
  topic: string;
  fromMs?: number;
  toMs?: number;
  /** First offset and the one after the last, by partition; partitions that are not named are left out. */
  offsets?: Record<string, [string, string]>;
}

/** First offset to read and the one after the last, by partition. */
export type Bounds = Map<number, { next: bigint; end: bigint }>;

/** Turns a range into offsets, as the broker has them now; what is deleted already is not there. */
export async function boundsOf(connection: LogConnection, range: TopicRange): Promise<Bounds> {
  const topic = (connection.topicPrefix ?? '') + range.topic;
  return withAdmin(connection, async (admin) => {
    const present = await admin.fetchTopicOffsets(topic);
    const starts = range.fromMs === undefined ? [] : await admin.fetchTopicOffsetsByTimestamp(topic, range.fromMs);
    const ends = range.toMs === undefined ? [] : await admin.fetchTopicOffsetsByTimestamp(topic, range.toMs);
    const at = (list: { partition: number; offset: string }[], partition: number) =>
      list.find((entry) => entry.partition === partition)?.offset;
    const bounds: Bounds = new Map();
    for (const { partition, low, high } of present) {
      const given = range.offsets?.[String(partition)];
      if (range.offsets && !given) continue;
      const next = max(BigInt(low), BigInt(given?.[0] ?? at(starts, partition) ?? low));
      const end = min(BigInt(high), BigInt(given?.[1] ?? at(ends, partition) ?? high));
      if (next < end) bounds.set(partition, { next, end });
    }
    return bounds;
  });
}

// A handler may take its time: meanwhile the group must know that its member lives.
const HEARTBEAT_MS = 2_000;

/**
 * Reads a part of a topic once, beside all consumer groups: no offset of theirs moves. Hands over the records of one
 * partition at a time, in order; resolves when all bounds are reached, rejects with what `onRecords` rejected.
 */
export async function readRange(
  connection: LogConnection,
  topic: string,
  bounds: Bounds,
  onRecords: (records: IncomingRecord[]) => Promise<void>,
): Promise<void> {
  if (bounds.size === 0) return;
  const groupId = `${connection.topicPrefix ?? ''}refrain-range-${randomUUID()}`;
  const consumer = kafkaOf(connection).consumer({ groupId, maxWaitTimeInMs: 200, allowAutoTopicCreation: false });
  try {
    await consumer.connect();
    await consumer.subscribe({ topic: (connection.topicPrefix ?? '') + topic, fromBeginning: true });
    await runToBounds(consumer, connection, topic, bounds, onRecords);
  } finally {
    await consumer.disconnect();
    await withAdmin(connection, (admin) => admin.deleteGroups([groupId])).catch(() => {
      // The broker forgets an empty group by itself.
    });
  }
}

function runToBounds(
  consumer: Consumer,
  connection: LogConnection,
  topic: string,
  bounds: Bounds,
  onRecords: (records: IncomingRecord[]) => Promise<void>,
): Promise<void> {
  const prefix = connection.topicPrefix ?? '';
  const open = new Map([...bounds].map(([partition, { next, end }]) => [partition, { next, end }]));
  return new Promise((resolve, reject) => {
    const take = async ({ batch, heartbeat }: EachBatchPayload): Promise<void> => {
      const bound = open.get(batch.partition);
      if (!bound) return;
      const records = batch.messages
        .filter((message) => BigInt(message.offset) >= bound.next && BigInt(message.offset) < bound.end)
        .map((message) => incomingRecord(topic, batch.partition, message));
      const beat = setInterval(() => void heartbeat().catch(() => undefined), HEARTBEAT_MS);
      await (records.length > 0 ? onRecords(records) : Promise.resolve()).finally(() => {
        clearInterval(beat);
      });
      await heartbeat();
      bound.next = max(bound.next, BigInt(batch.lastOffset()) + 1n);
      if (bound.next < bound.end) return;
      open.delete(batch.partition);
      consumer.pause([{ topic: prefix + topic, partitions: [batch.partition] }]);
      if (open.size === 0) resolve();
    };
    consumer.on(consumer.events.CRASH, ({ payload }) => {
      reject(payload.error);
    });
    consumer
      .run({ autoCommit: false, eachBatch: (payload) => take(payload).catch(reject) })
      .then(() => {
        for (const [partition, { next }] of open) {
          consumer.seek({ topic: prefix + topic, partition, offset: String(next) });
        }
      })
      .catch(reject);
  });
}

const max = (a: bigint, b: bigint): bigint => (a > b ? a : b);
const min = (a: bigint, b: bigint): bigint => (a < b ? a : b);
