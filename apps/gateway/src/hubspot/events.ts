import { hash, randomUUID } from 'node:crypto';
import {
  HUBSPOT_RECEIVED,
  INPUT_QUARANTINED,
  isWebhookEvent,
  readHubspot,
  recordKey,
  subjectOf,
  TEST_EVENT,
  Topic,
  VERIFIED,
  type HubspotChange,
} from '#libs/contracts';
import type { OutgoingRecord } from '#libs/log';
import { Problem, type ProblemPart } from '#libs/platform';
import { takes, type Owner } from '../connections';
import type { Reception } from '../ingress';
import { parseJson } from '../json';
import { quarantineRecord, type Fault } from '../quarantine';
import { splitJsonArray } from './json-array';
import { nobody, ownerOf } from './owner';
import type { VerifiedRequest } from './signature';

const MAX_EVENTS = 100;

/** What becomes of a request: one record for each of its events, whether good or quarantined. */
export interface Sorted {
  records: OutgoingRecord[];
  accepted: number;
  quarantined: number;
  /** Of types that the connection does not take. */
  ignored: number;
  /** What HubSpot is to know, where nothing of the request is good; an owner that nobody declared is no fault of it. */
  fault?: Problem;
}

interface Event {
  bytes: Buffer;
  value: unknown;
  at: string;
}

/** Whether a workflow sent it, and not the Webhooks API: that sends an array. */
export const isWorkflowCall = ({ method, body }: VerifiedRequest): boolean =>
  method === 'GET' || body.subarray(0, 100).toString('latin1').trimStart().startsWith('{');

/** Sorts what a verified request holds. */
export function sortRequest(request: VerifiedRequest, reception: Reception): Sorted {
  const sorted: Sorted = { records: [], accepted: 0, quarantined: 0, ignored: 0 };
  const sorter = new Sorter(request, reception);
  let events: Event[];
  try {
    events = eventsOf(request);
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    return { ...sorted, records: [sorter.quarantine(request.body, error)], quarantined: 1, fault: error };
  }
  const faults: ProblemPart[] = [];
  for (const { bytes, value, at } of events) {
    const read = readEvent(value, isWorkflowCall(request));
    if ('error' in read) {
      const fault = { at, detail: read.error };
      faults.push(fault);
      sorted.records.push(sorter.quarantine(bytes, { code: 'wrong-shape', message: read.error }));
      sorted.quarantined += 1;
      continue;
    }
    const record = sorter.sort(bytes, read.change, typeOf(value));
    if (record) sorted.records.push(record);
    sorted[!record ? 'ignored' : record.topic === Topic.quarantine ? 'quarantined' : 'accepted'] += 1;
  }
  const fault = faults.length > 0 && faults.length === events.length && new Problem('wrong-shape', { errors: faults });
  return fault ? { ...sorted, fault } : sorted;
}

/** A workflow's GET has no body: its query takes the place, as the JSON object that readers of the topic expect. */
function eventsOf(request: VerifiedRequest): Event[] {
  const body = request.method === 'GET' ? queryAsJson(request.url) : request.body;
  const value = parseJson(body);
  if (!Array.isArray(value)) {
    if (typeof value === 'object' && value !== null) return [{ bytes: body, value, at: '' }];
    throw new Problem('wrong-shape', { detail: 'The body must be an object or an array of events' });
  }
  if (value.length > MAX_EVENTS) {
    throw new Problem('too-many-events', {
      detail: `${value.length} events were sent; at most ${MAX_EVENTS} are taken`,
    });
  }
  return splitJsonArray(body).map((bytes, i) => ({ bytes, value: value[i] as unknown, at: `/${i}` }));
}

/** Every value is a text; a name that stands there several times has the list of its values. */
function queryAsJson(url: string): Buffer {
  const query = new URL(url).searchParams;
  const entries = [...new Set(query.keys())].map((name): [string, unknown] => {
    const values = query.getAll(name);
    return [name, values.length === 1 ? values[0] : values];
  });
  return Buffer.from(JSON.stringify(Object.fromEntries(entries)));
}

function readEvent(value: unknown, fromWorkflow: boolean): { change: HubspotChange } | { error: string } {
  // Workflow calls never come in arrays: what looks like one there is an event that lost its type.
  if (!fromWorkflow && !isWebhookEvent(value)) return { error: '✖ names no subscription: subscriptionType is needed' };
  return readHubspot(value);
}

const typeOf = (value: unknown): string =>
  isWebhookEvent(value) ? String((value as { subscriptionType: unknown }).subscriptionType) : 'workflow';

class Sorter {
  private readonly headers: Record<string, string>;

  constructor(
    private readonly request: VerifiedRequest,
    private readonly reception: Reception,
  ) {
    this.headers = { [VERIFIED]: request.evidence };
  }

  /** The record of a change; undefined where its connection does not take its type. */
  sort(bytes: Buffer, change: HubspotChange, type: string): OutgoingRecord | undefined {
    const found = ownerOf(this.request.connections, change);
    if ('unknown' in found) return this.quarantine(bytes, { code: found.unknown }, change);
    if (!takes(found.connection, type)) return undefined;
    return this.received(bytes, change, found.owner);
  }

  quarantine(value: Buffer, fault: Fault, change?: HubspotChange): OutgoingRecord {
    const owner = nobody(this.request.connections[0]);
    const id = digest(owner.connection, value);
    const subject = change ? subjectOf(change.record) : `hubspot-event:${id}`;
    const headers = { ...this.headers, ...testHeader(change) };
    return quarantineRecord(value, this.envelope(INPUT_QUARANTINED, id, subject, owner), fault, headers);
  }

  private received(value: Buffer, change: HubspotChange, owner: Owner): OutgoingRecord {
    const subject = subjectOf(change.record);
    // A webhook event sent again is the same record again; workflow calls carry nothing that tells them apart.
    const id = change.delivery === 'webhook' ? digest(owner.connection, change.identity) : randomUUID();
    return {
      topic: Topic.ingressHubspot,
      key: recordKey(owner.tenant, subject),
      value,
      headers: { ...this.headers, ...testHeader(change) },
      envelope: this.envelope(HUBSPOT_RECEIVED, id, subject, owner),
    };
  }

  private envelope(type: string, id: string, subject: string, { connection, tenant }: Owner) {
    const { time, traceparent } = this.reception;
    return { id, source: `/hubspot/${connection}`, type, subject, time, tenant, correlationid: id, traceparent };
  }
}

const testHeader = (change: HubspotChange | undefined): Record<string, string> =>
  change?.test ? { [TEST_EVENT]: 'button' } : {};

const digest = (connection: string, content: string | Buffer): string =>
  hash(
    'sha256',
    typeof content === 'string' ? `${connection}|${content}` : Buffer.concat([Buffer.from(`${connection}|`), content]),
  ).slice(0, 32);
