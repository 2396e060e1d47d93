import { catalog, type EventOf, subjectOf } from '#libs/contracts';
import { z } from 'zod';
import type { Decider, Owed } from '../decider';
import type { ProcessDefinition } from '../definition';
import type { EffectKind } from '../effect-kind';
import { readStreamId, streamIdOf } from '../stream-id';

/**
 * A service with a chain: a record asks for a greeting, a query looks the name up, a command sends the greeting; a
 * callback that knows only the letter says that it was answered.
 */
export const greeterEvents = catalog('greeting', 'greeting.events.v1', {
  GreetingAsked: { wire: 'refrain.greeting.asked.v1', data: z.object({ cause: z.string() }) },
  GreetingRefused: { wire: 'refrain.greeting.refused.v1', data: z.object({ cause: z.string() }) },
  GreetingPrepared: { wire: 'refrain.greeting.prepared.v1', data: z.object({ cause: z.string(), name: z.string() }) },
  GreetingSent: { wire: 'refrain.greeting.sent.v1', data: z.object({ cause: z.string() }) },
  GreetingAnswered: { wire: 'refrain.greeting.answered.v1', data: z.object({ cause: z.string() }) },
});
type GreeterEvent = EventOf<typeof greeterEvents>;

type GreeterInput =
  | { type: 'asked'; cause: string; who: string }
  | { type: 'looked-up'; cause: string; name: string }
  | { type: 'sent'; cause: string; letter: string }
  | { type: 'called-back'; cause: string };

type Greetings = Readonly<Record<string, 'asked' | 'refused' | 'prepared' | 'sent' | 'answered'>>;

export const GREETER_TOPIC = 'greeting.wishes.v1';

/**
 * How today's code differs from yesterday's: the bug refuses short names, the politeness changes what is sent, the deaf
 * one hears no callbacks, a busy one greets a record only so often, one that insists sends what came back by express, and a
 * thorough one looks up more of a name.
 */
export interface GreeterCode {
  refusesShortNames?: boolean;
  polite?: boolean;
  deaf?: boolean;
  atMost?: number;
  insists?: boolean;
  thorough?: boolean;
}

function greeterDecider({
  refusesShortNames,
  polite,
  deaf,
  atMost = Infinity,
  insists,
  thorough,
}: GreeterCode): Decider<Greetings, GreeterEvent, GreeterInput> {
  const states = {
    GreetingAsked: 'asked',
    GreetingRefused: 'refused',
    GreetingPrepared: 'prepared',
    GreetingSent: 'sent',
    GreetingAnswered: 'answered',
  } as const;
  return {
    initial: {},
    evolve: (greetings, event) => ({ ...greetings, [event.data.cause]: states[event.type] }),
    decide(greetings, input) {
      const { cause } = input;
      const status = greetings[cause];
      if (input.type === 'called-back') {
        return { events: status || deaf ? [] : [{ type: 'GreetingAnswered', data: { cause } }] };
      }
      if (input.type === 'asked') {
        if (input.who === 'Bug') throw new TypeError('a bug in decide');
        if (!status && Object.keys(greetings).length >= atMost) return { events: [] };
        const look: Owed = { kind: 'greeter.look', purpose: 'look', request: { who: input.who, thorough } };
        return { events: status ? [] : [{ type: 'GreetingAsked', data: { cause } }], effects: [look] };
      }
      if (input.type === 'sent') {
        if (insists && input.letter.startsWith('returned')) {
          return { events: [], effects: [{ kind: 'greeter.express', purpose: 'express', request: input.letter }] };
        }
        const correlate = { vendor: 'post', externalId: input.letter };
        return { events: status === 'prepared' ? [{ type: 'GreetingSent', data: { cause } }] : [], correlate };
      }
      const { name } = input;
      if (refusesShortNames && name.length < 4) {
        return { events: status === 'asked' ? [{ type: 'GreetingRefused', data: { cause } }] : [] };
      }
      const text = polite ? `Dear ${name}` : `Hi ${name}`;
      const send: Owed = { kind: 'greeter.send', purpose: 'send', request: { text } };
      const open = status === 'asked' || status === 'refused';
      return { events: open ? [{ type: 'GreetingPrepared', data: { cause, name } }] : [], effects: [send] };
    },
  };
}

/** The greeter with the given version of its code. */
export const greeter = (
  service: string,
  code: GreeterCode,
): ProcessDefinition<Greetings, GreeterEvent, GreeterInput> => ({
  service,
  catalog: greeterEvents,
  decider: greeterDecider(code),
  declared(given) {
    if (typeof given !== 'object') throw new Error('no code of the greeter');
    return greeter(service, given as GreeterCode);
  },
  routes: {
    [GREETER_TOPIC]({ envelope, value }) {
      const { who, letter } = z.object({ who: z.string().optional(), letter: z.string().optional() }).parse(value);
      const [type = '', id = ''] = envelope.subject.split(':');
      const { tenant, subject, correlationid: cause } = envelope;
      if (letter !== undefined) {
        const target = (streamId: string) => {
          const { record } = readStreamId(streamId);
          return { streamId, tenant, subject: subjectOf(record), input: { type: 'called-back' as const, cause } };
        };
        const inbox = { key: envelope.id, received: envelope.time };
        return { inbox, targets: [], awaits: { tenant, vendor: 'post', externalId: letter, target } };
      }
      return {
        inbox: { key: envelope.id, day: envelope.time.slice(0, 10) },
        targets: [
          {
            streamId: streamIdOf({ context: 'greeting', tenant, record: { type, id }, name: '' }),
            tenant,
            subject,
            input: { type: 'asked', cause, who: who ?? '' },
          },
        ],
      };
    },
  },
  outcome: ({ kind, rootCause, answer }) =>
    kind === 'greeter.look'
      ? { type: 'looked-up', cause: rootCause, name: String(answer) }
      : { type: 'sent', cause: rootCause, letter: String(answer) },
});

/** The greeter's calls; each is noted in `calls`, as a vendor would. */
export const greeterEffects = (calls: string[]): Record<string, EffectKind> => ({
  'greeter.look': {
    is: 'query',
    deadlineMs: 2_000,
    maxAttempts: 3,
    maxRepeats: 0,
    plan: { cost: () => ({ apiCalls: 1 }), follows: () => ({ credits: 4 }) },
    perform: ({ who, thorough }: { who: string; thorough?: boolean }) => {
      calls.push(`look ${who}`);
      return Promise.resolve({ outcome: 'done', value: thorough ? `${who} the Great` : who, cost: { apiCalls: 1 } });
    },
  },
  'greeter.send': {
    is: 'command',
    deadlineMs: 2_000,
    maxAttempts: 3,
    maxRepeats: 1,
    plan: { answer: () => 'letter', cost: () => ({ credits: 1 }), follows: () => ({ credits: 3 }) },
    perform: ({ text }: { text: string }) => {
      calls.push(`send ${text}`);
      return Promise.resolve({ outcome: 'done', value: `letter to ${text.split(' ')[1] ?? ''}`, cost: { credits: 1 } });
    },
  },
  'greeter.express': {
    is: 'command',
    deadlineMs: 2_000,
    maxAttempts: 3,
    maxRepeats: 1,
    plan: { answer: () => 'letter', cost: () => ({ credits: 3 }), follows: () => ({}) },
    perform: (letter: string) => {
      calls.push(`express ${letter}`);
      return Promise.resolve({ outcome: 'done', value: 'letter by express', cost: { credits: 3 } });
    },
  },
});
