import { hash } from 'node:crypto';
import {
  recordKey,
  recordOf,
  RENDER_ASKED,
  type RenderAsked,
  type RecordRef,
  subjectOf,
  Topic,
  VERIFIED,
} from '#libs/contracts';
import type { CardRead } from '#libs/event-store';
import type { OutgoingRecord } from '#libs/log';
import { Problem } from '#libs/platform';
import { z } from 'zod';
import type { Reception } from '../ingress';
import { parseJson } from '../json';
import { refusedAgain, videosIn } from './card-answer';
import type { CardRequest } from './card-request';

const wish = z.object({ recipe: z.string().min(1).max(200), after: z.int().positive() });

/** What the body of a request wishes; throws the problem where it is none. */
export function wishIn(body: Buffer): z.infer<typeof wish> {
  const read = wish.safeParse(parseJson(body));
  if (read.success) return read.data;
  const errors = read.error.issues.map(({ path, message: detail }) => ({ at: `/${path.join('/')}`, detail }));
  throw new Problem('wrong-shape', { errors });
}

/**
 * The record that asks for one more render, as far as the card knows that it can be made; throws the problem where not.
 * Whatever asks behind the same render has the same id: render-service makes one of all of them.
 */
export function askFor(
  { recipe, after }: z.infer<typeof wish>,
  read: CardRead,
  { verified, owner: { tenant, connection }, userId }: CardRequest,
  { time, traceparent }: Reception,
): OutgoingRecord {
  if (userId === undefined) throw new Problem('bad-request', { detail: 'The query names no userId' });
  const shown = videosIn(read).find((video) => video.recipe === recipe);
  if (!shown || shown.job < after) throw new Problem('render-unknown');
  if (shown.job > after) throw new Problem('render-moved-on', { detail: `Render ${shown.job} is the newest` });
  const refused = refusedAgain(shown, read);
  if (refused !== undefined) throw new Problem('render-refused', { detail: refused });
  const record = recordOf(shown.own) as RecordRef;
  const subject = subjectOf(record);
  const asked: RenderAsked = { record, recipe, after, by: `hubspot-user:${userId}` };
  const id = hash('sha256', ['render-again', recordKey(tenant, subject), recipe, after].join('|')).slice(0, 32);
  return {
    topic: Topic.ingressHubspot,
    key: recordKey(tenant, subject),
    value: Buffer.from(JSON.stringify(asked)),
    headers: { [VERIFIED]: verified.evidence },
    envelope: {
      id,
      source: `/hubspot/${connection}`,
      type: RENDER_ASKED,
      subject,
      time,
      tenant,
      correlationid: id,
      traceparent,
    },
  };
}
