import { createHmac } from 'node:crypto';
import fc from 'fast-check';
import { Topic } from '#libs/contracts';
import { Problem } from '#libs/platform';
import { sortCallback } from './heygen/callback';
import { VerifiedCallback } from './heygen/signature';
import { sortRequest } from './hubspot/events';
import { VerifiedRequest } from './hubspot/signature';
import { heygenConnection, hubspotConnection } from './testing/connections';
import { anyBody, changedBytes, tries, triesWithinMs } from './testing/forgery';
import { liveSamples } from './testing/hubspot-samples';
import { inbound } from './testing/inbound';

jest.setTimeout(triesWithinMs);

const NOW = 1_762_387_200_500;
const SECRET = '7f3c1a52-0b8e-4c6d-9a11-2d5e8f9b0c34';
const URL = 'https://hub.example.test/webhooks/hubspot';
const reception = { time: new Date(NOW).toISOString(), traceparent: undefined };

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

interface SignedRequest {
  method: string;
  url: string;
  body: Buffer;
  signature: string;
  timestamp: string;
}

describe('hubspot', () => {
  const connections = [hubspotConnection(SECRET)];
  const sign = (url: string, body: Buffer, timestamp = String(NOW)): SignedRequest => {
    const signature = createHmac('sha256', SECRET).update(`POST${url}`).update(body).update(timestamp).digest('base64');
    return { method: 'POST', url, body, signature, timestamp };
  };
  const verify = ({ signature, timestamp, ...request }: SignedRequest) => {
    const headers = { 'x-hubspot-signature-v3': signature, 'x-hubspot-request-timestamp': timestamp };
    return VerifiedRequest.verify(inbound({ ...request, headers }), connections, NOW);
  };
  const query = fc.stringMatching(/^(\?[A-Za-z0-9=&[\]{}",]{0,20})?$/);

  it('accepts what was signed and makes of each event one record of its bytes', () => {
    fc.assert(
      fc.property(events, query, (body, after) => {
        const verified = verify(sign(URL + after, body));
        const code = refusal(() => {
          const { records, accepted, quarantined } = sortRequest(verified, reception);
          expect(records).toHaveLength(accepted + quarantined);
          for (const { value, topic } of records) {
            expect(body.includes(value)).toBe(true);
            expect([Topic.ingressHubspot, Topic.quarantine]).toContain(topic);
          }
        });
        expect(code).toBeUndefined();
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
        let topics: string[] = [];
        refusal(() => (topics = sortRequest(verify(moved), reception).records.map(({ topic }) => topic)));
        const { fault } = sortRequest(verify(sign(URL + after, body)), reception);
        if (!fault) expect(topics).not.toContain(Topic.ingressHubspot);
      }),
      tries,
    );
  });
});

describe('heygen', () => {
  const sign = (body: Buffer) => createHmac('sha256', SECRET).update(body).digest('hex');
  const verify = (body: Buffer, signature: string, timestamp?: string, eventId?: string) => {
    const headers = { 'heygen-signature': signature, 'heygen-timestamp': timestamp, 'heygen-event-id': eventId };
    return VerifiedCallback.verify(inbound({ body, headers }), [heygenConnection(SECRET)], NOW);
  };

  it('accepts what was signed and makes one record of its bytes', () => {
    fc.assert(
      fc.property(callbacks, fc.option(fc.string(), { nil: undefined }), (body, eventId) => {
        const verified = verify(body, sign(body), undefined, eventId);
        const code = refusal(() => {
          const { record, quarantined } = sortCallback(verified, reception);
          expect(record?.value.equals(body)).toBe(true);
          expect(record?.topic).toBe(quarantined ? Topic.quarantine : Topic.ingressHeygen);
        });
        expect(code).toBeUndefined();
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
