// A service of one file that hears words and makes one call for each, which it prints as "called <word> <key>". Its
// `decide` ends or hangs the process at the words "kill" and "hang", its route at "route kill" and "route hang", unless
// DECIDES=safely. It stops in order at SIGTERM.
import { catalog, type EventOf } from '#libs/contracts';
import { openPool } from '#libs/event-store';
import { boundsOf, deadLetter, LogConsumer, LogProducer, readRange } from '#libs/log';
import { deadLetterOf, type Decision, Process, type ProcessDefinition, streamIdOf } from '#libs/process';
import { z } from 'zod';

const { KAFKA_BROKERS = '', DATABASE_URL = '', TOPIC_PREFIX = '', DECIDES } = process.env;
const service = 'word-service';
const words = 'word.sayings.v1';

const events = catalog('word', 'word.events.v1', {
  WordHeard: { wire: 'refrain.word.heard.v1', data: z.object({ word: z.string() }) },
  WordCalled: { wire: 'refrain.word.called.v1', data: z.object({ word: z.string() }) },
});
type WordEvent = EventOf<typeof events>;
type WordInput = { type: 'said' | 'called'; word: string };

function meet(deed: string) {
  if (DECIDES === 'safely') return;
  if (deed === 'kill') process.kill(process.pid, 'SIGKILL');
  // The signal to itself may take a moment.
  while (deed === 'kill' || deed === 'hang');
}

function decide({ type, word }: WordInput): Decision<WordEvent> {
  if (type === 'called') return { events: [{ type: 'WordCalled', data: { word } }] };
  meet(word);
  return {
    events: [{ type: 'WordHeard', data: { word } }],
    effects: [{ kind: 'word.call', purpose: word, request: { word } }],
  };
}

const definition: ProcessDefinition<number, WordEvent, WordInput> = {
  service,
  catalog: events,
  decider: {
    initial: 0,
    evolve: (heard) => heard + 1,
    decide: (_, input) => decide(input),
  },
  routes: {
    [words]: ({ envelope, value }) => {
      const { tenant, subject } = envelope;
      const [type = '', id = ''] = subject.split(':');
      const streamId = streamIdOf({ context: 'word', tenant, record: { type, id }, name: '' });
      const { word } = z.object({ word: z.string() }).parse(value);
      if (word.startsWith('route ')) meet(word.slice('route '.length));
      return {
        inbox: { key: envelope.id, day: envelope.time.slice(0, 10) },
        targets: [{ streamId, tenant, subject, input: { type: 'said', word } }],
      };
    },
  },
  outcome: ({ purpose }) => ({ type: 'called', word: purpose }),
};

const tell = (what: string) => process.stdout.write(`${what}\n`);
const lines = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };
const connection = { brokers: KAFKA_BROKERS.split(','), clientId: service, topicPrefix: TOPIC_PREFIX, lines };
const pool = openPool(DATABASE_URL, service);
const producer = new LogProducer(connection);
const running = new Process(definition, {
  pool,
  produce: (records) => producer.publish(records),
  deadLetter: (record, error) => deadLetter(producer, deadLetterOf(service, '1.0.0', record, error)),
  log: {
    bounds: (range) => boundsOf(connection, range),
    read: (topic, bounds, onRecords) => readRange(connection, topic, bounds, onRecords),
  },
  effects: {
    'word.call': {
      is: 'command',
      deadlineMs: 2_000,
      maxAttempts: 3,
      maxRepeats: 1,
      // The vendor of this service is whoever reads its output.
      perform: ({ word }: { word: string }, { idempotencyKey }) => {
        tell(`called ${word} ${idempotencyKey}`);
        return Promise.resolve({ outcome: 'done', value: word });
      },
    },
  },
  concurrency: 10,
  decideLimitMs: 1_000,
  onError: (error, loop) => tell(`error in ${loop}: ${error instanceof Error ? error.message : 'unknown'}`),
  onParked: (key) => tell(`parked ${key}`),
});
running.start();
const consumer = new LogConsumer(connection, { groupId: service }, new Map([[words, running.handlerFor(words)]]));
consumer.start();

process.once('SIGTERM', () => {
  void (async () => {
    await consumer.close();
    await running.stop();
    await producer.close();
    await pool.end();
    tell('stopped');
    process.exit(0);
  })();
});
