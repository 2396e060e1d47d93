import { createHash } from 'node:crypto';
import {
  HEYGEN_RECEIVED,
  INPUT_QUARANTINED,
  readHeygen,
  recordKey,
  Topic,
  VERIFIED,
  type Envelope,
  type HeygenCallback,
} from '#libs/contracts';
import type { OutgoingRecord } from '#libs/log';
import { parseJson } from '../json';
import type { VerifiedCallback } from './signature';

const TENANT = 'default';

/** How a callback was received; `eventId` is HeyGen's own, the same on each of its retries. */
export interface CallbackReception {
  /** RFC 3339. */
  time: string;
  traceparent: string | undefined;
  eventId: string | undefined;
}

/** The record of a callback. `fault` is set where it was quarantined and HeyGen is to know why. */
export interface SortedCallback {
  record: OutgoingRecord;
  quarantined: boolean;
  fault?: string;
}

/** Makes the record of a verified callback; throws the problem of a body that is not JSON. */
export function sortCallback(verified: VerifiedCallback, reception: CallbackReception): SortedCallback {
  const value = parseJson(verified.body);
  const verification = { [VERIFIED]: verified.evidence };
  const read = readHeygen(value);
  const hash = digest(verified.body);
  const id = /^[\x21-\x7e]{1,200}$/.test(reception.eventId ?? '') ? `heygen:${reception.eventId}` : hash;
  if ('callback' in read) {
    const subject = `heygen-video:${videoOf(read.callback)}`;
    const envelope = envelopeOf(HEYGEN_RECEIVED, id, subject, reception);
    const record = recordOf(Topic.ingressHeygen, verified.body, envelope);
    return { record: { ...record, headers: verification }, quarantined: false };
  }
  const envelope = envelopeOf(INPUT_QUARANTINED, id, `heygen-event:${hash.slice(0, 32)}`, reception);
  const headers = { ...verification, refrain_reason: 'wrong-shape', refrain_detail: read.error.slice(0, 1_000) };
  const record = { ...recordOf(Topic.quarantine, verified.body, envelope), headers };
  // HeyGen also sends events about other things than videos, asked for or not: refused, they would come for a day.
  return { record, quarantined: true, fault: isOfOtherKind(value) ? undefined : read.error };
}

const videoOf = ({ videoId, callbackId }: HeygenCallback): string => videoId ?? digest(callbackId ?? '').slice(0, 32);

function isOfOtherKind(value: unknown): boolean {
  if (typeof value !== 'object' || value === null || !('event_type' in value)) return false;
  return typeof value.event_type === 'string' && !/^(avatar_video|video)\./.test(value.event_type);
}

const recordOf = (topic: string, value: Buffer, envelope: Envelope): OutgoingRecord => ({
  topic,
  key: recordKey(TENANT, envelope.subject),
  value,
  envelope,
});

const envelopeOf = (type: string, id: string, subject: string, { time, traceparent }: CallbackReception): Envelope => ({
  id,
  source: '/heygen/default',
  type,
  subject,
  time,
  tenant: TENANT,
  correlationid: id,
  traceparent,
});

const digest = (content: string | Buffer): string => createHash('sha256').update(content).digest('hex');
