import { z } from 'zod';
import { catalog, type EventOf } from './events';
import { recordKey } from './keys';
import { Topic } from './topics';

/** Who looked at what was said in calls to vendors: streams `call-…`, one for each look. */
export const callEvents = catalog('call', Topic.call, {
  CallUnsealed: {
    wire: 'refrain.call.unsealed.v1',
    data: z
      .object({
        call: z.string().describe('Id of the call in the store'),
        kind: z.string().describe('What kind of call it was, such as openai.ask'),
        by: z.string().describe('Who looked'),
        why: z.string().describe('Why, in words'),
      })
      .describe('Somebody was shown what was asked and answered in a call; told before it was shown.'),
  },
});

export type CallEvent = EventOf<typeof callEvents>;

/** The stream of one look: `call-acme:contact:1:0c9a…`. */
export const callStream = (tenant: string, subject: string, look: string): string =>
  ['call', [recordKey(tenant, subject), look].join(':')].join('-');
