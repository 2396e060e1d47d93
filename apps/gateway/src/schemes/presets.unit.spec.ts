import { createHmac } from 'node:crypto';
import OpenAI from 'openai';
import { codeOf, inbound } from '../testing/inbound';
import { verifyHmac } from './hmac';
import { presets, type PresetName } from './presets';

interface Vector {
  preset: PresetName;
  /** Where it was published. */
  source: string;
  secret: string;
  /** As the vendor gives it: text, or base64 behind `whsec_`. */
  headers: Record<string, string>;
  body: string;
  /** Unix seconds. */
  at: number;
}

const slackBody =
  'token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V&channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text=&response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN&trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c';
const stripeBody = '{"id":"evt_1","object":"event","type":"payment_intent.succeeded"}';

const vectors: Vector[] = [
  {
    preset: 'github',
    source: 'docs.github.com, Validating webhook deliveries, "Testing the webhook payload validation"',
    secret: "It's a Secret to Everybody",
    headers: { 'x-hub-signature-256': 'sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17' },
    body: 'Hello, World!',
    at: 0,
  },
  {
    preset: 'slack',
    source: 'docs.slack.dev, Verifying requests from Slack',
    secret: '8f742231b10e8888abcd99yyyzzz85a5',
    headers: {
      'x-slack-request-timestamp': '1531420618',
      'x-slack-signature': 'v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503',
    },
    body: slackBody,
    at: 1_531_420_618,
  },
  {
    preset: 'standard-webhooks',
    source: 'svix/svix-webhooks, go/webhook_test.go, TestWebhookSign; the libraries of standard-webhooks repeat it',
    secret: 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw',
    headers: {
      'webhook-id': 'msg_p5jXN8AQM9LWM0D4loKWxJek',
      'webhook-timestamp': '1614265330',
      'webhook-signature': 'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=',
    },
    body: '{"test": 2432232314}',
    at: 1_614_265_330,
  },
  {
    preset: 'svix',
    source: 'docs.svix.com, Verifying webhooks manually',
    secret: 'whsec_plJ3nmyCDGBKInavdOK15jsl',
    headers: {
      'svix-id': 'msg_loFOjxBNrRLzqYUf',
      'svix-timestamp': '1731705121',
      'svix-signature': 'v1,rAvfW3dJ/X/qxhsaXPOyyCGmRKsaKWcsNccKXlIktD0=',
    },
    body: '{"event_type":"ping","data":{"success":true}}',
    at: 1_731_705_121,
  },
  {
    preset: 'openai',
    source: "openai/openai-node, tests/api-resources/webhooks.test.ts; the same in OpenAI's other libraries",
    secret: 'whsec_RdvaYFYUXuIFuEbvZHwMfYFhUf7aMYjYcmM24+Aj40c=',
    headers: {
      'webhook-id': 'wh_685c059ae39c8190af8c71ed1022a24d',
      'webhook-timestamp': '1750861210',
      'webhook-signature': 'v1,gUAg4R2hWouRZqRQG4uJypNS8YK885G838+EHb4nKBY=',
    },
    body: '{"id": "evt_685c059ae3a481909bdc86819b066fb6", "object": "event", "created_at": 1750861210, "type": "response.completed", "data": {"id": "resp_123"}}',
    at: 1_750_861_210,
  },
  {
    preset: 'stripe',
    source: 'none: Stripe publishes the form of the header, not a secret with it. Computed here by node:crypto',
    secret: 'whsec_test_secret',
    headers: {
      'stripe-signature': `t=1492774577,v1=${createHmac('sha256', 'whsec_test_secret').update(`1492774577.${stripeBody}`).digest('hex')},v0=6ffbb59b2300aae63f272406069a9788598b792a944a07aba816edb039989a39`,
    },
    body: stripeBody,
    at: 1_492_774_577,
  },
];

const keyOf = ({ preset, secret }: Vector): Buffer =>
  presets[preset].key === 'base64' ? Buffer.from(secret.replace('whsec_', ''), 'base64') : Buffer.from(secret);

const check = (vector: Vector, over: Partial<Vector & { next: Buffer; current: Buffer }> = {}) => {
  const { headers, body, at } = { ...vector, ...over };
  const known = { current: over.current ?? keyOf(vector), next: over.next };
  return codeOf(() =>
    verifyHmac(inbound({ headers, body: Buffer.from(body) }), presets[vector.preset], known, at * 1_000),
  );
};

const signatureHeader = (vector: Vector): string => presets[vector.preset].header;
const other = Buffer.from('another');

describe.each(vectors)('$preset ($source)', (vector) => {
  it('accepts what the vendor signed', () => {
    expect(check(vector)).toMatchObject({ secret: 'current' });
  });

  it('accepts it by the next secret too', () => {
    expect(check(vector, { current: other, next: keyOf(vector) })).toMatchObject({ secret: 'next' });
  });

  it('refuses another body, another secret and no signature', () => {
    expect(check(vector, { body: `${vector.body} ` })).toBe('signature-mismatch');
    expect(check(vector, { current: other, next: other })).toBe('signature-mismatch');
    const { [signatureHeader(vector)]: _, ...rest } = vector.headers;
    expect(check(vector, { headers: rest })).toBe('signature-missing');
  });

  it('refuses another spelling of the signature', () => {
    const name = signatureHeader(vector);
    const given = vector.headers[name] ?? '';
    const upper = { ...vector.headers, [name]: given.toUpperCase() };
    expect(check(vector, { headers: upper })).toMatch(/^signature-/);
    const padded = { ...vector.headers, [name]: `${given}=` };
    if (presets[vector.preset].encoding === 'base64')
      expect(check(vector, { headers: padded })).toBe('signature-mismatch');
  });
});

const timed = vectors.filter((vector) => 'timestamp' in presets[vector.preset]);

it.each(timed)('$preset: 300 seconds either way are near, 301 are not', (vector) => {
  for (const off of [-300, 300]) expect(check(vector, { at: vector.at + off })).toMatchObject({ secret: 'current' });
  for (const off of [-301, 301]) expect(check(vector, { at: vector.at + off })).toBe('timestamp-stale');
});

const several = vectors.filter((vector) => 'separator' in presets[vector.preset]);

it.each(several)('$preset: one of several signatures is enough, as when the sender changes its key', (vector) => {
  const { separator = '', prefix } = presets[vector.preset] as { separator?: string; prefix: string };
  const name = signatureHeader(vector);
  const given = vector.headers[name] ?? '';
  const [time, ...rest] = vector.preset === 'stripe' ? given.split(',') : [undefined, given];
  const wrong = `${prefix}${'A'.repeat(44)}`;
  const value = [time, wrong, ...rest].filter(Boolean).join(separator);
  expect(check(vector, { headers: { ...vector.headers, [name]: value } })).toMatchObject({ secret: 'current' });
  const flood = [time, ...Array<string>(10).fill(wrong), ...rest].filter(Boolean).join(separator);
  expect(check(vector, { headers: { ...vector.headers, [name]: flood } })).toBe('signature-mismatch');
});

it('stripe: a signature of another scheme than v1 counts as none', () => {
  const vector = vectors.find(({ preset }) => preset === 'stripe') as Vector;
  const downgraded = (vector.headers['stripe-signature'] ?? '').replace('v1=', 'v0=');
  expect(check(vector, { headers: { 'stripe-signature': downgraded } })).toBe('signature-mismatch');
});

it("agrees with OpenAI's own library about a request that this test signs", async () => {
  const secret = `whsec_${Buffer.from('0123456789abcdef0123456789abcdef').toString('base64')}`;
  const at = Math.floor(Date.now() / 1_000);
  const body = '{"id":"evt_2","type":"batch.completed","data":{"id":"batch_1"}}';
  const key = Buffer.from(secret.slice(6), 'base64');
  const signature = createHmac('sha256', key).update(`wh_2.${at}.${body}`).digest('base64');
  const headers = { 'webhook-id': 'wh_2', 'webhook-timestamp': String(at), 'webhook-signature': `v1,${signature}` };
  const openai = new OpenAI({ apiKey: 'none', webhookSecret: secret });
  await expect(openai.webhooks.verifySignature(body, headers)).resolves.toBeUndefined();
  const request = inbound({ headers, body: Buffer.from(body) });
  expect(verifyHmac(request, presets.openai, { current: key }, at * 1_000)).toMatchObject({ secret: 'current' });
});
