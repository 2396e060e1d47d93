import { catalog, type EventOf } from '#libs/contracts';
import { StoreUnavailable } from '#libs/event-store';
import type { IncomingRecord } from '#libs/log';
import { z } from 'zod';
import type { Decider, Owed } from '../decider';
import type { ProcessDefinition } from '../definition';
import type { EffectKind } from '../effect-kind';
import { streamIdOf } from '../stream-id';

const cause = z.object({ cause: z.string() });

/** A service for the protocol's model: each wish looks an address up, and sends one letter in its subject's order. */
export const letterEvents = catalog('letters', 'letters.events.v1', {
  LetterWished: { wire: 'refrain.letter.wished.v1', data: cause },
  LetterAddressed: { wire: 'refrain.letter.addressed.v1', data: cause },
  LetterSent: { wire: 'refrain.letter.sent.v1', data: cause },
  LetterGivenUp: { wire: 'refrain.letter.given-up.v1', data: cause },
});
type LetterEvent = EventOf<typeof letterEvents>;

type LetterInput =
  | { type: 'wish'; cause: string; who: string }
  | { type: 'address'; cause: string; stream: string }
  | { type: 'sent'; cause: string }
  | { type: 'failed'; cause: string };

type Letters = Readonly<Record<string, LetterEvent['type']>>;

export const LETTER_TOPIC = 'letters.wishes.v1';

/** Today's code: whether it bears the name "bug", and whether the database goes away while it decides. */
export interface LetterCode {
  mended: boolean;
  cut: boolean;
}

// Every wish that is decided is an event, so that a second decision shows.
const letterDecider = (code: LetterCode): Decider<Letters, LetterEvent, LetterInput> => ({
  initial: {},
  evolve: (letters, { type, data }) =>
    type === 'LetterWished' && letters[data.cause] ? letters : { ...letters, [data.cause]: type },
  decide(letters, input) {
    if (code.cut) throw new StoreUnavailable({ cause: 'cut on purpose' });
    const { cause } = input;
    const status = letters[cause];
    const data = { cause };
    if (input.type === 'wish') {
      if (input.who === 'bug' && !code.mended) throw new TypeError('a bug in decide');
      const look: Owed = { kind: 'letters.look', purpose: 'look', request: { who: input.who } };
      return { events: [{ type: 'LetterWished', data }], effects: [look] };
    }
    if (input.type === 'address') {
      const send: Owed = { kind: 'letters.send', purpose: 'send', request: { cause }, orderKey: input.stream };
      return { events: status === 'LetterWished' ? [{ type: 'LetterAddressed', data }] : [], effects: [send] };
    }
    if (status === 'LetterSent') return { events: [] };
    return { events: [{ type: input.type === 'sent' ? 'LetterSent' : 'LetterGivenUp', data }] };
  },
});

export const letterProcess = (
  service: string,
  code: LetterCode,
): ProcessDefinition<Letters, LetterEvent, LetterInput> => ({
  service,
  catalog: letterEvents,
  decider: letterDecider(code),
  routes: {
    [LETTER_TOPIC]({ envelope, value }) {
      const { who } = z.object({ who: z.string() }).parse(value);
      const { tenant, subject, correlationid } = envelope;
      const [type = '', id = ''] = subject.split(':');
      const streamId = streamIdOf({ context: 'letters', tenant, record: { type, id }, name: '' });
      return {
        inbox: { key: envelope.id, day: envelope.time.slice(0, 10) },
        targets: [{ streamId, tenant, subject, input: { type: 'wish', cause: correlationid, who } }],
      };
    },
  },
  // Everybody who wants to write to Eve asks for the same address.
  sharedSlot: (tenant, kind, request) =>
    kind === 'letters.look' && (request as { who: string }).who === 'eve'
      ? `${tenant}|letters.look|content-${service}|eve`
      : undefined,
  outcome({ kind, rootCause, state }, _at, stream) {
    if (state !== 'done') return { type: 'failed', cause: rootCause };
    return kind === 'letters.look' ? { type: 'address', cause: rootCause, stream } : { type: 'sent', cause: rootCause };
  },
});

const never = () => Promise.reject(new Error('the model calls the vendor by hand'));
const kind = (over: Pick<EffectKind, 'is' | 'plan' | 'batch'>): EffectKind => ({
  deadlineMs: 2_000,
  maxAttempts: 3,
  maxRepeats: 1,
  perform: never,
  ...over,
});

export const letterKinds: Record<string, EffectKind> = {
  'letters.look': kind({ is: 'query' }),
  'letters.send': kind({
    is: 'command',
    batch: { most: 3, perform: never },
    plan: { answer: () => 'sent', cost: () => ({ credits: 1 }), follows: () => ({}) },
  }),
};

/** The n-th wish on the topic: a record of its own for a subject, which stands at offset n. */
export function wish(subject: string, who: string, offset: number): IncomingRecord {
  const id = `${subject}-${String(offset)}`;
  return {
    topic: LETTER_TOPIC,
    partition: 0,
    offset: String(offset),
    timestamp: Date.now(),
    key: `default:${subject}`,
    value: Buffer.from(JSON.stringify({ who })),
    headers: {},
    envelope: {
      id,
      source: '/letters',
      type: 'refrain.wish.made.v1',
      subject,
      time: new Date().toISOString(),
      tenant: 'default',
      correlationid: id,
    },
  };
}
