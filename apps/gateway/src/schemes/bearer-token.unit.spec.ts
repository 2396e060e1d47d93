import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { exportJWK, exportSPKI, SignJWT } from 'jose';
import { Problem } from '#libs/platform';
import { inbound } from '../testing/inbound';
import { bearerTokenRule, issuerKeys, verifyBearerToken } from './bearer-token';

const rsa = () => generateKeyPairSync('rsa', { modulusLength: 2048 });
const first = rsa();
const second = rsa();
const third = rsa();
const jwk = async (key: { publicKey: KeyObject }, kid?: string) => ({ ...(await exportJWK(key.publicKey)), kid });

/** What the issuer answers, and how often it was asked. */
const issuer = { status: 200, keys: [] as object[], asked: 0 };
const server = createServer((_request, response) => {
  issuer.asked += 1;
  response.writeHead(issuer.status).end(JSON.stringify({ keys: issuer.keys }));
});
let url: string;
beforeAll(async () => {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/keys`;
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
});
beforeEach(async () => {
  Object.assign(issuer, { status: 200, keys: [await jwk(first, 'k1')], asked: 0 });
});

const now = Date.now();
const at = Math.floor(now / 1_000);
const sign = (key: KeyObject | Uint8Array, header: object = {}, claims: object = {}): Promise<string> =>
  new SignJWT({ iss: 'https://issuer.test', aud: 'hub', exp: at + 60, ...claims })
    .setProtectedHeader({ alg: 'RS256', kid: 'k1', ...header })
    .sign(key);

const rule = () =>
  bearerTokenRule.parse({ scheme: 'bearer-token', issuer: 'https://issuer.test', audience: 'hub', jwks: url });
const verify = (authorization: string | undefined, keys = issuerKeys(url)): Promise<unknown> =>
  verifyBearerToken(inbound({ headers: { authorization } }), rule(), keys, now).catch((error: unknown) =>
    error instanceof Problem ? error.code : error,
  );
const bearer = async (token: Promise<string>): Promise<string> => `Bearer ${await token}`;

it('accepts a token of the issuer', async () => {
  expect(await verify(await bearer(sign(first.privateKey)))).toEqual({ says: 'of https://issuer.test' });
});

it('refuses tokens of others, for others, of other times, and what is no token', async () => {
  const refused = [
    sign(second.privateKey),
    sign(first.privateKey, {}, { iss: 'https://other.test' }),
    sign(first.privateKey, {}, { aud: 'other' }),
    sign(first.privateKey, {}, { exp: at - 61 }),
    sign(first.privateKey, {}, { exp: undefined }),
    sign(first.privateKey, {}, { nbf: at + 61 }),
    sign(first.privateKey, { alg: 'RS512' }),
    sign(first.privateKey, { alg: 'PS256' }),
    Promise.resolve('a.b.c'),
    Promise.resolve(''),
    sign(first.privateKey).then((token) => token.slice(0, -4)),
  ];
  for (const token of refused) expect(await verify(await bearer(token))).toBe('unauthorized');
  expect(await verify(undefined)).toBe('unauthorized');
  expect(await verify(await sign(first.privateKey))).toBe('unauthorized');
});

it('never takes an unsigned token, nor one that is signed with the public key as a secret', async () => {
  const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  const claims = part({ iss: 'https://issuer.test', aud: 'hub', exp: at + 60 });
  expect(await verify(`Bearer ${part({ alg: 'none', kid: 'k1' })}.${claims}.`)).toBe('unauthorized');
  const pem = new TextEncoder().encode(await exportSPKI(first.publicKey));
  expect(await verify(await bearer(sign(pem, { alg: 'HS256' })))).toBe('unauthorized');
  for (const algorithm of ['none', 'HS256', 'HS512']) {
    expect(bearerTokenRule.safeParse({ ...rule(), algorithms: [algorithm] }).success).toBe(false);
  }
});

it('asks for the keys once, again for an unknown one, and then not soon again', async () => {
  const keys = issuerKeys(url);
  for (let i = 0; i < 3; i++) await verify(await bearer(sign(first.privateKey)), keys);
  expect(issuer.asked).toBe(1);
  for (let i = 0; i < 3; i++) {
    expect(await verify(await bearer(sign(second.privateKey, { kid: 'k2' })), keys)).toBe('unauthorized');
  }
  expect(issuer.asked).toBe(1);
});

describe('half a minute later', () => {
  beforeEach(
    () => void jest.useFakeTimers({ doNotFake: ['nextTick', 'setImmediate', 'setTimeout', 'queueMicrotask'] }),
  );
  afterEach(() => void jest.useRealTimers());

  it('knows the key that the issuer changed to, beside the one before it', async () => {
    const keys = issuerKeys(url);
    expect(await verify(await bearer(sign(first.privateKey)), keys)).toMatchObject({});
    issuer.keys = [await jwk(first, 'k1'), await jwk(second, 'k2')];
    jest.setSystemTime(Date.now() + 31_000);
    expect(await verify(await bearer(sign(second.privateKey, { kid: 'k2' })), keys)).toEqual({
      says: 'of https://issuer.test',
    });
    expect(await verify(await bearer(sign(first.privateKey)), keys)).toEqual({ says: 'of https://issuer.test' });
    expect(issuer.asked).toBe(2);
  });

  it('still takes tokens of known keys while the issuer fails, and answers 503 for unknown ones', async () => {
    const keys = issuerKeys(url);
    const known = await bearer(sign(first.privateKey));
    const unknown = await bearer(sign(second.privateKey, { kid: 'k2' }));
    await verify(known, keys);
    issuer.status = 500;
    jest.setSystemTime(Date.now() + 31_000);
    for (let i = 0; i < 3; i++) {
      expect(await verify(unknown, keys)).toBe('keys-unavailable');
      expect(await verify(known, keys)).toEqual({ says: 'of https://issuer.test' });
    }
    expect(issuer.asked).toBe(2);
  });
});

it('tries each key that fits where the token names none', async () => {
  issuer.keys = [await jwk(first), await jwk(second)];
  expect(await verify(await bearer(sign(second.privateKey, { kid: undefined })))).toEqual({
    says: 'of https://issuer.test',
  });
  expect(await verify(await bearer(sign(third.privateKey, { kid: undefined })))).toBe('unauthorized');
});

it('answers 503 and not 401 while the keys cannot be had, and leaves the issuer alone for a while', async () => {
  const keys = issuerKeys(url);
  issuer.status = 500;
  const token = await bearer(sign(first.privateKey));
  for (let i = 0; i < 3; i++) expect(await verify(token, keys)).toBe('keys-unavailable');
  expect(issuer.asked).toBe(1);
  expect(await verify(token, issuerKeys('http://127.0.0.1:1/keys'))).toBe('keys-unavailable');
});

it('takes no keys from an address that anybody on the way could answer for', () => {
  expect(bearerTokenRule.safeParse({ ...rule(), jwks: 'http://issuer.test/keys' }).success).toBe(false);
  expect(bearerTokenRule.safeParse({ ...rule(), jwks: 'http://localhost.evil.test/keys' }).success).toBe(false);
  expect(bearerTokenRule.safeParse({ ...rule(), jwks: 'https://issuer.test/keys' }).success).toBe(true);
});
