// Log → inbox → decide → append → owe, against the slower of its two halves: a plain consumer, and the handler alone.
import { randomBytes } from 'node:crypto';
import { Kafka, logLevel } from 'kafkajs';
import { type BatchHandler, LogConsumer, LogProducer } from '#libs/log';
import type { Figure } from '../../scripts/bench/main.mts';
import { median, type Party, ratioOf, rounds } from '../../scripts/bench/rounds.mts';
import { Meter } from './meter.mts';
import { asRead, forget, newProcess, newRecord, PARTITIONS, type Place, words } from './service.mts';

const CHUNK = 500; // what the consumer hands over at once
const READY = 60_000;

/** Measures the consumption of a topic of so many records. */
export async function consumption(place: Place, records: number): Promise<Figure> {
  await fill(place, records);
  const measured = await rounds({
    whole: whole(place, records),
    consumer: consumer(place, records),
    handler: handler(place, Math.min(records, READY)),
  });
  const slower = measured.consumer.map((rate, round) => Math.min(rate, measured.handler[round] ?? rate));
  const { ratio, spread } = ratioOf(measured.whole, slower);
  const rate = (of: 'consumer' | 'handler') => `${Math.round(median(measured[of]))}/s`;
  return {
    suite: 'log',
    name: 'consume, decide, append, owe',
    value: Math.round(median(measured.whole)),
    unit: 'records/s',
    against: `the slower of a kafkajs consumer alone (${rate('consumer')}) and the handler alone (${rate('handler')}); ratios ${spread}, aim 0.85`,
    ratio,
    target: '>= 0.6',
    ok: ratio >= 0.6,
  };
}

async function fill({ connection }: Place, records: number): Promise<void> {
  const producer = new LogProducer(connection);
  for (let left = records; left > 0; left -= 5_000) {
    await producer.publish(Array.from({ length: Math.min(left, 5_000) }, newRecord));
  }
  await producer.close();
}

const newGroup = () => `bench-${randomBytes(4).toString('hex')}`;

/**
 * Measures what `work` brings through the handler of a process that is not started: nothing is published and no call is
 * claimed meanwhile. `work` returns how it is ended.
 */
async function handling(
  { pool }: Place,
  meter: Meter,
  work: (handle: BatchHandler) => () => Promise<void>,
): Promise<number> {
  await forget(pool);
  const service = newProcess(pool, () => Promise.resolve(), meter.fail);
  const handle = service.handlerFor(words.name);
  const end = work(async (records) => {
    meter.begin();
    // Not thrown on: the consumer would only try again.
    await handle(records).catch(meter.fail);
    meter.note(records.length);
  });
  try {
    return await meter.rate;
  } finally {
    await end();
    await service.stop();
  }
}

const whole =
  (place: Place, records: number): Party =>
  (forMs) =>
    handling(place, new Meter(forMs, records), (handle) => {
      const log = new LogConsumer(place.connection, { groupId: newGroup() }, new Map([[words.name, handle]]));
      log.start();
      return () => log.close();
    });

const handler = (place: Place, records: number): Party => {
  const each = Math.ceil(records / PARTITIONS);
  const lanes = Array.from({ length: PARTITIONS }, (_, partition) =>
    Array.from({ length: each }, (_, offset) => asRead(newRecord(), partition, offset)),
  );
  return (forMs) => {
    const meter = new Meter(forMs, each * PARTITIONS);
    return handling(place, meter, (handle) => {
      const worked = lanes.map(async (lane) => {
        for (let from = 0; from < lane.length && !meter.over; from += CHUNK)
          await handle(lane.slice(from, from + CHUNK));
      });
      return async () => void (await Promise.all(worked));
    });
  };
};

const consumer =
  ({ connection }: Place, records: number): Party =>
  async (forMs) => {
    const meter = new Meter(forMs, records);
    const kafka = new Kafka({ brokers: connection.brokers, logLevel: logLevel.NOTHING });
    const alone = kafka.consumer({ groupId: connection.topicPrefix + newGroup(), maxWaitTimeInMs: 200 });
    alone.on(alone.events.CRASH, ({ payload }) => {
      meter.fail(payload.error);
    });
    try {
      await alone.connect();
      await alone.subscribe({ topic: connection.topicPrefix + words.name, fromBeginning: true });
      await alone.run({
        eachBatch: ({ batch }) => {
          meter.begin();
          meter.note(batch.messages.length);
          return Promise.resolve();
        },
      });
      return await meter.rate;
    } finally {
      await alone.disconnect();
    }
  };
