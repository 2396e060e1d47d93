import { envelopeSchema, type Envelope } from '#libs/contracts';

/** Headers as they come from a broker: bytes, text, or several values under one name. */
export type RawHeaders = Record<string, Buffer | string | (Buffer | string)[] | undefined>;

const attributes = [
  'id',
  'source',
  'type',
  'subject',
  'time',
  'tenant',
  'correlationid',
  'causationid',
  'replayid',
  'lane',
] as const;

/** Writes an envelope as the headers of a CloudEvents 1.0 record in Kafka binary mode; `traceparent` goes unchanged. */
export function toHeaders(envelope: Envelope): Record<string, string> {
  const headers: Record<string, string> = { ce_specversion: '1.0', 'content-type': 'application/json' };
  for (const name of attributes) {
    const value = envelope[name];
    if (value !== undefined) headers[`ce_${name}`] = value;
  }
  if (envelope.traceparent !== undefined) headers['traceparent'] = envelope.traceparent;
  return headers;
}

/** Decodes headers as UTF-8 text; of several values under one name the last counts. */
export function toText(raw: RawHeaders | undefined): Record<string, string> {
  const text: Record<string, string> = {};
  for (const name in raw) {
    const value = raw[name];
    const last = Array.isArray(value) ? value.at(-1) : value;
    if (last !== undefined && last !== null) text[name] = last.toString();
  }
  return text;
}

/** Reads the envelope from headers; undefined where they are no CloudEvent 1.0 of ours. */
export function readEnvelope(headers: Record<string, string>): Envelope | undefined {
  if (headers['ce_specversion'] !== '1.0') return undefined;
  const found: Partial<Record<keyof Envelope, string>> = { traceparent: headers['traceparent'] };
  for (const name of attributes) {
    const value = headers[`ce_${name}`];
    if (value !== undefined) found[name] = value;
  }
  const parsed = envelopeSchema.safeParse(found);
  return parsed.success ? parsed.data : undefined;
}
