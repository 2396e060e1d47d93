import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { below, fetchFrom, type System } from './fetch.client';

let server: Server;
let port: number;
let answer: (response: ServerResponse, request: IncomingMessage) => void;
const seen: { url: string | undefined; headers: IncomingMessage['headers'] }[] = [];

beforeAll(async () => {
  server = createServer((request, response) => {
    seen.push({ url: request.url, headers: request.headers });
    answer(response, request);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  ({ port } = server.address() as AddressInfo);
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
});
beforeEach(() => {
  seen.length = 0;
});

const secret = 'hush-7f3a';
const ask = (over: Partial<System> = {}, path = '/a', ms = 5_000) => {
  const system = {
    url: `http://127.0.0.1:${String(port)}/api`,
    private: true,
    maxBytes: 1_000,
    headers: () => ({ authorization: `Bearer ${secret}` }),
    ...over,
  };
  return fetchFrom(system, { path }, AbortSignal.timeout(ms));
};
const says =
  (status: number, body: string | Buffer = '{}', headers: Record<string, string> = {}) =>
  (response: ServerResponse) =>
    response.writeHead(status, headers).end(body);

it('asks below the address, says who asks, and takes JSON', async () => {
  answer = says(200, '{"logins":7}');
  expect(await ask({}, '/customers/7%2F8?days=30')).toEqual({
    outcome: 'done',
    value: { status: 200, body: { logins: 7 } },
    cost: { apiCalls: 1 },
  });
  expect(seen).toMatchObject([
    {
      url: '/api/customers/7%2F8?days=30',
      headers: { authorization: `Bearer ${secret}`, accept: 'application/json', 'accept-encoding': 'identity' },
    },
  ]);
});

it.each([
  [404, 'no such customer'],
  [204, ''],
])('%s is an answer without a body', async (status, body) => {
  answer = says(status, body);
  expect(await ask()).toMatchObject({ outcome: 'done', value: { status, body: null } });
});

it.each<[number, Record<string, string>, object]>([
  [429, { 'retry-after': '7' }, { outcome: 'retry', code: 'http-429', refused: true, afterMs: 7_000 }],
  [429, {}, { outcome: 'retry', code: 'http-429', refused: true }],
  [503, { 'retry-after': '2' }, { outcome: 'retry', code: 'http-503', refused: true, afterMs: 2_000 }],
  [429, { 'retry-after': '99999999' }, { outcome: 'retry', refused: true, afterMs: 3_600_000 }],
  [503, {}, { outcome: 'retry', code: 'http-503', refused: false }],
  [500, {}, { outcome: 'retry', code: 'http-500', refused: false }],
  [408, {}, { outcome: 'retry', code: 'http-408', refused: false }],
  [401, {}, { outcome: 'stop', code: 'http-401' }],
  [400, {}, { outcome: 'stop', code: 'http-400' }],
])('sorts %s with %j', async (status, headers, sorted) => {
  answer = says(status, secret, headers);
  const answered = await ask();
  expect(answered).toMatchObject(sorted);
  expect(JSON.stringify(answered)).not.toContain(secret);
});

it('reads Retry-After as a date', async () => {
  answer = says(503, '', { 'retry-after': new Date(Date.now() + 90_000).toUTCString() });
  const { afterMs } = (await ask()) as { afterMs: number };
  expect(afterMs).toBeGreaterThan(80_000);
  expect(afterMs).toBeLessThanOrEqual(90_000);
});

it('follows no redirect', async () => {
  answer = says(302, '', { location: `http://127.0.0.1:${String(port)}/api/b` });
  expect(await ask()).toMatchObject({ outcome: 'stop', code: 'redirect' });
  expect(seen).toHaveLength(1);
});

it.each([
  ['no JSON', '<html>'],
  ['nothing', ''],
  ['half of it', '{"a":'],
  ['no UTF-8', Buffer.from([0x22, 0xff, 0x22])],
])('stops at a body of %s', async (_, body) => {
  answer = says(200, body);
  expect(await ask()).toMatchObject({ outcome: 'stop', code: 'not-json' });
});

it('stops at a body that is encoded: it may be far larger than it looks', async () => {
  answer = says(200, '{}', { 'content-encoding': 'gzip' });
  expect(await ask()).toMatchObject({ outcome: 'stop', code: 'not-json' });
});

it.each(['[', '{"a":'])('stops at a body of nothing but %s', async (open) => {
  const close = open === '[' ? ']' : '}';
  answer = says(200, `${open.repeat(3_000)}1${close.repeat(3_000)}`);
  expect(await ask({ maxBytes: 100_000 })).toMatchObject({ outcome: 'stop', code: 'too-deep' });
});

it('reads no more of a huge body than was declared, whatever length it names', async () => {
  let sent = 0;
  const flood = (response: ServerResponse) => {
    const chunk = Buffer.alloc(65_536, ' ');
    const more = () => {
      while (!response.destroyed && sent < 200_000_000) {
        sent += chunk.length;
        if (!response.write(chunk)) return void response.once('drain', more);
      }
      response.end();
    };
    more();
  };
  answer = flood;
  expect(await ask()).toMatchObject({ outcome: 'stop', code: 'too-large' });
  expect(sent).toBeLessThan(20_000_000);
  answer = says(200, ' '.repeat(2_000), { 'content-length': '2000' });
  expect(await ask()).toMatchObject({ outcome: 'stop', code: 'too-large' });
});

it.each<[string, (response: ServerResponse, request: IncomingMessage) => void]>([
  ['never answers', () => undefined],
  ['answers by drops', (response) => response.writeHead(200).write('{')],
])('gives up at the deadline where a system %s', async (_, does) => {
  answer = does;
  expect(await ask({}, '/a', 200)).toMatchObject({ outcome: 'retry', refused: false });
});

it('asks again where the connection is lost', async () => {
  answer = (_, request) => request.socket.destroy();
  expect(await ask()).toMatchObject({ outcome: 'retry', code: 'connection-lost', refused: false });
});

it('asks again where nobody listens, and where a name is not known', async () => {
  expect(await ask({ url: 'http://system.invalid' })).toMatchObject({ outcome: 'retry', code: 'unreachable' });
  expect(await ask({ url: 'http://127.0.0.1:1' })).toMatchObject({ outcome: 'retry', code: 'unreachable' });
});

it.each([
  'http://127.0.0.1',
  'http://localhost',
  'http://[::1]',
  'http://[::ffff:127.0.0.1]',
  'http://2130706433',
  'http://0x7f.1',
])('%s is not asked unless the system is private', async (host) => {
  answer = says(200);
  const url = `${host}:${String(port)}`;
  expect(await ask({ url, private: false })).toMatchObject({ outcome: 'stop', code: 'forbidden-address' });
  expect(seen).toEqual([]);
});

it('a name is asked at the address that was checked', async () => {
  answer = says(200);
  expect(await ask({ url: `http://localhost:${String(port)}` })).toMatchObject({ outcome: 'done' });
  expect(seen).toMatchObject([{ headers: { host: `localhost:${String(port)}` } }]);
});

it.each(['http://169.254.169.254', 'http://[fe80::1]', 'http://0.0.0.0'])('%s is never asked', async (url) => {
  expect(await ask({ url })).toMatchObject({ outcome: 'stop', code: 'forbidden-address' });
});

it('waits where a secret cannot be had or sent, and tells nothing of it', async () => {
  for (const headers of [
    () => ({ authorization: `${secret}\nx` }),
    (): never => {
      throw new Error(secret);
    },
  ]) {
    const answered = await ask({ headers });
    expect(answered).toMatchObject({ outcome: 'retry', code: 'no-secret', refused: true });
    expect(JSON.stringify(answered)).not.toContain(secret);
  }
  expect(seen).toEqual([]);
});

describe('a path', () => {
  it.each([
    '/../admin',
    '/a/../../admin',
    '/%2e%2e/admin',
    '/a/./b',
    '//evil.example/a',
    '/a//b',
    '@evil.example/a',
    '.evil.example/a',
    ':81/a',
    'a',
    '',
    '/a\\..\\b',
    '\\\\evil.example',
    '/a#b',
    '/a b',
    '/a\nb',
  ])('%j does not leave the address', async (path) => {
    expect(below('https://systems.example/api', path)).toBeUndefined();
    expect(await ask({}, path)).toMatchObject({ outcome: 'stop', code: 'forbidden-path' });
  });

  it.each(['/@me', '/a%2Fb', '/a:b;c=d', '/a?b=//c', '/a?b=..%2F&c=@d', '/'])('%j stands below it', (path) => {
    expect(below('https://systems.example/api/', path)?.href).toBe(`https://systems.example/api${path}`);
  });
});
