import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { seededRandom } from '../src/frame/seeded-random.ts';
import { createHeygen } from '../src/heygen/server.ts';
import { listening, Receiver, until, type Received, type Sandbox } from './harness.ts';

const SECRET = 'whsec_test';
const text = (name: string, content: string) => ({ name, type: 'text', properties: { content } });
const VARIABLES = {
  first_name: text('first_name', 'Ada'),
  company: text('company', 'Example Ltd'),
  recent_event: text('recent_event', 'a webinar'),
};

let heygen: Sandbox;
let receiver: Receiver;

beforeEach(async () => {
  const app = createHeygen({
    apiKey: 'test-key',
    webhookSecret: SECRET,
    renderMs: 40,
    submitMs: 1,
    retryScale: 0.01,
    random: seededRandom(3),
  });
  heygen = await listening(app);
  receiver = new Receiver();
  const deliverTo = await receiver.start();
  await heygen.control('PUT', '/target', { url: 'https://hub.example.test/webhooks/heygen', deliverTo });
});
afterEach(async () => {
  await heygen[Symbol.asyncDispose]();
  await receiver[Symbol.asyncDispose]();
});

async function call(
  method: string,
  path: string,
  options: { body?: unknown; key?: string; signal?: AbortSignal } = {},
) {
  const response = await fetch(`${heygen.url}${path}`, {
    method,
    headers: {
      'x-api-key': 'test-key',
      'content-type': 'application/json',
      ...(options.key === undefined ? {} : { 'idempotency-key': options.key }),
    },
    ...(options.body === undefined ? {} : { body: JSON.stringify(options.body) }),
    signal: options.signal,
  });
  return { status: response.status, headers: response.headers, body: (await response.json()) as any };
}

const submit = (extra: object = {}, options: { key?: string; signal?: AbortSignal } = {}) =>
  call('POST', '/v3/templates/demo-outreach', { body: { variables: VARIABLES, ...extra }, ...options });

function verify({ headers, raw }: Received): void {
  const mac = createHmac('sha256', SECRET).update(raw).digest('hex');
  assert.equal(headers['heygen-signature'], mac);
  assert.equal(headers['signature'], mac);
  assert.ok(Math.abs(Date.now() / 1000 - Number(headers['heygen-timestamp'])) < 5);
  assert.match(String(headers['heygen-event-id']), /^evt_/);
}

describe('templates', () => {
  it('are listed and detailed; a wrong key is refused', async () => {
    const listed = await call('GET', '/v3/templates');
    assert.equal(listed.body.data[0].id, 'demo-outreach');
    const detail = await call('GET', '/v3/templates/demo-outreach');
    assert.deepEqual(Object.keys(detail.body.data.variables), ['first_name', 'company', 'recent_event']);
    const denied = await fetch(`${heygen.url}/v3/templates`, { headers: { 'x-api-key': 'other' } });
    assert.equal(denied.status, 401);
    assert.equal(((await denied.json()) as any).error.code, 'unauthorized');
    await heygen.control('POST', '/templates', { id: 'second', variables: { name: 'text' } });
    assert.equal((await call('GET', '/v3/templates/second')).status, 200);
    assert.equal((await call('GET', '/v3/templates/none')).body.error.code, 'not_found');
  });

  it('name what of an order they do not take', async () => {
    await heygen.control('POST', '/templates', { id: 'media', variables: { photo: 'image', host: 'character' } });
    const good = {
      photo: { name: 'photo', type: 'image', properties: { url: 'https://media.example.com/a.jpg', fit: 'cover' } },
      host: { name: 'host', type: 'character', properties: { character_id: 'h', type: 'avatar' } },
    };
    const order = async (variables: object, options: object = {}) =>
      (await call('POST', '/v3/templates/media', { body: { variables: { ...good, ...variables }, ...options } })).body;
    assert.equal((await order({}, { dimension: { width: 1280, height: 720 }, caption: true })).error, undefined);
    const photo = (properties: object) => ({ photo: { ...good.photo, properties } });
    const host = { ...good.host, properties: { character_id: 'h', type: 'robot' } };
    for (const [variables, options, param] of [
      [photo({ url: 'https://10.0.0.1/a.jpg' }), {}, 'variables.photo.properties.url'],
      [photo({ url: 'file:///a' }), {}, 'variables.photo.properties.url'],
      [photo({ asset_id: 'a', play_style: 'loop' }), {}, 'variables.photo.properties.play_style'],
      [{ host }, {}, 'variables.host.properties.type'],
      [{}, { dimension: { width: 1281, height: 720 } }, 'dimension.width'],
      [{}, { dimension: { width: 720, height: 1280 } }, 'dimension'],
      [{}, { caption: 'yes' }, 'caption'],
      [{}, { subtitles: {} }, 'subtitles.preset_name'],
    ] as const) {
      const { error } = await order(variables, options);
      assert.deepEqual([error?.code, error?.param], ['invalid_parameter', param]);
    }
    const long = { ...VARIABLES, first_name: text('first_name', 'a'.repeat(4990)) };
    assert.equal((await submit({ variables: long })).body.error.param, 'variables');
  });

  it('name the variable that is missing or of the wrong type', async () => {
    const { first_name, ...rest } = VARIABLES;
    const missing = await submit({ variables: rest });
    assert.deepEqual(
      [missing.status, missing.body.error.code, missing.body.error.param],
      [400, 'invalid_parameter', 'variables.first_name'],
    );
    const flat = await submit({ variables: { ...VARIABLES, company: 'Example Ltd' } });
    assert.equal(flat.body.error.param, 'variables.company');
    const typed = await submit({ variables: { ...VARIABLES, company: { ...VARIABLES.company, type: 'image' } } });
    assert.equal(typed.body.error.param, 'variables.company.type');
    assert.equal((await submit({}, { key: 'no spaces' })).body.error.param, 'Idempotency-Key');
    assert.match(String(first_name.properties.content), /Ada/);
  });
});

describe('a render', () => {
  it('goes from waiting to completed, calls back signed, and has a playable, expiring file', async () => {
    const { status, body } = await submit({ title: 'Hello [hub:1]', callback_id: 'r1' });
    assert.deepEqual([status, body.data.status], [200, 'waiting']);
    await receiver.when(({ received }) => received.length === 1);
    const [callback] = receiver.received;
    verify(callback!);
    assert.equal(callback?.url, '/webhooks/heygen');
    assert.deepEqual(
      [callback?.body.event_type, callback?.body.event_data.video_id, callback?.body.event_data.callback_id],
      ['avatar_video.success', body.data.id, 'r1'],
    );
    const read = await call('GET', `/v3/videos/${body.data.id}`);
    assert.equal(read.body.data.status, 'completed');
    const file = await fetch(read.body.data.video_url);
    const bytes = Buffer.from(await file.arrayBuffer());
    assert.deepEqual([file.status, bytes.subarray(4, 8).toString()], [200, 'ftyp']);
    assert.equal((await fetch(read.body.data.thumbnail_url)).headers.get('content-type'), 'image/png');
    await heygen.control('PUT', '/settings', { urlLifeSeconds: 0 });
    const dead = (await call('GET', `/v3/videos/${body.data.id}`)).body.data.video_url;
    assert.equal((await fetch(dead)).status, 403);
    await heygen.control('PUT', '/settings', { urlLifeSeconds: 60 });
    assert.equal((await fetch((await call('GET', `/v3/videos/${body.data.id}`)).body.data.video_url)).status, 200);
    const found = await call('GET', `/v3/videos?title=${encodeURIComponent('[hub:1]')}`);
    assert.deepEqual(
      found.body.data.map(({ id }: any) => id),
      [body.data.id],
    );
    const events = await call('GET', `/v3/webhooks/events?entity_id=${body.data.id}`);
    assert.equal(events.body.data[0].event_id, callback?.headers['heygen-event-id']);
    const statuses = await call('GET', `/v3/videos/statuses?video_ids=${body.data.id},nope`);
    assert.deepEqual(
      statuses.body.data.map((row: any) => row.status),
      ['completed', 'not_found'],
    );
    const old = await call('GET', `/v1/video_status.get?video_id=${body.data.id}`);
    assert.deepEqual([old.body.code, old.body.data.status], [100, 'completed']);
    await call('DELETE', `/v3/videos/${body.data.id}`);
    assert.equal((await call('GET', `/v3/videos/${body.data.id}`)).body.error.code, 'video_not_found');
    const { renders: billed } = await heygen.control('GET', '/billing');
    assert.ok(billed.some(({ id }: { id: string }) => id === body.data.id));
  });

  it('fails as planned, is told so and not charged', async () => {
    await heygen.control('POST', '/render-outcomes', {
      match: { callbackId: 'bad' },
      outcome: 'fail',
      code: 'AVATAR_GONE',
      message: 'The avatar is gone',
    });
    const { body } = await submit({ callback_id: 'bad' });
    await receiver.when(({ received }) => received.length === 1);
    assert.deepEqual(receiver.events[0], {
      event_type: 'avatar_video.fail',
      event_data: { video_id: body.data.id, msg: 'The avatar is gone', callback_id: 'bad' },
    });
    const read = (await call('GET', `/v3/videos/${body.data.id}`)).body.data;
    assert.deepEqual([read.status, read.failure_code], ['failed', 'AVATAR_GONE']);
    const { renders } = await heygen.control('GET', '/billing');
    assert.equal(renders.find(({ id }: any) => id === body.data.id).refunded, true);
  });

  it('is limited in number and by credit', async () => {
    await heygen.control('PUT', '/settings', { concurrency: 1, renderMs: 60_000 });
    await submit();
    const over = await submit();
    assert.deepEqual([over.status, over.body.error.code], [429, 'rate_limit_exceeded']);
    assert.ok(Number(over.headers.get('retry-after')) >= 1);
    await heygen.control('PUT', '/settings', { concurrency: 10, renderMs: 20, walletUsd: 0.1 });
    const poor = await submit();
    assert.deepEqual([poor.status, poor.body.error.code], [402, 'insufficient_credit']);
    await heygen.control('PUT', '/settings', { creditFailure: 'poll' });
    const accepted = await submit();
    const ended = await until(
      () => call('GET', `/v3/videos/${accepted.body.data.id}`),
      ({ body }) => body.data.status === 'failed',
    );
    assert.equal(ended.body.data.failure_code, 'MOVIO_PAYMENT_INSUFFICIENT_CREDIT');
    await heygen.control('PUT', '/settings', { creditFailure: 'submit' });
    assert.equal((await call('GET', '/v3/users/me')).body.data.billing_type, 'wallet');
  });
});

describe('idempotency', () => {
  it('replays the first answer under the same key and bills once', async () => {
    const first = await submit({ callback_id: 'same' }, { key: 'k1' });
    await receiver.when(({ received }) => received.length === 1);
    const again = await submit({ callback_id: 'other' }, { key: 'k1' });
    assert.deepEqual(again.body, first.body);
    assert.equal(again.body.data.status, 'waiting');
    const { byIdempotencyKey, byCallbackId } = await heygen.control('GET', '/billing');
    assert.deepEqual([byIdempotencyKey.k1, byCallbackId.same, byCallbackId.other], [1, 1, undefined]);
    const { calls } = await heygen.control('GET', '/calls');
    const posts = calls.filter((one: any) => one.idempotencyKey === 'k1');
    assert.deepEqual(
      posts.map((one: any) => one.billed),
      [true, false],
    );
  });

  it('answers 409 while the first is in flight', async () => {
    await heygen.control('PUT', '/settings', { submitMs: 200 });
    const both = await Promise.all([submit({}, { key: 'k2' }), submit({}, { key: 'k2' })]);
    assert.deepEqual(both.map(({ status }) => status).sort(), [200, 409]);
    assert.equal(both.find(({ status }) => status === 409)?.body.error.code, 'request_in_progress');
  });

  for (const kind of ['accept-then-hang', 'accept-then-reset'])
    it(`lets a call whose answer was lost be repeated without a second bill (${kind})`, async () => {
      const match = { method: 'POST', pathPrefix: '/v3/templates/' };
      await heygen.control('POST', '/faults', { match, fault: { kind } });
      await assert.rejects(submit({ callback_id: 'lost' }, { key: 'k3', signal: AbortSignal.timeout(300) }));
      await receiver.when(({ received }) => received.length === 1);
      const again = await submit({ callback_id: 'lost' }, { key: 'k3' });
      assert.equal(again.body.data.id, receiver.events[0].event_data.video_id);
      assert.equal((await heygen.control('GET', '/billing')).byIdempotencyKey.k3, 1);
      const { calls } = await heygen.control('GET', '/calls');
      assert.equal(calls.find((call: any) => call.fault === kind)?.status, null);
    });

  it('a refused call frees its key', async () => {
    assert.equal((await submit({ variables: {} }, { key: 'k4' })).status, 400);
    assert.equal((await submit({}, { key: 'k4' })).status, 200);
  });
});

describe('callbacks', () => {
  it('come again under the same event id until they are taken', async () => {
    receiver.answer = (_request, response, index) => void response.writeHead(index < 2 ? 500 : 200).end();
    await submit();
    await receiver.when(({ received }) => received.length === 3);
    assert.equal(new Set(receiver.received.map(({ headers }) => headers['heygen-event-id'])).size, 1);
    receiver.received.forEach(verify);
  });

  it('can be early, doubled, or lost', async () => {
    await heygen.control('PUT', '/callbacks', { early: true });
    const answered: string[] = [];
    receiver.answer = (_request, response) => {
      answered.push('callback');
      response.writeHead(200).end();
    };
    await submit().then(() => answered.push('submission'));
    assert.deepEqual(answered, ['callback', 'submission']);
    await heygen.control('PUT', '/callbacks', { early: false, duplicate: 1 });
    await submit();
    await receiver.when(({ received }) => received.length === 3);
    await heygen.control('PUT', '/callbacks', { duplicate: 0, lost: 1 });
    const lost = (await submit()).body.data.id;
    const kept = (await submit()).body.data.id;
    await receiver.when(({ events }) => events.some(({ event_data }) => event_data.video_id === kept));
    assert.equal(
      receiver.events.some(({ event_data }) => event_data.video_id === lost),
      false,
    );
  });

  it('are not signed when they go to a URL given with the render', async () => {
    await heygen.control('PUT', '/target', { url: null });
    const other = new Receiver();
    await submit({ callback_url: `${await other.start()}/here` });
    await other.when(({ received }) => received.length === 1);
    assert.equal(other.received[0]?.headers['heygen-signature'], undefined);
    await other[Symbol.asyncDispose]();
  });

  it('go to endpoints that are registered, probed, rotated and deleted', async () => {
    const dead = await call('POST', '/v3/webhooks/endpoints', { body: { url: 'http://127.0.0.1:9/x' } });
    assert.equal(dead.body.error.param, 'url');
    const own = new Receiver();
    const url = await own.start();
    const made = (await call('POST', '/v3/webhooks/endpoints', { body: { url, events: ['avatar_video.success'] } }))
      .body.data;
    assert.equal(own.received[0]?.method, 'OPTIONS');
    assert.match(made.secret, /^whsec_/);
    const rotated = (await call('POST', `/v3/webhooks/endpoints/${made.endpoint_id}/rotate-secret`)).body.data;
    assert.notEqual(rotated.secret, made.secret);
    await submit();
    await own.when(({ received }) => received.length === 2);
    const mac = createHmac('sha256', rotated.secret)
      .update(own.received[1]?.raw ?? '')
      .digest('hex');
    assert.equal(own.received[1]?.headers['heygen-signature'], mac);
    assert.equal((await call('GET', '/v3/webhooks/endpoints')).body.data.length, 2);
    await call('DELETE', `/v3/webhooks/endpoints/${made.endpoint_id}`);
    assert.equal((await call('GET', '/v3/webhooks/endpoints')).body.data.length, 1);
    const log = JSON.stringify(await heygen.control('GET', '/calls'));
    assert.equal(log.includes(made.secret) || log.includes('test-key'), false);
    await own[Symbol.asyncDispose]();
  });
});

describe('the older versions', () => {
  it('answer in their own shapes', async () => {
    assert.equal((await call('GET', '/v2/templates')).body.data.templates[0].template_id, 'demo-outreach');
    const made = await call('POST', '/v2/template/demo-outreach/generate', {
      body: { variables: VARIABLES, test: true },
    });
    assert.match(made.body.data.video_id, /^[0-9a-f]{32}$/);
    assert.equal(made.headers.get('deprecation'), 'true');
    const wrong = await call('POST', '/v2/video/generate', { body: { template_id: 'demo-outreach', variables: {} } });
    assert.deepEqual([wrong.status, wrong.body.error.code, wrong.body.data], [400, 'invalid_parameter', null]);
    assert.equal((await call('POST', '/v2/template/generate', { body: {} })).status, 405);
  });
});
