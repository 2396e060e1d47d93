import { createHash, randomUUID } from 'node:crypto';
import {
  HUBSPOT_RECEIVED,
  INPUT_QUARANTINED,
  isWebhookEvent,
  readHubspot,
  recordKey,
  subjectOf,
  Topic,
  VERIFIED,
  type HubspotChange,
} from '#libs/contracts';
import type { OutgoingRecord } from '#libs/log';
import { Problem, type ProblemPart } from '#libs/platform';
import { parseJson } from '../json';
import type { Owner, Tenants } from '../tenants';
import { splitJsonArray } from './json-array';
import type { VerifiedRequest } from './signature';

const MAX_EVENTS = 100;

/** When and in which trace a request was received. */
export interface Reception {
  /** RFC 3339. */
  time: string;
  traceparent: string | undefined;
}

/** What becomes of a request: one record for each of its events, whether good or quarantined. */
export interface Sorted {
  records: OutgoingRecord[];
  accepted: number;
  quarantined: number;
  /** The faults of malformed events; a portal that nobody declared is none. */
  faults: ProblemPart[];
}

interface Event {
  bytes: Buffer;
  value: unknown;
  at: string;
  inArray: boolean;
}

/** Sorts the events of a verified request; throws the 400 problem of a body that holds none. */
export function sortEvents(request: VerifiedRequest, tenants: Tenants, reception: Reception): Sorted {
  const sorted: Sorted = { records: [], accepted: 0, quarantined: 0, faults: [] };
  const headers = { [VERIFIED]: request.evidence };
  for (const event of eventsOf(request.body)) {
    const read = readEvent(event);
    const owner = 'change' in read ? tenants.ownerOf(read.change.portalId) : undefined;
    if ('change' in read && owner) {
      sorted.records.push({ ...received(event.bytes, read.change, owner, reception), headers });
      sorted.accepted += 1;
      continue;
    }
    const change = 'change' in read ? read.change : undefined;
    const reason = 'error' in read ? { code: 'wrong-shape', detail: read.error } : { code: 'unknown-portal' };
    if ('error' in read) sorted.faults.push({ at: event.at, detail: read.error });
    const record = quarantined(event.bytes, change, tenants.nobody, reason, reception);
    sorted.records.push({ ...record, headers: { ...record.headers, ...headers } });
    sorted.quarantined += 1;
  }
  return sorted;
}

/** HubSpot's Webhooks API sends an array, a workflow one object. */
function eventsOf(body: Buffer): Event[] {
  const value = parseJson(body);
  if (!Array.isArray(value)) {
    if (typeof value === 'object' && value !== null) return [{ bytes: body, value, at: '', inArray: false }];
    throw new Problem('wrong-shape', { detail: 'The body must be an object or an array of events' });
  }
  if (value.length > MAX_EVENTS) {
    throw new Problem('too-many-events', {
      detail: `${value.length} events were sent; at most ${MAX_EVENTS} are taken`,
    });
  }
  return splitJsonArray(body).map((bytes, i) => ({ bytes, value: value[i] as unknown, at: `/${i}`, inArray: true }));
}

function readEvent({ value, inArray }: Event): { change: HubspotChange } | { error: string } {
  // Workflow calls never come in arrays: what looks like one there is an event that lost its type.
  if (inArray && !isWebhookEvent(value)) return { error: '✖ names no subscription: subscriptionType is needed' };
  return readHubspot(value);
}

function received(value: Buffer, change: HubspotChange, owner: Owner, reception: Reception): OutgoingRecord {
  const subject = subjectOf(change.record);
  // A webhook event sent again is the same record again; workflow calls carry nothing that tells them apart.
  const id = change.delivery === 'webhook' ? digest(owner.connection, change.identity) : randomUUID();
  return {
    topic: Topic.ingressHubspot,
    key: recordKey(owner.tenant, subject),
    value,
    envelope: envelope(HUBSPOT_RECEIVED, id, subject, owner, reception),
  };
}

function quarantined(
  value: Buffer,
  change: HubspotChange | undefined,
  owner: Owner,
  reason: { code: string; detail?: string },
  reception: Reception,
): OutgoingRecord {
  const id = digest(owner.connection, value);
  const subject = change ? subjectOf(change.record) : `hubspot-event:${id}`;
  return {
    topic: Topic.quarantine,
    key: recordKey(owner.tenant, subject),
    value,
    headers: {
      refrain_reason: reason.code,
      ...(reason.detail === undefined ? {} : { refrain_detail: reason.detail.slice(0, 1_000) }),
    },
    envelope: envelope(INPUT_QUARANTINED, id, subject, owner, reception),
  };
}

const envelope = (type: string, id: string, subject: string, owner: Owner, { time, traceparent }: Reception) => ({
  id,
  source: `/hubspot/${owner.connection}`,
  type,
  subject,
  time,
  tenant: owner.tenant,
  correlationid: id,
  traceparent,
});

const digest = (connection: string, content: string | Buffer): string =>
  createHash('sha256').update(`${connection}|`).update(content).digest('hex').slice(0, 32);
