// How long after a commit its event is in a reader's hand, at a low load: with the relay in the process that committed,
// and with another replica that holds the shards.
import { randomBytes } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { type Consumer, Kafka, logLevel } from 'kafkajs';
import { openPool, type Pool } from '#libs/event-store';
import { type BatchHandler, LogProducer } from '#libs/log';
import type { Figure } from '../../scripts/bench/main.mts';
import { median, rounds } from '../../scripts/bench/rounds.mts';
import { asRead, forget, heard, newProcess, newRecord, type Place, words } from './service.mts';

const EVERY_MS = 20;
const LIMIT_MS = 5;

/** Measures both ways, so many commits a round. */
export async function readable(place: Place, commits: number): Promise<Figure[]> {
  await forget(place.pool);
  const failed = Promise.withResolvers<never>();
  failed.promise.catch(() => undefined);
  const reader = await Reader.open(place, failed.reject);
  const producer = new LogProducer(place.connection);
  const holders = openPool(place.url, 'bench');

  /** What the last replica commits; the first one holds every shard, since its own word was read before the next began. */
  const delaysOf = async (pools: Pool[]): Promise<number[]> => {
    const replicas: ReturnType<typeof newProcess>[] = [];
    let delays: number[] = [];
    try {
      for (const [n, pool] of pools.entries()) {
        const replica = newProcess(pool, (records) => producer.publish(records), failed.reject);
        replicas.push(replica);
        replica.start();
        const handle = replica.handlerFor(words.name);
        await Promise.race([commitEach(handle, reader, 1), failed.promise]);
        if (n === pools.length - 1) delays = await Promise.race([commitEach(handle, reader, commits), failed.promise]);
      }
      return delays;
    } finally {
      for (const replica of replicas.reverse()) await replica.stop();
    }
  };

  const taken = { own: [] as number[][], other: [] as number[][] };
  const noted = async (who: keyof typeof taken, pools: Pool[]): Promise<number> => {
    const delays = await delaysOf(pools);
    taken[who].push(delays);
    return median(delays);
  };
  try {
    const measured = await rounds({
      own: () => noted('own', [place.pool]),
      other: () => noted('other', [holders, place.pool]),
    });
    // The first round was to warm up.
    return [
      line('commit to reader, relay in the same process', measured.own, taken.own.slice(1)),
      line('commit to reader, another replica holds the shards', measured.other, taken.other.slice(1)),
    ];
  } finally {
    await producer.close();
    await reader.close();
    await holders.end();
  }
}

function line(name: string, medians: number[], taken: number[][]): Figure {
  const all = taken.flat().sort((a, b) => a - b);
  const [p50, p99] = [median(medians), all[Math.floor(all.length * 0.99)] ?? Number.NaN];
  const spread = `${Math.min(...medians).toFixed(1)}–${Math.max(...medians).toFixed(1)}`;
  return {
    suite: 'log',
    name: `${name}, p50`,
    value: Number(p50.toFixed(2)),
    unit: 'ms',
    against: `${LIMIT_MS} ms; rounds ${spread}, p99 ${p99.toFixed(1)} of ${all.length} commits, ${EVERY_MS} ms apart`,
    ratio: Number((p50 / LIMIT_MS).toFixed(3)),
    target: `<= ${LIMIT_MS} ms`,
    ok: p50 <= LIMIT_MS,
  };
}

/** Commits words one by one; resolves to how many milliseconds after each commit its event was read. */
async function commitEach(handle: BatchHandler, reader: Reader, commits: number): Promise<number[]> {
  const delays: Promise<number>[] = [];
  for (let n = 0; n < commits; n += 1) {
    const record = newRecord();
    const read = reader.seen(record.key);
    await handle([asRead(record, 0, n)]);
    const committed = performance.now();
    delays.push(read.then((at) => at - committed));
    await pause(EVERY_MS);
  }
  return Promise.all(delays);
}

/** A plain consumer of the events. */
class Reader {
  private readonly waiting = new Map<string, (at: number) => void>();
  private readonly consumer: Consumer;

  private constructor(consumer: Consumer) {
    this.consumer = consumer;
  }

  static async open({ connection }: Place, fail: (error: Error) => void): Promise<Reader> {
    const kafka = new Kafka({ brokers: connection.brokers, logLevel: logLevel.NOTHING });
    const groupId = `${connection.topicPrefix}reader-${randomBytes(4).toString('hex')}`;
    const consumer = kafka.consumer({ groupId, maxWaitTimeInMs: 200 });
    consumer.on(consumer.events.CRASH, ({ payload }) => {
      fail(payload.error);
    });
    const reader = new Reader(consumer);
    await consumer.connect();
    await consumer.subscribe({ topic: connection.topicPrefix + heard.name, fromBeginning: true });
    await consumer.run({
      autoCommit: false,
      eachMessage: ({ message }) => {
        reader.waiting.get(message.key?.toString() ?? '')?.(performance.now());
        return Promise.resolve();
      },
    });
    return reader;
  }

  /** Resolves to when the event about this record was read. */
  seen(key: string): Promise<number> {
    return new Promise((resolve) => this.waiting.set(key, resolve));
  }

  close(): Promise<void> {
    return this.consumer.disconnect();
  }
}
