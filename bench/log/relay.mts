// The relay over a store full of events, with our producer, against the client alone sending the same batches.
import { Kafka, logLevel, Partitioners } from 'kafkajs';
import type { Pool } from '#libs/event-store';
import { LogProducer, type OutgoingRecord, toHeaders } from '#libs/log';
import type { Produce } from '#libs/process';
import type { Figure } from '../../scripts/bench/main.mts';
import { median, type Party, ratioOf, rounds } from '../../scripts/bench/rounds.mts';
import { Meter } from './meter.mts';
import { forget, heard, HEARD, newProcess, type Place } from './service.mts';

const PAGE = 1_000; // what the relay sends at once
const PAGES_ALONE = 20;

/** Measures the relaying of so many events, of which a page starts the clock. */
export async function relaying(place: Place, events: number): Promise<Figure> {
  await fill(place.pool, events);
  const pages: OutgoingRecord[][] = [];
  await relay(place, Math.min(PAGES_ALONE * PAGE, events), (page) => Promise.resolve(void pages.push(page)))(Infinity);
  const producer = new LogProducer(place.connection);
  try {
    const measured = await rounds({
      relay: relay(place, events, (page) => producer.publish(page)),
      alone: alone(place, events, pages),
    });
    const { ratio, spread } = ratioOf(measured.relay, measured.alone);
    return {
      suite: 'log',
      name: 'relay',
      value: Math.round(median(measured.relay)),
      unit: 'events/s',
      against: `kafkajs alone sending the same batches of ${PAGE}: ${Math.round(median(measured.alone))}/s; ratios ${spread}, aim 0.6`,
      ratio,
      target: '>= 0.4',
      ok: ratio >= 0.4,
    };
  } finally {
    await producer.close();
  }
}

async function fill(pool: Pool, events: number): Promise<void> {
  await forget(pool);
  await pool.query(
    `insert into event (position, service, stream_id, version, shard, tenant, subject, type, data, meta)
     select nextval('event_position'), 'bench', 'bench-default:contact:' || i, 1, i % 8, 'default', 'contact:' || i, $2,
       json_build_object('id', i::text, 'word', 'a word', 'n', 17, 'at', '2026-11-20T12:00:00.000Z'),
       json_build_object('rootCause', 'word-' || i, 'causedBy', 'word-' || i)
     from generate_series(1, $1::int) i`,
    [events, HEARD],
  );
  await pool.query('vacuum analyze event');
}

/** Relays the first events as a process of its own does; the clock begins when the first page was produced. */
const relay =
  ({ pool }: Place, events: number, produce: Produce): Party =>
  async (forMs) => {
    await pool.query('truncate unpublished');
    await pool.query('insert into unpublished select service, shard, position from event order by position limit $1', [
      events,
    ]);
    await pool.query('vacuum analyze unpublished');
    const meter = new Meter(forMs, events - PAGE);
    const produced: Produce = async (page) => {
      await produce(page);
      meter.note(page.length);
    };
    const service = newProcess(pool, produced, meter.fail);
    service.start();
    try {
      return await meter.rate;
    } finally {
      await service.stop();
    }
  };

const alone = ({ connection }: Place, events: number, pages: OutgoingRecord[][]): Party => {
  const batches = pages.map((page) => ({
    topic: connection.topicPrefix + heard.name,
    messages: page.map(({ key, value, envelope }) => ({ key, value, headers: toHeaders(envelope) })),
  }));
  const kafka = new Kafka({ brokers: connection.brokers, logLevel: logLevel.NOTHING });
  const createPartitioner = Partitioners.DefaultPartitioner;
  return async (forMs) => {
    const producer = kafka.producer({ allowAutoTopicCreation: false, createPartitioner });
    await producer.connect();
    const meter = new Meter(forMs, events);
    try {
      for (const batch of repeated(batches)) {
        if (meter.over) break;
        await producer.sendBatch({ acks: -1, topicMessages: [batch] });
        meter.note(batch.messages.length);
      }
      return await meter.rate;
    } finally {
      await producer.disconnect();
    }
  };
};

function* repeated<T>(all: readonly T[]): Generator<T> {
  for (;;) yield* all;
}
