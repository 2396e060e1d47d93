import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, beforeEach, describe, it } from 'node:test';
import { Signature } from '@hubspot/api-client';
import { seededRandom } from '../src/frame/seeded-random.ts';
import { createHubspot } from '../src/hubspot/server.ts';
import { decodedForV3 } from '../src/hubspot/webhooks/signatures.ts';
import { listening, Receiver, type Received, type Sandbox } from './harness.ts';

const clientSecret = 'yyyyyyyy-yyyy-yyyy-yyyy-yyyyyyyyyyyy';
const publicUrl = 'https://hub.example.test';
const options = { clientSecret, appId: 1160452, accessToken: 'pat-na1-x', portalId: 62515, retryScale: 0.01 };
const folder = mkdtempSync(join(tmpdir(), 'record-page-'));

let hubspot: Sandbox;
let receiver: Receiver;

before(async () => {
  receiver = new Receiver();
  const target = { url: `${publicUrl}/webhooks/hubspot`, deliverTo: await receiver.start() };
  writeFileSync(join(folder, 'card.js'), '// the card');
  hubspot = await listening(createHubspot({ ...options, target, recordPage: folder, random: seededRandom(7) }));
});
beforeEach(() => {
  receiver.received.length = 0;
  receiver.answer = (_request, response) => void response.writeHead(200).end('{"ok":true}');
});
after(async () => {
  await hubspot[Symbol.asyncDispose]();
  await receiver[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true });
});

async function hubspotFetch(asked: object): Promise<{ status: number; body: any }> {
  const headers = { 'content-type': 'application/json' };
  const response = await fetch(`${hubspot.url}/_sandbox/hubspot-fetch`, {
    ...{ method: 'POST', headers },
    body: JSON.stringify(asked),
  });
  return { status: response.status, body: await response.json() };
}

const isSigned = ({ method, url, raw, headers }: Received, secret = clientSecret): boolean =>
  Signature.isValid({
    ...{ signatureVersion: 'v3', clientSecret: secret, method, requestBody: raw },
    url: decodedForV3(`${publicUrl}${url}`),
    signature: String(headers['x-hubspot-signature-v3']),
    timestamp: Number(headers['x-hubspot-request-timestamp']),
  });

const card = `${publicUrl}/cards/hubspot/contact/1`;
const who = '?userId=7001&userEmail=ada%40example.com&portalId=62515&appId=1160452';

describe('hubspot.fetch', () => {
  it('says who asks, and signs method, whole address, body and time', async () => {
    assert.deepEqual(await hubspotFetch({ url: card }), { status: 200, body: { ok: true } });
    assert.deepEqual((await hubspotFetch({ url: `${card}?a=1`, method: 'POST', body: { é: [1] } })).status, 200);
    const [got, posted] = receiver.received as [Received, Received];
    assert.equal(got.url, `/cards/hubspot/contact/1${who}`);
    assert.equal(got.headers.host, 'hub.example.test');
    assert.equal(posted.url, `/cards/hubspot/contact/1?a=1&${who.slice(1)}`);
    assert.deepEqual(
      [posted.method, posted.body, posted.headers['content-type']],
      ['POST', { é: [1] }, 'application/json'],
    );
    assert.deepEqual([isSigned(got), isSigned(posted), isSigned(posted, 'another')], [true, true, false]);
  });

  it('asks once more after a 5xx or a lost connection, and not after anything else', async () => {
    const fail: ((response: Parameters<Receiver['answer']>[1]) => void)[] = [
      (response) => void response.writeHead(502).end('{}'),
      (response) => void response.destroy(),
    ];
    for (const failing of fail) {
      receiver.received.length = 0;
      receiver.answer = (_request, response, index) =>
        index === 0 ? failing(response) : void response.writeHead(202).end('{"asked":true}');
      assert.deepEqual(await hubspotFetch({ url: card, method: 'POST', body: {} }), {
        ...{ status: 202, body: { asked: true } },
      });
      assert.deepEqual(
        receiver.received.map((one) => isSigned(one)),
        [true, true],
      );
    }
    receiver.received.length = 0;
    receiver.answer = (_request, response) => void response.writeHead(409).end('{"code":"render-moved-on"}');
    assert.deepEqual(await hubspotFetch({ url: card }), { status: 409, body: { code: 'render-moved-on' } });
    assert.equal(receiver.received.length, 1);
    receiver.answer = (_request, response) => void response.destroy();
    assert.equal((await hubspotFetch({ url: card })).status, 500);
    assert.equal(receiver.received.length, 3);
  });

  it('calls nothing that is not permitted, and carries no header but Authorization', async () => {
    const urls = [
      'https://other.example.test/cards',
      'http://hub.example.test/cards',
      `${publicUrl}.evil.test/`,
      'no address',
    ];
    for (const url of urls) assert.equal((await hubspotFetch({ url })).status, 400, url);
    assert.equal((await hubspotFetch({ url: card, headers: { cookie: 'a' } })).status, 400);
    assert.equal((await hubspotFetch({ url: card, method: 'TRACE' })).status, 400);
    assert.equal(receiver.received.length, 0);
    await hubspotFetch({ url: card, headers: { Authorization: 'Bearer x' } });
    assert.equal(receiver.received[0]?.headers.authorization, 'Bearer x');
  });

  it('lets twenty through at once', async () => {
    const held: (() => void)[] = [];
    receiver.answer = (_request, response) => void held.push(() => response.writeHead(200).end('{}'));
    const under = Array.from({ length: 20 }, () => hubspotFetch({ url: card }));
    await receiver.when(() => held.length === 20);
    assert.equal((await hubspotFetch({ url: card })).status, 429);
    for (const release of held) release();
    assert.deepEqual([...new Set((await Promise.all(under)).map(({ status }) => status))], [200]);
    assert.equal(receiver.received.length, 20);
  });

  it('waits no longer than it is told to, and does not ask again then', async () => {
    receiver.answer = () => {};
    const { status, body } = await hubspotFetch({ url: card, timeout: 100 });
    assert.deepEqual([status, body.category, receiver.received.length], [504, 'GATEWAY_TIMEOUT', 1]);
  });

  it('carries 1 MB each way and no more', async () => {
    const mega = 1024 * 1024;
    assert.equal((await hubspotFetch({ url: card, method: 'POST', body: { text: 'x'.repeat(mega) } })).status, 400);
    assert.equal(receiver.received.length, 0);
    for (const [size, status] of [
      [mega, 200],
      [mega + 1, 400],
    ] as const) {
      receiver.answer = (_request, response) => void response.writeHead(200).end(JSON.stringify('x'.repeat(size - 2)));
      assert.equal((await hubspotFetch({ url: card })).status, status);
    }
  });
});

describe('record pages', () => {
  const get = async (path: string) => {
    const response = await fetch(`${hubspot.url}/_sandbox${path}`);
    return { status: response.status, text: await response.text() };
  };

  it('show a record and hold what the card is told of it, with nothing of it taken for markup', async () => {
    const properties = { firstname: '<b>Ada</b>', lastname: `"'&` };
    const { id } = await hubspot.control('POST', '/ui/contacts', { properties });
    const { status, text } = await get(`/records/contacts/${id}`);
    assert.equal(status, 200);
    assert.equal(text.includes('<b>Ada'), false);
    assert.match(text, /&#60;b&#62;Ada/);
    assert.match(text, new RegExp(`&#34;objectId&#34;:${id},&#34;objectTypeId&#34;:&#34;0-1&#34;`));
    assert.match((await get('/records')).text, new RegExp(`/_sandbox/records/contacts/${id}`));
  });

  it('are there for records of types with the card alone, and give out their own files alone', async () => {
    assert.equal((await get('/records/contacts/404')).status, 404);
    assert.equal((await get('/records/tickets/1')).status, 404);
    assert.deepEqual(await get('/record-page/card.js'), { status: 200, text: '// the card' });
    for (const file of ['..%2Fpackage.json', 'toString', 'other.js'])
      assert.equal((await get(`/record-page/${file}`)).status, 404);
  });
});
