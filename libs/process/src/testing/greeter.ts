import { catalog, type EventOf } from '#libs/contracts';
import { z } from 'zod';
import type { Decider, Owed } from '../decider';
import type { ProcessDefinition } from '../definition';
import type { EffectKind } from '../effect-runner';
import { streamIdOf } from '../stream-id';

/** A service with a chain: a record asks for a greeting, a query looks the name up, a command sends the greeting. */
export const greeterEvents = catalog('greeting', 'greeting.events.v1', {
  GreetingAsked: { wire: 'refrain.greeting.asked.v1', data: z.object({ cause: z.string() }) },
  GreetingRefused: { wire: 'refrain.greeting.refused.v1', data: z.object({ cause: z.string() }) },
  GreetingPrepared: { wire: 'refrain.greeting.prepared.v1', data: z.object({ cause: z.string(), name: z.string() }) },
  GreetingSent: { wire: 'refrain.greeting.sent.v1', data: z.object({ cause: z.string() }) },
});
type GreeterEvent = EventOf<typeof greeterEvents>;

type GreeterInput =
  | { type: 'asked'; cause: string; who: string }
  | { type: 'looked-up'; cause: string; name: string }
  | { type: 'sent'; cause: string };

type Greetings = Readonly<Record<string, 'asked' | 'refused' | 'prepared' | 'sent'>>;

export const GREETER_TOPIC = 'greeting.wishes.v1';

/** How today's code differs from yesterday's: the bug refuses short names, the politeness changes what is sent. */
export interface GreeterCode {
  refusesShortNames?: boolean;
  polite?: boolean;
}

function greeterDecider({ refusesShortNames, polite }: GreeterCode): Decider<Greetings, GreeterEvent, GreeterInput> {
  const states = {
    GreetingAsked: 'asked',
    GreetingRefused: 'refused',
    GreetingPrepared: 'prepared',
    GreetingSent: 'sent',
  } as const;
  return {
    initial: {},
    evolve: (greetings, event) => ({ ...greetings, [event.data.cause]: states[event.type] }),
    decide(greetings, input) {
      const { cause } = input;
      const status = greetings[cause];
      if (input.type === 'asked') {
        const look: Owed = { kind: 'greeter.look', purpose: 'look', request: { who: input.who } };
        return { events: status ? [] : [{ type: 'GreetingAsked', data: { cause } }], effects: [look] };
      }
      if (input.type === 'sent') {
        return { events: status === 'prepared' ? [{ type: 'GreetingSent', data: { cause } }] : [] };
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
  routes: {
    [GREETER_TOPIC]({ envelope, value }) {
      const { who } = z.object({ who: z.string() }).parse(value);
      const [type = '', id = ''] = envelope.subject.split(':');
      const { tenant, subject, correlationid } = envelope;
      return {
        inbox: { key: envelope.id, day: envelope.time.slice(0, 10) },
        targets: [
          {
            streamId: streamIdOf({ context: 'greeting', tenant, record: { type, id }, name: '' }),
            tenant,
            subject,
            input: { type: 'asked', cause: correlationid, who },
          },
        ],
      };
    },
  },
  outcome: ({ kind, rootCause, answer }) =>
    kind === 'greeter.look'
      ? { type: 'looked-up', cause: rootCause, name: String(answer) }
      : { type: 'sent', cause: rootCause },
});

/** The greeter's calls; each is noted in `calls`, as a vendor would. */
export const greeterEffects = (calls: string[]): Record<string, EffectKind> => ({
  'greeter.look': {
    is: 'query',
    deadlineMs: 2_000,
    maxAttempts: 3,
    maxRepeats: 0,
    perform: ({ who }: { who: string }) => {
      calls.push(`look ${who}`);
      return Promise.resolve({ outcome: 'done', value: who });
    },
  },
  'greeter.send': {
    is: 'command',
    deadlineMs: 2_000,
    maxAttempts: 3,
    maxRepeats: 1,
    plan: { answer: () => 'sent', cost: () => ({ credits: 1 }) },
    perform: ({ text }: { text: string }) => {
      calls.push(`send ${text}`);
      return Promise.resolve({ outcome: 'done', value: 'sent', cost: { credits: 1 } });
    },
  },
});
