// How fast a dry run goes over a million records with their streams and receipts, against the slower of its two halves
// alone: a plain consumer of the topic, and the batched reads with the COPY of the plan's items. And whether its memory
// grows on the way. `--records N` takes fewer.
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { randomBytes } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { Kafka, logLevel } from 'kafkajs';
import pg from 'pg';
import type { Figure } from '../scripts/bench/main.mts';
import { freshDatabase } from './support/database.mts';
import {
  addReplayPage,
  ledgerOf,
  marksOf,
  openPool,
  type Pool,
  readStreams,
  replayOf,
  requestReplay,
} from '#libs/event-store';
import { boundsOf, type IncomingRecord, LogProducer, readRange } from '#libs/log';
import { Process } from '#libs/process';
import { benchEffects, benchProcess, BENCH_TOPIC, seed, valueOf } from './replay-service.mts';

const ROUNDS = 5;
const ROUND = 100_000;
const PAGE = 1_000;
const PARTITIONS = 4;

interface Place {
  brokers: string[];
  topicPrefix: string;
  url: string;
}

if (process.argv[2] === 'plan') await planAll(JSON.parse(process.argv[3] ?? '') as Place);

/** Times dry runs of parts of the topic against their halves, then makes one plan of all of it. */
export async function suite(
  infra: { kafkaBrokers: string; databaseUrl: string },
  figure: (f: Figure) => void,
  { records = 1_000_000 }: { records?: number } = {},
): Promise<void> {
  const prefix = `bench-${randomBytes(4).toString('hex')}.`;
  const { url, drop } = await freshDatabase(infra.databaseUrl);
  const place: Place = { brokers: infra.kafkaBrokers.split(','), topicPrefix: prefix, url };
  const admin = new Kafka({ brokers: place.brokers, logLevel: logLevel.NOTHING }).admin();
  await admin.connect();
  try {
    await admin.createTopics({ topics: [{ topic: prefix + BENCH_TOPIC, numPartitions: PARTITIONS }] });
    await fill(place, records);
    figure(await speed(place));
    figure(await memory(place, records));
  } finally {
    await admin.deleteTopics({ topics: [prefix + BENCH_TOPIC] }).catch(() => undefined);
    await admin.disconnect();
    await drop();
  }
}

async function fill({ url, ...connection }: Place, count: number): Promise<void> {
  const producer = new LogProducer({ ...connection, clientId: 'bench' });
  for (let from = 0; from < count; from += 5_000) {
    const numbers = Array.from({ length: Math.min(5_000, count - from) }, (_, i) => from + i);
    await producer.publish(numbers.map((n) => ({ topic: BENCH_TOPIC, key: `default:contact:${n}`, ...valueOf(n) })));
  }
  await producer.close();
  const pool = new pg.Pool({ connectionString: url, max: 1 });
  for (const statement of seed(count)) await pool.query(statement);
  await pool.query('vacuum analyze');
  await pool.end();
}

type Offsets = Record<string, [string, string]>;

/** The rounds' parts of the topic, each as long as the others. */
async function parts(place: Place): Promise<Offsets[]> {
  const bounds = await boundsOf(connectionOf(place), { topic: BENCH_TOPIC });
  return Array.from({ length: ROUNDS }, (_, round) =>
    Object.fromEntries(
      [...bounds].map(([partition, { next, end }]) => {
        const each = BigInt(Math.min(Math.floor(ROUND / PARTITIONS), Math.floor(Number(end - next) / ROUNDS)));
        const first = next + each * BigInt(round);
        return [String(partition), [String(first), String(first + each)] as [string, string]];
      }),
    ),
  );
}

async function speed(place: Place): Promise<Figure> {
  const pool = openPool(place.url, 'bench', 8);
  const service = start(place, pool);
  const rates: { plan: number; consumer: number; store: number }[] = [];
  for (const [round, offsets] of (await parts(place)).entries()) {
    const many = Object.values(offsets).reduce((sum, [first, end]) => sum + Number(end) - Number(first), 0);
    const records = await collect(place, offsets);
    const measured = { plan: 0, consumer: 0, store: 0 };
    const parties: (keyof typeof measured)[] = ['plan', 'consumer', 'store'];
    const turns = { plan, consumer: consume, store: () => halfOfStore(pool, records) };
    for (let turn = 0; turn < parties.length; turn += 1) {
      const party = parties[(round + turn) % parties.length] ?? 'plan';
      const begun = performance.now();
      await turns[party](place, offsets, pool);
      measured[party] = (many / (performance.now() - begun)) * 1_000;
    }
    rates.push(measured);
  }
  await service.stop();
  await pool.end();
  const ratios = rates.map(({ plan, consumer, store }) => plan / Math.min(consumer, store)).sort((a, b) => a - b);
  const ratio = ratios[Math.floor(ratios.length / 2)] ?? 0;
  const median = (of: 'plan' | 'consumer' | 'store') =>
    Math.round(rates.map((rate) => rate[of]).sort((a, b) => a - b)[Math.floor(ROUNDS / 2)] ?? 0);
  return {
    suite: 'replay',
    name: 'dry run',
    value: median('plan'),
    unit: 'records/s',
    against: `the slower of a kafkajs consumer alone (${median('consumer')}/s) and the reads with the COPY alone (${median('store')}/s); ${ROUNDS} rounds, ratios ${ratios.map((r) => r.toFixed(2)).join(' ')}`,
    ratio: Number(ratio.toFixed(3)),
    target: '>= 0.5',
    ok: ratio >= 0.5,
  };
}

function connectionOf({ brokers, topicPrefix }: Place) {
  return { brokers, topicPrefix, clientId: 'bench' };
}

/** The service that makes the plans; `onRecords` hears of each page that it reads. */
function start(place: Place, pool: Pool, onRecords: (n: number) => void = () => undefined) {
  const connection = connectionOf(place);
  const service = new Process(benchProcess, {
    pool,
    produce: () => Promise.resolve(),
    deadLetter: () => Promise.resolve(),
    effects: benchEffects,
    concurrency: 1,
    log: {
      bounds: (range) => boundsOf(connection, range),
      read: (topic, bounds, take) =>
        readRange(connection, topic, bounds, async (records) => {
          await take(records);
          onRecords(records.length);
        }),
    },
    onError: (error) => {
      throw error;
    },
    onParked: () => undefined,
  });
  service.start();
  return service;
}

async function plan(_: Place, offsets: Offsets | undefined, pool: Pool): Promise<void> {
  const asked = { service: benchProcess.service, topic: BENCH_TOPIC, selection: { offsets }, by: 'bench' };
  const id = await requestReplay(pool, asked);
  for (;;) {
    const replay = await replayOf(pool, id);
    if (replay?.state === 'failed') throw new Error(replay.error);
    if (replay?.state === 'planned') return;
    await pause(20);
  }
}

async function consume({ brokers, topicPrefix }: Place, offsets: Offsets): Promise<void> {
  const topic = topicPrefix + BENCH_TOPIC;
  const kafka = new Kafka({ brokers, logLevel: logLevel.NOTHING });
  const consumer = kafka.consumer({ groupId: `bench-${randomBytes(4).toString('hex')}`, maxWaitTimeInMs: 200 });
  await consumer.connect();
  await consumer.subscribe({ topic, fromBeginning: true });
  const open = new Set(Object.keys(offsets));
  const ended = Promise.withResolvers<undefined>();
  await consumer.run({
    autoCommit: false,
    eachBatch: ({ batch }) => {
      if (BigInt(batch.lastOffset()) + 1n >= BigInt(offsets[batch.partition]?.[1] ?? 0)) {
        open.delete(String(batch.partition));
        consumer.pause([{ topic, partitions: [batch.partition] }]);
      }
      if (open.size === 0) ended.resolve(undefined);
      return Promise.resolve();
    },
  });
  for (const [partition, [first]] of Object.entries(offsets)) {
    consumer.seek({ topic, partition: Number(partition), offset: first });
  }
  await ended.promise;
  await consumer.disconnect();
}

async function collect(place: Place, offsets: Offsets): Promise<IncomingRecord[]> {
  const connection = connectionOf(place);
  const records: IncomingRecord[] = [];
  await readRange(connection, BENCH_TOPIC, await boundsOf(connection, { topic: BENCH_TOPIC, offsets }), (page) => {
    for (const record of page) records.push(record);
    return Promise.resolve();
  });
  return records;
}

// The reads of a page beside the writing of the one before it, as a plan makes them, with nothing decided in between.
async function halfOfStore(pool: Pool, records: IncomingRecord[]): Promise<void> {
  const id = await requestReplay(pool, { service: 'nobody', topic: BENCH_TOPIC, selection: {}, by: 'bench' });
  let written = Promise.resolve(true);
  for (let from = 0; from < records.length; from += PAGE) {
    const page = records.slice(from, from + PAGE);
    const streams = page.map(({ envelope }) => `bench-default:${envelope?.subject ?? ''}`);
    const marks = page.map(({ envelope }) => ({ key: envelope?.id ?? '', day: '2026-11-20' }));
    await Promise.all([readStreams(pool, streams), ledgerOf(pool, streams), marksOf(pool, 'bench', marks)]);
    await written;
    const added = page.map(({ topic, partition, offset, value, envelope }) => ({
      source: `${topic}/${partition}/${offset}`,
      subject: `default:${envelope?.subject ?? ''}`,
      body: { topic, value: value.toString('base64'), envelope },
      plan: { then: 'same', events: [], effects: [{ kind: 'bench.look', slot: streams[0], verdict: 'skipped' }] },
    }));
    const to = from + page.length;
    const now = { from, to, total: records.length, items: from, offsets: {}, added, simulated: new Map() };
    written = addReplayPage(pool, id, now);
  }
  await written;
}

// One plan of everything in a process of its own, looked at from the inside.
async function memory(place: Place, count: number): Promise<Figure> {
  const child = fork(fileURLToPath(import.meta.url), ['plan', JSON.stringify(place)]);
  const exited = once(child, 'exit');
  const told = await Promise.race([once(child, 'message'), exited.then(() => undefined)]);
  if (!told) throw new Error('the process that planned ended before it said anything');
  await exited;
  const [samples] = told as [[number, number][]];
  const most = (of: [number, number][]) => Math.max(...of.map(([, rss]) => rss));
  const part = count / 10;
  const first = most(samples.filter(([n]) => n <= part));
  const last = most(samples.filter(([n]) => n > count - part));
  const ratio = last / first;
  const mib = (bytes: number) => Math.round(bytes / 1_048_576);
  return {
    suite: 'replay',
    name: 'resident memory at the end of a plan',
    value: mib(last),
    unit: 'MiB',
    against: `its most in the first ${part} of ${count} records: ${mib(first)} MiB`,
    ratio: Number(ratio.toFixed(3)),
    target: '< 1.1',
    ok: ratio < 1.1 && samples.at(-1)?.[0] === count,
  };
}

async function planAll(place: Place): Promise<void> {
  const pool = openPool(place.url, 'bench', 8);
  const samples: [number, number][] = [];
  let seen = 0;
  const service = start(place, pool, (n) => {
    seen += n;
    samples.push([seen, process.memoryUsage.rss()]);
  });
  await plan(place, undefined, pool);
  await new Promise((resolve) => process.send?.(samples, resolve));
  process.disconnect();
  await service.stop();
  await pool.end();
}
