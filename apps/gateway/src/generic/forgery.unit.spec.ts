import { createHmac } from 'node:crypto';
import fc from 'fast-check';
import { Problem } from '#libs/platform';
import type { InboundRequest } from '../schemes/inbound';
import { inbound } from '../testing/inbound';
import { declare, open } from '../testing/endpoint';
import { anyBody as body, changedBytes, tries as limit, triesWithinMs } from '../testing/forgery';
import { challengeIn, sortInput } from './event';
import { VerifiedInput } from './verified-input';

jest.setTimeout(triesWithinMs);

const NOW = 1_762_387_200_000;
const TIME = String(NOW / 1_000);
const KEY = Buffer.from('0123456789abcdef0123456789abcdef');
const env = { TEXT: KEY.toString(), BASE64: `whsec_${KEY.toString('base64')}` };
const mac = (encoding: 'hex' | 'base64', ...parts: (string | Buffer)[]): string => {
  const hmac = createHmac('sha256', KEY);
  for (const part of parts) hmac.update(part);
  return hmac.digest(encoding);
};

/** Each way of signing: its declaration, and the headers of a body as the sender makes them. */
const signers: Record<string, { scheme: object; sign: (body: Buffer, id: string) => Record<string, string> }> = {
  github: {
    scheme: { scheme: 'github', secretEnv: 'TEXT' },
    sign: (body) => ({ 'x-hub-signature-256': `sha256=${mac('hex', body)}` }),
  },
  stripe: {
    scheme: { scheme: 'stripe', secretEnv: 'TEXT' },
    sign: (body) => ({ 'stripe-signature': `t=${TIME},v1=${mac('hex', TIME, '.', body)}` }),
  },
  slack: {
    scheme: { scheme: 'slack', secretEnv: 'TEXT' },
    sign: (body) => ({
      'x-slack-request-timestamp': TIME,
      'x-slack-signature': `v0=${mac('hex', 'v0:', TIME, ':', body)}`,
    }),
  },
  'standard-webhooks': {
    scheme: { scheme: 'standard-webhooks', secretEnv: 'BASE64' },
    sign: (body, id) => ({
      'webhook-id': id,
      'webhook-timestamp': TIME,
      'webhook-signature': `v1,${mac('base64', id, '.', TIME, '.', body)}`,
    }),
  },
  'all parts': {
    scheme: {
      scheme: 'hmac',
      secretEnv: 'TEXT',
      header: 'x-signature',
      encoding: 'base64',
      signed: ['method', 'url', { text: '\n' }, { header: 'x-id' }, { text: '\n' }, 'timestamp', 'body'],
      timestamp: { header: 'x-time', unit: 'ms' },
    },
    sign: (body, id) => ({
      'x-id': id,
      'x-time': String(NOW),
      'x-signature': mac('base64', 'POST', inbound().url, '\n', id, '\n', String(NOW), body),
    }),
  },
};

const endpoints = Object.entries(signers).map(([name, { scheme, sign }]) => ({
  name,
  sign,
  endpoint: open(declare({ authentication: [scheme] }), env),
  signsAddress: name === 'all parts',
}));

const id = fc.stringMatching(/^[A-Za-z0-9_-]{1,20}$/);
const position = fc.nat(10_000);

type Mutation = (request: InboundRequest) => InboundRequest;

const changeBody = changedBytes.map((change): Mutation => (request) => ({ ...request, body: change(request.body) }));

const inHeader =
  (which: number, change: (value: string) => string | undefined): Mutation =>
  (request) => {
    const names = Object.keys(request.headers);
    const name = names[which % names.length] ?? '';
    return { ...request, headers: { ...request.headers, [name]: change(request.headers[name] ?? '') } };
  };
const printable = fc.stringMatching(/^[\x20-\x7e]$/);
const replaceInHeader = fc
  .tuple(fc.nat(5), position, printable)
  .map(([which, at, char]) => inHeader(which, (v) => v.slice(0, at % v.length) + char + v.slice((at % v.length) + 1)));
const cutHeader = fc.tuple(fc.nat(5), position).map(([which, at]) => inHeader(which, (v) => v.slice(0, at % v.length)));
const dropHeader = fc.nat(5).map((which) => inHeader(which, () => undefined));
/** Moves the border between what stands in a header and what stands in the body. */
const shift = fc.tuple(fc.nat(5), position).map(([which, at]): Mutation => (request) => {
  const n = at % (request.body.length + 1);
  const moved = inHeader(which, (v) => v + request.body.subarray(0, n).toString('latin1'))(request);
  return { ...moved, body: request.body.subarray(n) };
});
const mutation = fc.oneof({ weight: 3, arbitrary: changeBody }, replaceInHeader, cutHeader, dropHeader, shift);

const same = (a: InboundRequest, b: InboundRequest): boolean =>
  a.body.equals(b.body) && JSON.stringify({ ...a, body: '' }) === JSON.stringify({ ...b, body: '' });

/** The code of the problem, or that it was accepted; anything else is a crash. */
const outcome = async (request: InboundRequest, endpoint: ReturnType<typeof open>): Promise<string> => {
  try {
    await VerifiedInput.verify(request, endpoint, NOW);
    return 'accepted';
  } catch (error) {
    if (error instanceof Problem && error.kind === 'invalid' && error.status === 401) return error.code;
    throw error;
  }
};

describe.each(endpoints)('$name', ({ endpoint, sign, signsAddress }) => {
  const signed = fc.tuple(body, id).map(([bytes, name]) => inbound({ body: bytes, headers: sign(bytes, name) }));

  it('accepts every body that was signed', async () => {
    await fc.assert(
      fc.asyncProperty(signed, async (request) => expect(await outcome(request, endpoint)).toBe('accepted')),
      limit,
    );
  });

  it('accepts no mutation of it', async () => {
    await fc.assert(
      fc.asyncProperty(signed, mutation, async (request, mutate) => {
        const mutated = mutate(request);
        fc.pre(!same(mutated, request));
        expect(await outcome(mutated, endpoint)).not.toBe('accepted');
      }),
      limit,
    );
  });

  it('accepts it nowhere else and by no other method, where these are signed', async () => {
    const request = inbound({ headers: sign(inbound().body, 'msg_1') });
    for (const over of [{ method: 'PUT' }, { url: `${request.url}?a=1` }]) {
      expect((await outcome({ ...request, ...over }, endpoint)) === 'accepted').toBe(!signsAddress);
    }
  });
});

const anyHeader = fc.oneof(
  fc.string({ unit: 'binary-ascii', maxLength: 60 }),
  fc.string({ unit: 'binary', maxLength: 20 }),
  fc.stringMatching(/^[A-Za-z0-9=,;."\\: {}/+_-]{0,60}$/),
  fc.constantFrom('Basic ', 'Bearer a.b.c', 'Bearer eyJhbGciOiJub25lIn0.e30.', 't=,v1=', 'v1,', 'Hash=', '::1', '"'),
);
const names = [
  'authorization',
  'x-forwarded-for',
  'x-forwarded-client-cert',
  'x-hub-signature-256',
  'stripe-signature',
  'webhook-id',
  'webhook-timestamp',
  'webhook-signature',
  'x-slack-signature',
  'x-slack-request-timestamp',
  'x-key',
];
const anyRequest = fc.record({
  method: fc.constant('POST'),
  url: fc.string(),
  headers: fc.dictionary(fc.constantFrom(...names), anyHeader),
  body,
  peer: fc.oneof(fc.ipV4(), fc.ipV6(), fc.constant('10.0.0.1'), fc.string()),
});

const every = [
  ...['github', 'stripe', 'slack'].map((scheme) => ({ scheme, secretEnv: 'TEXT' })),
  { scheme: 'standard-webhooks', secretEnv: 'BASE64' },
  { scheme: 'basic', user: 'u', secretEnv: 'TEXT' },
  { scheme: 'api-key', header: 'x-key', secretEnv: 'TEXT' },
  { scheme: 'certificate', subjects: ['CN=\u0000'], sans: ['\u0000'] },
  { scheme: 'addresses', allow: ['255.255.255.255'] },
  { scheme: 'bearer-token', issuer: 'i', audience: 'a', jwks: 'http://127.0.0.1:1/keys' },
].map((scheme) => open(declare({ authentication: [scheme] }), env));

it('refuses whatever comes with a problem and no crash', async () => {
  await fc.assert(
    fc.asyncProperty(anyRequest, fc.constantFrom(...every), async (request, endpoint) => {
      const refused = await VerifiedInput.verify(request, endpoint, NOW).then(
        () => 'accepted',
        (error: unknown) => error,
      );
      expect(refused).toBeInstanceOf(Problem);
      expect((refused as Problem).kind).not.toBe('bug');
    }),
    limit,
  );
});

const pointer = fc.constantFrom('/id', '/a/0', '/', '/__proto__/x', '/~0~1');
const anyEvent = fc.record(
  { id: fc.record({ pointer }), type: fc.record({ pointer }), subject: fc.record({ pointer }) },
  { requiredKeys: [] },
);

it('makes one record of whatever is authentic', async () => {
  const known = { id: 'evt_1', a: ['x'], '': 1 };
  const content = fc.oneof(
    body,
    fc.jsonValue().map((rest) => Buffer.from(JSON.stringify({ ...known, rest }))),
  );
  await fc.assert(
    fc.asyncProperty(content, anyEvent, async (bytes, event) => {
      const declared = declare({ event, authentication: [{ scheme: 'github', secretEnv: 'TEXT' }] });
      const headers = { 'x-hub-signature-256': `sha256=${mac('hex', bytes)}` };
      const input = await VerifiedInput.verify(inbound({ body: bytes, headers }), open(declared, env), NOW);
      challengeIn(input);
      const sorted = sortInput(input, declared, { time: new Date(NOW).toISOString(), traceparent: undefined });
      if (sorted === 'ignored') throw new Error('nothing was to be ignored');
      expect(sorted.record.value.equals(bytes)).toBe(true);
      expect(sorted.record.topic).toBe(sorted.fault ? 'ingress.quarantine' : 'ingress.generic.v1');
    }),
    limit,
  );
});
