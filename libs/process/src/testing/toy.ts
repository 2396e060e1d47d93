import { randomUUID } from 'node:crypto';
import { catalog, type ChainLane, type EventOf } from '#libs/contracts';
import type { IncomingRecord, OutgoingRecord } from '#libs/log';
import { z } from 'zod';
import type { Decider } from '../decider';
import { type ProcessDefinition, UnreadableRecord } from '../definition';
import type { EffectKind } from '../effect-kind';
import { streamIdOf } from '../stream-id';

/** A service as small as one can be: it notes words, calls for each, and notes what the calls brought. */
export const toyEvents = catalog('toy', 'toy.events.v1', {
  WordHeard: { wire: 'refrain.word.heard.v1', data: z.object({ word: z.string(), n: z.int() }) },
  WordAnswered: { wire: 'refrain.word.answered.v1', data: z.object({ n: z.int(), answer: z.string() }) },
});
export type ToyEvent = EventOf<typeof toyEvents>;

export type ToyInput =
  | { type: 'word'; word: string; orderKey?: string; correlate?: string; speaksOf?: string }
  | { type: 'answer'; n: number; answer: string }
  | { type: 'callback'; word: string };

/** How many words were heard. */
export type ToyState = number;

const toyDecider = (fixed: boolean): Decider<ToyState, ToyEvent, ToyInput> => ({
  initial: 0,
  evolve: (heard, event) => (event.type === 'WordHeard' ? heard + 1 : heard),
  decide(heard, input) {
    if (input.type === 'answer') {
      return { events: [{ type: 'WordAnswered', data: { n: input.n, answer: input.answer } }] };
    }
    if (input.word === 'bug' && !fixed) throw new TypeError('a bug in decide');
    const n = heard + 1;
    const correlate =
      input.type === 'word' && input.correlate ? { vendor: 'toy', externalId: input.correlate } : undefined;
    return {
      events: [{ type: 'WordHeard', data: { word: input.word, n } }],
      effects:
        input.type === 'word'
          ? [
              {
                kind: 'toy.call',
                purpose: `call-${String(n)}`,
                request: { word: input.word, n },
                orderKey: input.orderKey,
              },
            ]
          : [],
      correlate,
      ...(input.type === 'word' && input.speaksOf !== undefined ? { subject: input.speaksOf } : {}),
    };
  },
});

export const TOY_TOPIC = 'toy.words.v1';

const word = z.object({
  word: z.string(),
  orderKey: z.string().optional(),
  correlate: z.string().optional(),
  speaksOf: z.string().optional(),
  callbackOf: z.string().optional(),
  undated: z.boolean().optional(),
});

/** The toy's definition; `service` is its name, so that tests do not meet. Only the fixed one bears the word "bug". */
export const toyProcess = (
  service = 'toy-service',
  fixed = false,
): ProcessDefinition<ToyState, ToyEvent, ToyInput> => ({
  service,
  catalog: toyEvents,
  decider: toyDecider(fixed),
  routes: {
    [TOY_TOPIC]({ envelope, value, hash }) {
      const parsed = word.safeParse(value);
      if (!parsed.success) throw new UnreadableRecord('not a word');
      const { callbackOf, undated, ...input } = parsed.data;
      const target = (streamId: string) => ({ streamId, tenant: envelope.tenant, subject: envelope.subject });
      const [type = '', id = ''] = envelope.subject.split(':');
      const streamId = streamIdOf({ context: 'toy', tenant: envelope.tenant, record: { type, id }, name: '' });
      if (callbackOf !== undefined) {
        return {
          inbox: { key: envelope.id, received: envelope.time },
          targets: [],
          awaits: {
            tenant: envelope.tenant,
            vendor: 'toy',
            externalId: callbackOf,
            target: (found) => ({ ...target(found), input: { type: 'callback', word: input.word } }),
          },
        };
      }
      return {
        inbox: undated ? { key: hash, received: envelope.time } : { key: envelope.id, day: envelope.time.slice(0, 10) },
        targets: [{ ...target(streamId), input: { type: 'word', ...input } }],
      };
    },
  },
  outcome: ({ state, answer, code, purpose }) => ({
    type: 'answer',
    n: Number(purpose.split('-')[1]),
    answer: state === 'done' ? String(answer) : `${state}: ${code ?? ''}`,
  }),
});

/** A record of the toy's topic. */
export function wordRecord(
  subject: string,
  value: z.infer<typeof word> | string,
  over: { id?: string; time?: string; lane?: ChainLane } = {},
): IncomingRecord {
  const id = over.id ?? randomUUID();
  return {
    topic: TOY_TOPIC,
    partition: 0,
    offset: '0',
    timestamp: Date.now(),
    key: `default:${subject}`,
    value: Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)),
    headers: {},
    envelope: {
      id,
      source: '/toy',
      type: 'refrain.word.said.v1',
      subject,
      time: over.time ?? new Date().toISOString(),
      tenant: 'default',
      correlationid: id,
      ...(over.lane ? { lane: over.lane } : {}),
    },
  };
}

/** Notes what was published, in order, and lets a test wait for it. */
export class Published {
  readonly records: OutgoingRecord[] = [];
  private looks: (() => void)[] = [];

  readonly produce = (records: OutgoingRecord[]): Promise<void> => {
    this.records.push(...records);
    this.looks.forEach((look) => {
      look();
    });
    return Promise.resolve();
  };

  /** The published events of a subject, as type and data. */
  of(subject: string): { type: string; data: unknown }[] {
    return this.records
      .filter((record) => record.envelope.subject === subject)
      .map((record) => ({ type: record.envelope.type, data: JSON.parse(record.value.toString()) as unknown }));
  }

  until(holds: () => boolean): Promise<void> {
    return new Promise((resolve) => {
      const look = () => {
        if (!holds()) return;
        this.looks = this.looks.filter((other) => other !== look);
        resolve();
      };
      this.looks.push(look);
      look();
    });
  }
}

/** The toy's one effect, performed by `perform`. */
export const toyCall = (
  perform: EffectKind['perform'],
  over: Partial<EffectKind> = {},
): Record<string, EffectKind> => ({
  'toy.call': { is: 'command', deadlineMs: 2_000, maxAttempts: 3, maxRepeats: 1, perform, ...over },
});
