import { createHmac } from 'node:crypto';
import fc from 'fast-check';
import { Topic } from '#libs/contracts';
import { Problem } from '#libs/platform';
import { sortCallback } from './heygen/callback';
import { VerifiedCallback } from './heygen/signature';
import { sortEvents } from './hubspot/events';
import { type SignedRequest, VerifiedRequest } from './hubspot/signature';
import { Tenants } from './tenants';
import { anyBody, changedBytes, tries, triesWithinMs } from './testing/forgery';
import { liveSamples } from './testing/hubspot-samples';

jest.setTimeout(triesWithinMs);

const NOW = 1_762_387_200_500;
const SECRET = '7f3c1a52-0b8e-4c6d-9a11-2d5e8f9b0c34';
const URL = 'https://hub.example.test/webhooks/hubspot';
const reception = { time: new Date(NOW).toISOString(), traceparent: undefined, eventId: undefined };

/** The code of a refusal; throws what is none. */
const refusal = (run: () => unknown): string | undefined => {
  try {
    run();
    return undefined;
  } catch (error) {
    if (error instanceof Problem && error.kind === 'invalid') return error.code;
    throw error;
  }
};

const samples = fc.constantFrom(...Object.values(liveSamples));
const events = fc.oneof(
  anyBody,
  fc.array(fc.oneof(samples, fc.json()), { maxLength: 4 }).map((all) => Buffer.from(`[${all.join(' , ')}]`)),
  fc.tuple(samples, changedBytes).map(([sample, change]) => change(Buffer.from(`[${sample}]`))),
);
const callback = fc.record(
  {
    event_type: fc.oneof(fc.constantFrom('avatar_video.success', 'avatar_video.fail'), fc.string()),
    event_data: fc.jsonValue(),
  },
  { requiredKeys: [] },
);
const callbacks = fc.oneof(
  anyBody,
  callback.map((value) => Buffer.from(JSON.stringify(value))),
);
const text = fc.tuple(fc.string({ unit: 'binary', maxLength: 90 }), fc.constantFrom('', 'sha256=', '='));

describe('hubspot', () => {
  const sign = (url: string, body: Buffer, timestamp = String(NOW)): SignedRequest => {
    const signature = createHmac('sha256', SECRET).update(`POST${url}`).update(body).update(timestamp).digest('base64');
    return { method: 'POST', url, body, signature, timestamp };
  };
  const verify = (request: SignedRequest) => VerifiedRequest.verify(request, SECRET, NOW);
  const query = fc.stringMatching(/^(\?[A-Za-z0-9=&[\]{}",]{0,20})?$/);

  it('accepts what was signed and makes of each event one record of its bytes', () => {
    fc.assert(
      fc.property(events, query, (body, after) => {
        const verified = verify(sign(URL + after, body));
        const code = refusal(() => {
          const { records, accepted, quarantined } = sortEvents(verified, new Tenants(), reception);
          expect(records).toHaveLength(accepted + quarantined);
          for (const { value, topic } of records) {
            expect(body.includes(value)).toBe(true);
            expect([Topic.ingressHubspot, Topic.quarantine]).toContain(topic);
          }
        });
        expect([undefined, 'not-json', 'wrong-shape', 'too-many-events']).toContain(code);
      }),
      tries,
    );
  });

  it('accepts no other body, time, method or signature', () => {
    fc.assert(
      fc.property(events, changedBytes, fc.integer({ min: 1, max: 299_999 }), text, (body, change, later, [given]) => {
        const signed = sign(URL, body);
        const changed = change(body);
        if (!changed.equals(body))
          expect(refusal(() => verify({ ...signed, body: changed }))).toBe('signature-mismatch');
        expect(refusal(() => verify({ ...signed, timestamp: String(NOW - later) }))).toBe('signature-mismatch');
        expect(refusal(() => verify({ ...signed, method: 'PUT' }))).toBe('signature-mismatch');
        expect(refusal(() => verify({ ...signed, signature: given }))).toMatch(/^signature-/);
        expect(refusal(() => verify({ ...signed, timestamp: given }))).toMatch(/^(signature-missing|timestamp-stale)$/);
      }),
      tries,
    );
  });

  // What is signed has no border between address and body.
  it('makes no event of a request whose border of address and body was moved', () => {
    fc.assert(
      fc.property(events, query, fc.integer({ min: -20, max: 300 }), (body, after, by) => {
        const whole = Buffer.concat([Buffer.from(after), body]);
        const border = after.length + by;
        fc.pre(by !== 0 && border >= 0 && border <= whole.length);
        const { signature, timestamp } = sign(URL + after, body);
        const url = URL + whole.subarray(0, border).toString();
        const moved = { method: 'POST', url, body: whole.subarray(border), signature, timestamp };
        let records: unknown[] = [];
        refusal(() => (records = sortEvents(verify(moved), new Tenants(), reception).records));
        const whereSigned = refusal(() => sortEvents(verify(sign(URL + after, body)), new Tenants(), reception));
        if (whereSigned === undefined) expect(records).toEqual([]);
      }),
      tries,
    );
  });
});

describe('heygen', () => {
  const sign = (body: Buffer) => createHmac('sha256', SECRET).update(body).digest('hex');
  const verify = (body: Buffer, signature: string, timestamp?: string) =>
    VerifiedCallback.verify({ body, signature, timestamp }, SECRET, NOW);

  it('accepts what was signed and makes one record of its bytes', () => {
    fc.assert(
      fc.property(callbacks, fc.option(fc.string(), { nil: undefined }), (body, eventId) => {
        const verified = verify(body, sign(body));
        const code = refusal(() => {
          const { record, quarantined } = sortCallback(verified, { ...reception, eventId });
          expect(record.value.equals(body)).toBe(true);
          expect(record.topic).toBe(quarantined ? Topic.quarantine : Topic.ingressHeygen);
        });
        expect([undefined, 'not-json']).toContain(code);
      }),
      tries,
    );
  });

  it('accepts no other body or signature, and no strange time', () => {
    fc.assert(
      fc.property(callbacks, changedBytes, text, (body, change, [given, before]) => {
        const changed = change(body);
        if (!changed.equals(body)) expect(refusal(() => verify(changed, sign(body)))).toBe('signature-mismatch');
        expect(refusal(() => verify(body, before + given))).toMatch(/^signature-/);
        expect(refusal(() => verify(body, sign(body), given))).toBe('timestamp-stale');
      }),
      tries,
    );
  });
});
