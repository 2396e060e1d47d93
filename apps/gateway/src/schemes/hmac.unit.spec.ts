import { createHmac } from 'node:crypto';
import { codeOf, inbound, secrets } from '../testing/inbound';
import { hmacRule, verifyHmac, type HmacRule } from './hmac';

const NOW = 1_762_387_200_000;
const rule = (over: object = {}): HmacRule =>
  hmacRule.parse({ scheme: 'hmac', secretEnv: 'S', header: 'X-Signature', ...over });
const faults = (over: object): string[] =>
  hmacRule
    .safeParse({ scheme: 'hmac', secretEnv: 'S', header: 'X-Signature', ...over })
    .error?.issues.map((i) => i.message) ?? [];
const sign = (content: string, algorithm = 'sha256', encoding: 'hex' | 'base64' = 'hex', key = 'one') =>
  createHmac(algorithm, key).update(content).digest(encoding);
const verify = (by: HmacRule, headers: Record<string, string>, over: object = {}) =>
  codeOf(() => verifyHmac(inbound({ headers, body: Buffer.from('body'), ...over }), by, secrets('one', 'two'), NOW));

it.each(['sha1', 'sha256', 'sha512'] as const)(
  'verifies %s in hex and base64, by the current and the next secret',
  (algorithm) => {
    for (const encoding of ['hex', 'base64'] as const) {
      const by = rule({ algorithm, encoding });
      expect(verify(by, { 'x-signature': sign('body', algorithm, encoding) })).toEqual({
        says: `${algorithm} current`,
        secret: 'current',
      });
      const next = verify(by, { 'x-signature': sign('body', algorithm, encoding, 'two') });
      expect(next).toMatchObject({ secret: 'next' });
      expect(verify(by, { 'x-signature': sign('body', algorithm, encoding, 'three') })).toBe('signature-mismatch');
    }
  },
);

it('verifies what is signed in the order in which it is signed', () => {
  const by = rule({
    signed: ['method', { text: '\n' }, 'url', { text: '\n' }, { header: 'X-Id' }, { text: '.' }, 'timestamp', 'body'],
    timestamp: { header: 'X-Time', unit: 'ms', toleranceSeconds: 10 },
  });
  const headers = { 'x-id': '7', 'x-time': String(NOW) };
  const signature = sign(`POST\nhttps://hub.example.test/webhooks/in/test\n7.${NOW}body`);
  const all = { ...headers, 'x-signature': signature };
  expect(verify(by, all)).toMatchObject({ secret: 'current', says: `sha256 current at ${NOW}` });
  expect(verify(by, all, { method: 'PUT' })).toBe('signature-mismatch');
  expect(verify(by, all, { url: 'https://hub.example.test/webhooks/in/test?a=1' })).toBe('signature-mismatch');
  expect(verify(by, { ...all, 'x-id': '8' })).toBe('signature-mismatch');
  expect(verify(by, { ...all, 'x-time': String(NOW + 1) })).toBe('signature-mismatch');
  expect(verify(by, { 'x-time': String(NOW), 'x-signature': signature })).toBe('signature-missing');
  expect(verify(by, { 'x-id': '7', 'x-signature': signature })).toBe('signature-missing');
});

it.each([
  ['10 s before', -10_000, true],
  ['10 s after', 10_000, true],
  ['earlier', -10_001, false],
  ['later', 10_001, false],
])('takes a timestamp %s: %p ms, %p', (_name, off, fresh) => {
  const by = rule({ signed: ['timestamp', 'body'], timestamp: { header: 'x-time', unit: 'ms', toleranceSeconds: 10 } });
  const time = String(NOW + off);
  const found = verify(by, { 'x-time': time, 'x-signature': sign(`${time}body`) });
  expect(found === 'timestamp-stale').toBe(!fresh);
});

it.each(['1762387200', '1762387200000 ', '+762387200000', '0x19a5a6b3e00', '1e12', '17623872000001', ''])(
  'takes %p for no time in milliseconds',
  (time) => {
    const by = rule({ signed: ['timestamp', 'body'], timestamp: { header: 'x-time', unit: 'ms' } });
    const found = verify(by, { 'x-time': time, 'x-signature': sign(`${time}body`) });
    expect(found).toBe(time === '' ? 'signature-missing' : 'timestamp-stale');
  },
);

it('takes the timestamp out of the signature header only where there is exactly one', () => {
  const by = rule({
    separator: ',',
    prefix: 'v1=',
    signed: ['timestamp', { text: '.' }, 'body'],
    timestamp: { item: 't=' },
  });
  const time = NOW / 1_000;
  const signature = `v1=${sign(`${time}.body`)}`;
  expect(verify(by, { 'x-signature': `t=${time},${signature}` })).toMatchObject({ secret: 'current' });
  expect(verify(by, { 'x-signature': `t=${time},${signature},t=${time}` })).toBe('signature-missing');
  expect(verify(by, { 'x-signature': signature })).toBe('signature-missing');
  expect(verify(by, { 'x-signature': `t=${time}` })).toBe('signature-mismatch');
});

it('refuses a header value that holds the text after it: it could end elsewhere', () => {
  const by = rule({ signed: [{ header: 'x-id' }, { text: '.' }, 'body'] });
  const signature = sign('a.b.body');
  expect(verify(by, { 'x-id': 'a.b', 'x-signature': signature })).toBe('signature-mismatch');
  const shifted = verify(by, { 'x-id': 'a', 'x-signature': signature }, { body: Buffer.from('b.body') });
  expect(shifted).toMatchObject({ secret: 'current' });
});

it('signs the bytes of a header, whatever they mean', () => {
  const by = rule({ signed: [{ header: 'x-id' }, { text: '.' }, 'body'] });
  const id = Buffer.from('Zoë').toString('latin1');
  expect(verify(by, { 'x-id': id, 'x-signature': sign('Zoë.body') })).toMatchObject({ secret: 'current' });
});

it('refuses declarations that could not hold what they promise', () => {
  expect(faults({ signed: ['method'] })).toEqual(['must sign the body']);
  expect(faults({ timestamp: { header: 'x-time' } })[0]).toContain('must sign its timestamp');
  expect(faults({ signed: ['timestamp', 'body'] })[0]).toContain('must sign its timestamp');
  expect(faults({ signed: [{ header: 'a' }, { header: 'b' }, 'body'] })[0]).toContain(
    'needs a text between two headers',
  );
  expect(faults({ signed: ['timestamp', 'body'], timestamp: { item: 't=' } })[0]).toContain('needs a separator');
  expect(faults({ secretEnv: undefined })).toEqual(['names either secretFile or secretEnv']);
  expect(faults({ secretFile: '/a' })).toEqual(['names either secretFile or secretEnv']);
  expect(faults({ nextSecretFile: '/a', nextSecretEnv: 'B' })[0]).toContain('at most one');
  expect(faults({ secret: 'inline' })).toEqual(['Unrecognized key: "secret"']);
});
