// The service whose records are replayed: a wish is noted and looked up once; one in a hundred has never been looked up.
import { catalog, type EventOf } from '#libs/contracts';
import { type EffectKind, type ProcessDefinition, streamIdOf } from '#libs/process';
import { z } from 'zod';

export const BENCH_TOPIC = 'bench.wishes.v1';

const events = catalog('bench', 'bench.events.v1', {
  WishHeard: { wire: 'refrain.wish.heard.v1', data: z.object({ id: z.int() }) },
  WishNoted: { wire: 'refrain.wish.noted.v1', data: z.object({ id: z.int(), name: z.string(), city: z.string() }) },
});
type Event = EventOf<typeof events>;
type Input = { type: 'wish'; id: number } | { type: 'looked-up'; id: number; name: string; city: string };
type Wish = 'none' | 'heard' | 'noted';

const wish = z.object({ id: z.int(), note: z.string() });

export const benchProcess: ProcessDefinition<Wish, Event, Input> = {
  service: 'bench',
  catalog: events,
  decider: {
    initial: 'none',
    evolve: (_, event) => (event.type === 'WishHeard' ? 'heard' : 'noted'),
    decide(state, input) {
      if (input.type === 'looked-up') {
        const { id, name, city } = input;
        return { events: state === 'heard' ? [{ type: 'WishNoted', data: { id, name, city } }] : [] };
      }
      const look = { kind: 'bench.look', purpose: 'look', request: { id: input.id } };
      return { events: state === 'none' ? [{ type: 'WishHeard', data: { id: input.id } }] : [], effects: [look] };
    },
  },
  routes: {
    [BENCH_TOPIC]({ envelope, value }) {
      const { id } = wish.parse(value);
      const { tenant, subject } = envelope;
      const streamId = streamIdOf({ context: 'bench', tenant, record: { type: 'contact', id: String(id) }, name: '' });
      return {
        inbox: { key: envelope.id, day: envelope.time.slice(0, 10) },
        targets: [{ streamId, tenant, subject, input: { type: 'wish', id } }],
      };
    },
  },
  outcome: ({ rootCause, answer }) => ({
    type: 'looked-up',
    id: Number(rootCause.split('-')[1]),
    ...(answer as { name: string; city: string }),
  }),
};

export const benchEffects: Record<string, EffectKind> = {
  'bench.look': {
    is: 'command',
    deadlineMs: 1_000,
    maxAttempts: 1,
    maxRepeats: 0,
    plan: { answer: () => ({ name: 'Ada', city: 'Paris' }), cost: () => ({ apiCalls: 1 }), follows: () => ({}) },
    perform: () => Promise.reject(new Error('a dry run performs nothing')),
  },
};

/** A record of the topic: about half a kilobyte. */
export const valueOf = (id: number) => ({
  value: Buffer.from(JSON.stringify({ id, note: 'some words of a usual length, give or take. '.repeat(8) })),
  envelope: {
    id: `wish-${id}`,
    source: '/bench',
    type: 'refrain.wish.made.v1',
    subject: `contact:${id}`,
    time: '2026-11-20T12:00:00.000Z',
    tenant: 'default',
    correlationid: `wish-${id}`,
  },
});

const META = `json_build_object('rootCause', 'wish-' || i, 'causedBy', 'wish-' || i)`;

/** What the store has of so many records, as statements. */
export const seed = (records: number): string[] => [
  `insert into event (position, service, stream_id, version, shard, tenant, subject, type, data, meta)
   select nextval('event_position'), 'bench', 'bench-default:contact:' || i, 1, 0, 'default', 'contact:' || i,
     'refrain.wish.heard.v1', json_build_object('id', i), ${META} from generate_series(0, ${records - 1}) i`,
  `insert into event (position, service, stream_id, version, shard, tenant, subject, type, data, meta)
   select nextval('event_position'), 'bench', 'bench-default:contact:' || i, 2, 0, 'default', 'contact:' || i,
     'refrain.wish.noted.v1', json_build_object('id', i, 'name', 'Ada', 'city', 'Paris'), ${META}
   from generate_series(0, ${records - 1}) i where i % 100 > 0`,
  `insert into inbox (service, key, day, decided)
   select 'bench', 'wish-' || i, '2026-11-20',
     json_build_array(json_build_object('stream', 'bench-default:contact:' || i, 'version', 0))
   from generate_series(0, ${records - 1}) i`,
  `insert into effect (service, slot, generation, tenant, subject, stream_id, kind, purpose, root_cause, request,
     request_hash, meta, state, answer, settled_at)
   select 'bench', 'default|bench.look|bench-default:contact:' || i || '|look|wish-' || i, 1, 'default', 'contact:' || i,
     'bench-default:contact:' || i, 'bench.look', 'look', 'wish-' || i, json_build_object('id', i),
     encode(sha256(convert_to('{"id":' || i || '}', 'UTF8')), 'hex'), ${META}, 'done', '{"name":"Ada","city":"Paris"}',
     refrain_now()
   from generate_series(0, ${records - 1}) i where i % 100 > 0`,
];
