import {
  CONTENT_TYPE,
  ENDPOINT,
  EVENT_TYPE,
  GENERIC_RECEIVED,
  INPUT_QUARANTINED,
  recordKey,
  Topic,
  VERIFIED,
  type Envelope,
} from '#libs/contracts';
import type { OutgoingRecord } from '#libs/log';
import { Problem } from '#libs/platform';
import type { Reception } from '../ingress';
import { parseJson } from '../json';
import { quarantineRecord } from '../quarantine';
import type { EndpointDeclaration, Place } from './endpoint.schema';
import type { VerifiedInput } from './verified-input';

/** What becomes of a verified request. `fault` is set where it was quarantined. */
export type SortedInput = { record: OutgoingRecord; fault?: Problem } | 'ignored';

/** Makes the record of a verified request; throws the problem of an event that the endpoint does not take. */
export function sortInput(input: VerifiedInput, declared: EndpointDeclaration, reception: Reception): SortedInput {
  let event: FoundEvent;
  try {
    event = findEvent(input, declared);
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    return { record: quarantined(input, declared, reception, error), fault: error };
  }
  if (declared.accept && !declared.accept.types.includes(event.type ?? '')) {
    if (declared.accept.others === 'ignore') return 'ignored';
    throw new Problem('event-not-accepted');
  }
  return { record: received(input, declared, reception, event) };
}

interface FoundEvent {
  id: string;
  type: string | undefined;
  subject: string;
}

function findEvent(input: VerifiedInput, { format, event, source }: EndpointDeclaration): FoundEvent {
  const value = format === 'json' ? parseJson(input.body) : undefined;
  const find = (at: Place | undefined) => at && textAt(at, input, value);
  const id = find(event.id) ?? input.digest;
  const about = find(event.subject) ?? id;
  return { id, type: find(event.type), subject: `${event.subject?.type ?? source}:${about}` };
}

/** The text at a place. It becomes part of keys and headers, so it must be short and plain, and it must be there. */
function textAt({ header, pointer = '' }: Place, { headers }: VerifiedInput, value: unknown): string {
  const found = header === undefined ? valueAt(value, pointer) : headers[header];
  const text = Number.isSafeInteger(found) ? String(found) : found;
  if (typeof text === 'string' && /^[\x21-\x7e]{1,200}$/.test(text)) return text;
  const detail = found === undefined ? 'is not there' : 'is no whole number and no text of 1 to 200 plain characters';
  throw new Problem('wrong-shape', { errors: [{ at: header ?? pointer, detail }] });
}

/** The value that a JSON pointer (RFC 6901) points to; undefined where there is none. */
export function valueAt(value: unknown, pointer: string): unknown {
  let at = value;
  for (const token of pointer.split('/').slice(1)) {
    const name = token.replaceAll('~1', '/').replaceAll('~0', '~');
    if (typeof at !== 'object' || at === null || !Object.hasOwn(at, name)) return undefined;
    if (Array.isArray(at) && !/^(0|[1-9]\d*)$/.test(name)) return undefined;
    at = (at as Record<string, unknown>)[name];
  }
  return at;
}

/** What Slack asks once before it sends to an address; undefined where the body asks nothing. */
export function challengeIn({ body }: VerifiedInput): string | undefined {
  let value: unknown;
  try {
    value = parseJson(body);
  } catch {
    // Slack's commands and buttons come as forms.
    return undefined;
  }
  const challenge = valueAt(value, '/challenge');
  return valueAt(value, '/type') === 'url_verification' && typeof challenge === 'string' ? challenge : undefined;
}

function received(
  input: VerifiedInput,
  declared: EndpointDeclaration,
  reception: Reception,
  { id, type, subject }: FoundEvent,
): OutgoingRecord {
  return {
    topic: Topic.ingressGeneric,
    key: recordKey(declared.tenant, subject),
    value: input.body,
    headers: {
      ...headersOf(input, declared),
      ...(type === undefined ? {} : { [EVENT_TYPE]: type }),
    },
    envelope: envelopeOf(GENERIC_RECEIVED, id, subject, declared, reception),
  };
}

function quarantined(
  input: VerifiedInput,
  declared: EndpointDeclaration,
  reception: Reception,
  fault: Problem,
): OutgoingRecord {
  const subject = `${declared.source}:${input.digest}`;
  const envelope = envelopeOf(INPUT_QUARANTINED, input.digest, subject, declared, reception);
  return quarantineRecord(input.body, envelope, fault, headersOf(input, declared));
}

function headersOf(input: VerifiedInput, { endpoint }: EndpointDeclaration): Record<string, string> {
  const contentType = input.headers['content-type'];
  return {
    [VERIFIED]: input.evidence,
    [ENDPOINT]: endpoint,
    ...(contentType === undefined ? {} : { [CONTENT_TYPE]: contentType.slice(0, 200) }),
  };
}

/** Ids are the sender's own: the endpoint before them keeps those of two senders apart. */
const envelopeOf = (
  type: string,
  id: string,
  subject: string,
  { endpoint, source, connection, tenant }: EndpointDeclaration,
  { time, traceparent }: Reception,
): Envelope => ({
  id: `${endpoint}:${id}`,
  source: `/${source}/${connection}`,
  type,
  subject,
  time,
  tenant,
  correlationid: `${endpoint}:${id}`,
  traceparent,
});
