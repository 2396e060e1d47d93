import { createHash } from 'node:crypto';
import {
  HEYGEN_CLAIMED,
  HEYGEN_RECEIVED,
  INPUT_QUARANTINED,
  readCallbackId,
  readHeygen,
  recordKey,
  Topic,
  VERIFIED,
  type Envelope,
  type HeygenCallback,
} from '#libs/contracts';
import type { OutgoingRecord } from '#libs/log';
import { Problem } from '#libs/platform';
import { takes, type HeygenConnection, type Owner } from '../connections';
import type { Reception } from '../ingress';
import { parseJson } from '../json';
import { quarantineRecord, type Fault } from '../quarantine';
import type { VerifiedCallback } from './signature';

/** What becomes of a callback: without a record it is ignored. `fault` is set where HeyGen is to know why. */
export interface SortedCallback {
  record?: OutgoingRecord;
  quarantined: boolean;
  fault?: Problem;
}

/** Makes the record of a verified callback. */
export function sortCallback(verified: VerifiedCallback, reception: Reception): SortedCallback {
  let value: unknown;
  try {
    value = parseJson(verified.body);
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    return { record: quarantined(verified, error, reception), quarantined: true, fault: error };
  }
  const read = readHeygen(value);
  if ('error' in read) {
    const fault = new Problem('wrong-shape', { errors: [{ at: '', detail: read.error }] });
    const record = quarantined(verified, fault, reception);
    // HeyGen also sends events about other things than videos, asked for or not: refused, they would come for a day.
    return { record, quarantined: true, fault: isOfOtherKind(value) ? undefined : fault };
  }
  const { callback } = read;
  const found = ownerOf(verified.connections, callback);
  if (!found) return { record: quarantined(verified, { code: 'unknown-tenant' }, reception), quarantined: true };
  if (!takes(found.connection, callback.eventType)) return { quarantined: false };
  return { record: received(verified, callback, found.owner, reception), quarantined: false };
}

/** A callback of an order of ours names its tenant; any other belongs to the one that it can only be. */
function ownerOf(
  connections: readonly HeygenConnection[],
  { callbackId }: HeygenCallback,
): { owner: Owner; connection: HeygenConnection } | undefined {
  const named = readCallbackId(callbackId)?.tenant;
  const owners = connections.flatMap((connection) =>
    connection.tenants
      .filter((tenant) => named === undefined || tenant === named)
      .map((tenant) => ({ owner: { tenant, connection: connection.connection }, connection })),
  );
  return named !== undefined || owners.length === 1 ? owners[0] : undefined;
}

function received(
  verified: VerifiedCallback,
  callback: HeygenCallback,
  owner: Owner,
  reception: Reception,
): OutgoingRecord {
  const subject = `heygen-video:${videoOf(callback)}`;
  return {
    topic: Topic.ingressHeygen,
    key: recordKey(owner.tenant, subject),
    value: verified.body,
    headers: { [VERIFIED]: verified.evidence },
    envelope: envelopeOf(verified.isSigned ? HEYGEN_RECEIVED : HEYGEN_CLAIMED, verified, subject, owner, reception),
  };
}

function quarantined(verified: VerifiedCallback, fault: Fault, reception: Reception): OutgoingRecord {
  const [{ connection, tenants }] = verified.connections;
  const owner = { connection, tenant: (tenants.length === 1 && tenants[0]) || 'unknown' };
  const subject = `heygen-event:${verified.digest.slice(0, 32)}`;
  const envelope = envelopeOf(INPUT_QUARANTINED, verified, subject, owner, reception);
  return quarantineRecord(verified.body, envelope, fault, { [VERIFIED]: verified.evidence });
}

const videoOf = ({ videoId, callbackId }: HeygenCallback): string =>
  videoId ??
  createHash('sha256')
    .update(callbackId ?? '')
    .digest('hex')
    .slice(0, 32);

function isOfOtherKind(value: unknown): boolean {
  if (typeof value !== 'object' || value === null || !('event_type' in value)) return false;
  return typeof value.event_type === 'string' && !/^(avatar_video|video)\./.test(value.event_type);
}

function envelopeOf(
  type: string,
  { eventId, digest, isSigned }: VerifiedCallback,
  subject: string,
  { tenant, connection }: Owner,
  { time, traceparent }: Reception,
): Envelope {
  // A claim must not take the id of the callback that it may be an imitation of.
  const own = /^[\x21-\x7e]{1,200}$/.test(eventId ?? '') ? `heygen:${eventId}` : digest;
  const id = isSigned ? own : `claim:${digest}`;
  return { id, source: `/heygen/${connection}`, type, subject, time, tenant, correlationid: id, traceparent };
}
