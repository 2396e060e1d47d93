// The service that is measured: each word is about a stream of its own, appends one event and owes one call that nobody
// here performs.
import { randomUUID } from 'node:crypto';
import { catalog, type EventOf, recordKey, type TopicSpec } from '#libs/contracts';
import type { Pool } from '#libs/event-store';
import type { IncomingRecord, LogConnection, OutgoingRecord } from '#libs/log';
import { Process, type ProcessDefinition, type Produce, streamIdOf } from '#libs/process';
import { z } from 'zod';

export const PARTITIONS = 3;

/** Where a suite measures: topics, groups and tables that are its own. */
export interface Place {
  connection: LogConnection & { topicPrefix: string };
  pool: Pool;
  url: string;
}

const topic = (name: string): TopicSpec => ({ name, partitions: PARTITIONS, retentionMs: 86_400_000, says: name });
export const words = topic('bench.words.v1');
export const heard = topic('bench.events.v1');

export const HEARD = 'refrain.word.heard.v1';
const data = z.object({ id: z.string(), word: z.string(), n: z.int(), at: z.string() });
const events = catalog('bench', heard.name, { WordHeard: { wire: HEARD, data } });
type Event = EventOf<typeof events>;
const word = z.object({ ...data.shape, note: z.string() });

const definition: ProcessDefinition<'none' | 'heard', Event, z.infer<typeof data>> = {
  service: 'bench',
  catalog: events,
  decider: {
    initial: 'none',
    evolve: () => 'heard',
    decide: (state, input) =>
      state === 'heard'
        ? { events: [] }
        : {
            events: [{ type: 'WordHeard', data: input }],
            effects: [{ kind: 'bench.call', purpose: 'call', request: input }],
          },
  },
  routes: {
    [words.name]({ envelope, value }) {
      const { note: _, ...input } = word.parse(value);
      const { tenant, subject } = envelope;
      const streamId = streamIdOf({ context: 'bench', tenant, record: { type: 'contact', id: input.id }, name: '' });
      return {
        inbox: { key: envelope.id, day: envelope.time.slice(0, 10) },
        targets: [{ streamId, tenant, subject, input }],
      };
    },
  },
  outcome: () => {
    throw new Error('nothing is performed, so nothing ends');
  },
};

/** One replica of the service, not started; `fail` hears of all that must not happen in a measurement. */
export function newProcess(pool: Pool, produce: Produce, fail: (error: unknown) => void) {
  return new Process(definition, {
    pool,
    produce,
    deadLetter: (_, error) => Promise.reject(error),
    effects: {},
    concurrency: 1,
    onError: fail,
    onParked: (_, error) => {
      fail(error);
    },
  });
}

/** A new word: about a kilobyte with its headers. */
export function newRecord(): OutgoingRecord {
  const id = randomUUID();
  const subject = `contact:${id}`;
  const time = '2026-11-20T12:00:00.000Z';
  const value = {
    id,
    word: 'a word',
    n: 17,
    at: time,
    note: 'some words of a usual length, give or take. '.repeat(16),
  };
  return {
    topic: words.name,
    key: recordKey('default', subject),
    value: Buffer.from(JSON.stringify(value)),
    envelope: {
      id: `word-${id}`,
      source: '/bench',
      type: 'refrain.word.said.v1',
      subject,
      time,
      tenant: 'default',
      correlationid: `word-${id}`,
    },
  };
}

/** The same record as its reader gets it. */
export const asRead = (record: OutgoingRecord, partition: number, offset: number): IncomingRecord => ({
  ...record,
  partition,
  offset: String(offset),
  timestamp: Date.parse(record.envelope.time),
  headers: {},
});

/** Forgets all that was decided. */
export const forget = (pool: Pool) => pool.query('truncate event, unpublished, inbox, effect');
