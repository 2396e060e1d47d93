import type { Envelope } from '#libs/contracts';
import fc from 'fast-check';
import { readEnvelope, toHeaders, toText } from './headers';

const full: Envelope = {
  id: 'hubspot:1',
  source: '/hubspot/default',
  type: 'refrain.hubspot-change.received.v1',
  subject: 'contact:541935488729',
  time: '2026-11-21T05:00:00.123Z',
  tenant: 'default',
  correlationid: 'hubspot:1',
  causationid: 'hubspot:0',
  replayid: 'replay-7',
  traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
};

it('writes the names of the CloudEvents Kafka binding', () => {
  expect(toHeaders(full)).toEqual({
    'content-type': 'application/json',
    ce_specversion: '1.0',
    ce_id: 'hubspot:1',
    ce_source: '/hubspot/default',
    ce_type: 'refrain.hubspot-change.received.v1',
    ce_subject: 'contact:541935488729',
    ce_time: '2026-11-21T05:00:00.123Z',
    ce_tenant: 'default',
    ce_correlationid: 'hubspot:1',
    ce_causationid: 'hubspot:0',
    ce_replayid: 'replay-7',
    traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
  });
});

it('reads back what it wrote, whatever the text and whether as text or bytes', () => {
  const word = fc.string({ minLength: 1, unit: 'grapheme' });
  const envelopes = fc.record(
    {
      id: word,
      source: word,
      type: word,
      subject: word,
      tenant: word,
      correlationid: word,
      causationid: word,
      replayid: word,
    },
    { requiredKeys: ['id', 'source', 'type', 'subject', 'tenant', 'correlationid'] },
  );
  fc.assert(
    fc.property(envelopes, fc.boolean(), (some, bytes) => {
      const envelope: Envelope = { ...some, time: '2026-11-21T05:00:00Z' };
      const headers = Object.entries(toHeaders(envelope)).map(([k, v]) => [k, bytes ? [Buffer.from(v)] : v]);
      expect(readEnvelope(toText(Object.fromEntries(headers)))).toEqual(envelope);
    }),
  );
});

it.each(['id', 'source', 'type', 'subject', 'time', 'tenant', 'correlationid', 'specversion'])(
  'reads no envelope where ce_%s is missing',
  (name) => {
    const { [`ce_${name}`]: _, ...rest } = toHeaders(full);
    expect(readEnvelope(rest)).toBeUndefined();
  },
);

it('reads no envelope from a time that is none', () => {
  expect(readEnvelope({ ...toHeaders(full), ce_time: 'yesterday' })).toBeUndefined();
});

it('takes the last of several values under one name and no header at all', () => {
  expect(toText({ a: [Buffer.from('1'), '2'], b: undefined })).toEqual({ a: '2' });
  expect(readEnvelope(toText(undefined))).toBeUndefined();
});
