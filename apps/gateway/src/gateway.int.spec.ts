import { createHash, createHmac } from 'node:crypto';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { HEYGEN_CLAIMED, Topic, topics, VERIFIED } from '#libs/contracts';
import { withAdmin, type IncomingRecord } from '#libs/log';
import { readMetrics, startApp, type RunningApp } from '#libs/platform';
import { createTopics, testConnection, TopicReader } from '../../../libs/log/src/testing/log-fixture';
import { appModule } from './app.module';
import { gatewayConfig } from './gateway.config';
import { createdByHand, liveSamples } from './testing/hubspot-samples';
import { heygenSignature, hubspotHeaders, testSettings } from './testing/signed';

const connection = testConnection('gateway');
const env = {
  ...testSettings,
  KAFKA_BROKERS: connection.brokers.join(','),
  TOPIC_PREFIX: connection.topicPrefix,
};
const start = (over: Record<string, string> = {}) =>
  startApp({ name: 'gateway', config: gatewayConfig, module: appModule }, { ...env, ...over });

let gateway: RunningApp;
let log: TopicReader;
beforeAll(async () => {
  await createTopics(connection, topics);
  gateway = await start();
  log = new TopicReader(connection, Topic.ingressHubspot, Topic.ingressHeygen, Topic.quarantine);
});
afterAll(async () => {
  await gateway.close();
  await log.close();
});

const post = (path: string, body: string | Buffer, headers: Record<string, string>, to = gateway) =>
  fetch(to.url + path, { method: 'POST', body, headers });

const postHubspot = (body: string | Buffer, how: Parameters<typeof hubspotHeaders>[1] = {}, to = gateway) =>
  post('/webhooks/hubspot', body, hubspotHeaders(body, how), to);

let last = 1_000_000;
const event = (over: object = {}) =>
  JSON.stringify({
    eventId: ++last,
    portalId: 33,
    occurredAt: 1762387200123,
    subscriptionType: 'contact.creation',
    objectId: ++last,
    ...over,
  });

const textOf = (record: IncomingRecord) => record.value.toString();

/** How many records stand on all topics. What a request published is there before its answer. */
const recordsOnAllTopics = (): Promise<number> =>
  withAdmin(connection, async (admin) => {
    let count = 0;
    for (const { name } of topics) {
      const partitions = await admin.fetchTopicOffsets(connection.topicPrefix + name);
      for (const partition of partitions) count += Number(partition.high);
    }
    return count;
  });

describe('HubSpot', () => {
  it.each(Object.entries(liveSamples))('brings %s to the log as the exact bytes', async (_name, sample) => {
    const answer = await postHubspot(`[ ${sample}\n]`);
    expect([answer.status, await answer.json()]).toEqual([200, { accepted: 1, quarantined: 0 }]);
    const [record] = await log.until(1, (r) => textOf(r) === sample);
    const { objectId, fromObjectId } = JSON.parse(sample) as { objectId?: number; fromObjectId?: number };
    expect(record?.topic).toBe(Topic.ingressHubspot);
    expect(record?.key).toMatch(new RegExp(`^default:[a-z0-9_-]+:${objectId ?? fromObjectId}$`));
    expect(record?.envelope).toMatchObject({
      tenant: 'default',
      source: '/hubspot/default',
      correlationid: record?.envelope?.id,
    });
    const body = createHash('sha256').update(`[ ${sample}\n]`).digest('hex');
    expect(record?.headers[VERIFIED]).toMatch(
      new RegExp(`^hubspot-v3 POST https://hub\\.example\\.test/webhooks/hubspot at \\d{13} sha256:${body}$`),
    );
  });

  it('keeps the order in which the events of one record came', async () => {
    expect((await postHubspot(`[${createdByHand.join(',\n ')}]`)).status).toBe(200);
    const records = await log.until(8, (r) => r.key === 'default:contact:546500061940');
    expect(records.map(textOf)).toEqual(createdByHand);
  });

  it('takes a hundred events of several portals at once, each once', async () => {
    const events = Array.from({ length: 100 }, (_, i) => event({ portalId: 40 + (i % 3) }));
    const answer = await postHubspot(`[${events.join(',')}]`);
    expect(await answer.json()).toEqual({ accepted: 100, quarantined: 0 });
    const wanted = new Set(events);
    const records = await log.until(100, (r) => wanted.has(textOf(r)));
    expect(new Set(records.map(textOf))).toEqual(wanted);
    expect(records).toHaveLength(100);
  });

  it("takes a workflow's single object whole", async () => {
    const body = `{ "objectId": ${++last}, "propertyName": "lifecyclestage",\n "propertyValue": "marketingqualifiedlead", "changeSource": "CRM_UI", "eventId": 5 }\n`;
    expect((await postHubspot(body)).status).toBe(200);
    const [record] = await log.until(1, (r) => textOf(r) === body);
    expect(record?.key).toBe(`default:contact:${last}`);
  });

  it('keeps the good events of a batch and quarantines the bad one', async () => {
    const good = [event(), event()];
    const bad = event({ subscriptionType: undefined });
    const answer = await postHubspot(`[${good[0]},${bad},${good[1]}]`);
    expect([answer.status, await answer.json()]).toEqual([200, { accepted: 2, quarantined: 1 }]);
    const [record] = await log.until(1, (r) => textOf(r) === bad);
    expect(record).toMatchObject({ topic: Topic.quarantine, headers: { refrain_reason: 'wrong-shape' } });
    const kept = await log.until(2, (r) => good.includes(textOf(r)));
    expect(kept.map((r) => r.topic)).toEqual([Topic.ingressHubspot, Topic.ingressHubspot]);
  });

  it('answers 400 with the fault of each event where none is good, and quarantines them', async () => {
    const bad = event({ objectId: undefined });
    const answer = await postHubspot(`[${bad}]`);
    expect(answer.status).toBe(400);
    expect(answer.headers.get('content-type')).toBe('application/problem+json');
    expect(await answer.json()).toMatchObject({
      code: 'wrong-shape',
      errors: [{ at: '/0', detail: expect.stringContaining('objectId') }],
    });
    const [record] = await log.until(1, (r) => textOf(r) === bad);
    expect(record?.topic).toBe(Topic.quarantine);
  });

  it.each([
    ['not JSON', 'hello', 400, 'not-json'],
    ['another shape', '"text"', 400, 'wrong-shape'],
    ['101 events', `[${Array(101).fill(event()).join(',')}]`, 400, 'too-many-events'],
    ['more than 1 MiB', `[${' '.repeat(1024 * 1024)}]`, 413, 'too-large'],
  ])('refuses %s', async (_case, body, status, code) => {
    const answer = await postHubspot(body);
    expect([answer.status, answer.headers.get('content-type')]).toEqual([status, 'application/problem+json']);
    expect(await answer.json()).toMatchObject({ code, type: `urn:refrain:problem:${code}` });
  });

  it('takes an object of almost 1 MiB', async () => {
    const body = event({ filler: 'x'.repeat(1024 * 1024 - 300) });
    expect((await postHubspot(`[${body}]`)).status).toBe(200);
    const [record] = await log.until(1, (r) => textOf(r) === body);
    expect(record?.topic).toBe(Topic.ingressHubspot);
  });

  it('answers an empty array', async () => {
    expect(await (await postHubspot('[]')).json()).toEqual({ accepted: 0, quarantined: 0 });
  });

  it('publishes nothing of what is unsigned, wrongly signed, old or ahead', async () => {
    const now = Date.now();
    const refused: [string, Record<string, string>, string][] = [];
    const refuse = (code: string, headersOf: (body: string) => Record<string, string>) => {
      const body = `[${event()}]`;
      refused.push([body, headersOf(body), code]);
    };
    refuse('signature-missing', () => ({}));
    refuse('signature-missing', (body) => ({
      'x-hubspot-request-timestamp': hubspotHeaders(body)['x-hubspot-request-timestamp'],
    }));
    refuse('signature-mismatch', (body) => hubspotHeaders(body, { secret: 'another' }));
    refuse('signature-mismatch', (body) => hubspotHeaders(`${body} `));
    refuse('timestamp-stale', (body) => hubspotHeaders(body, { at: now - 301_000 }));
    refuse('timestamp-stale', (body) => hubspotHeaders(body, { at: now + 310_000 }));
    const before = await recordsOnAllTopics();
    for (const [body, headers, code] of refused) {
      const answer = await post('/webhooks/hubspot', body, headers);
      expect([answer.status, ((await answer.json()) as { code: string }).code]).toEqual([401, code]);
    }
    expect(await recordsOnAllTopics()).toBe(before);
    await postHubspot(`[${event()}]`);
    expect(await recordsOnAllTopics()).toBe(before + 1);
  });

  it('is signed over the address with its query', async () => {
    const body = `[${event()}]`;
    const answer = await post('/webhooks/hubspot?portal=33', body, hubspotHeaders(body));
    expect(answer.status).toBe(401);
  });
});

describe('HeyGen', () => {
  const callback = (video: string) =>
    `{"event_type":"avatar_video.success","event_data":{"video_id":"${video}","url":"https://x.test/v.mp4?a=b"}}`;

  it('answers its probe', async () => {
    expect((await fetch(`${gateway.url}/webhooks/heygen`, { method: 'OPTIONS' })).status).toBe(200);
  });

  it.each(['Heygen-Signature', 'Signature', 'X-Heygen-Signature'])('takes a callback signed in %s', async (header) => {
    const body = callback(`video-${header}`);
    const answer = await post('/webhooks/heygen', body, {
      [header]: heygenSignature(body),
      'heygen-event-id': `evt-${header}`,
    });
    expect([answer.status, await answer.json()]).toEqual([200, { accepted: 1, quarantined: 0 }]);
    const [record] = await log.until(1, (r) => textOf(r) === body);
    expect(record).toMatchObject({
      topic: Topic.ingressHeygen,
      key: `default:heygen-video:video-${header}`,
      envelope: { id: `heygen:evt-${header}`, subject: `heygen-video:video-${header}` },
    });
    const digest = createHash('sha256').update(body).digest('hex');
    expect(record?.headers[VERIFIED]).toBe(`heygen-hmac at no time sha256:${digest}`);
  });

  it('tries no other header when the first does not match, and publishes nothing refused', async () => {
    const body = callback('forged');
    const right = heygenSignature(body);
    const before = await recordsOnAllTopics();
    const stale = String(Math.floor(Date.now() / 1000) - 400);
    for (const headers of [
      { 'heygen-signature': 'a'.repeat(64), signature: right },
      { signature: heygenSignature(`${body} `) },
      { signature: right, 'heygen-timestamp': stale },
      {},
    ]) {
      expect((await post('/webhooks/heygen', body, headers as Record<string, string>)).status).toBe(401);
    }
    expect(await recordsOnAllTopics()).toBe(before);
  });

  it('names the fault of a callback without a video and keeps it in quarantine', async () => {
    const body = '{"event_type":"avatar_video.success","event_data":{"folder_id":""}}';
    const answer = await post('/webhooks/heygen', body, { signature: heygenSignature(body) });
    expect([answer.status, await answer.json()]).toMatchObject([400, { code: 'wrong-shape' }]);
    const [record] = await log.until(1, (r) => textOf(r) === body);
    expect(record?.topic).toBe(Topic.quarantine);
  });
});

const folder = mkdtempSync(join(tmpdir(), 'refrain-connections-'));
const file = (name: string, content: string): string => {
  writeFileSync(join(folder, name), content);
  return join(folder, name);
};
/** Writes a secret that the gateway has seen when it resolves: it looks at files once a second. */
const change = async (name: string, content: string, seen: () => Promise<boolean>) => {
  file(name, content);
  while (!(await seen())) await setTimeout(50);
};
const counted = async (series: string): Promise<number> =>
  Number((await readMetrics()).split(`${series} `)[1]?.split('\n')[0] ?? 0);

describe('with declared tenants', () => {
  let many: RunningApp;
  beforeAll(async () => {
    const yaml = '- { tenant: acme, portals: [101] }\n- { tenant: globex, portals: [102, 103] }\n';
    many = await start({ TENANTS_FILE: file('tenants.yaml', yaml) });
  });
  afterAll(() => many.close());

  it('keys each event by the tenant of its portal and quarantines unknown portals with 200', async () => {
    const events = [101, 103, 999].map((portalId) => event({ portalId }));
    const answer = await postHubspot(`[${events.join(',')}]`, {}, many);
    expect([answer.status, await answer.json()]).toEqual([200, { accepted: 2, quarantined: 1 }]);
    const records = await log.until(3, (r) => events.includes(textOf(r)));
    const of = (i: number) => records.find((r) => textOf(r) === events[i]);
    expect([of(0)?.envelope?.tenant, of(1)?.envelope?.tenant]).toEqual(['acme', 'globex']);
    expect(of(2)).toMatchObject({ topic: Topic.quarantine, headers: { refrain_reason: 'unknown-portal' } });
  });
});

describe('with declared connections', () => {
  const token = 'T'.repeat(40);
  let many: RunningApp;
  beforeAll(async () => {
    const yaml = `
- door: hubspot
  connection: one
  app: 1
  tenants: [{ tenant: acme, portals: [101] }, { tenant: globex, portals: [102, 103] }]
  secretFile: ${file('one', 'secret-one')}
  nextSecretFile: ${file('one-next', '')}
- door: hubspot
  connection: two
  app: 2
  tenants: [{ tenant: initech, portals: [101] }]
  signatures: [v3, v2]
  secretEnv: SECRET_TWO
  accept: { types: [contact.creation, workflow] }
- { door: hubspot, connection: slow, app: 3, tenants: [{ tenant: acme, portals: [7] }], secretEnv: SECRET_SLOW, perMinute: 2 }
- { door: heygen, connection: video, tenants: [acme, globex], secretFile: ${file('video', 'hg-one')}, token: { secretEnv: TOKEN } }
`;
    many = await start({
      TENANTS_FILE: file('connections.yaml', yaml),
      SECRET_TWO: 'secret-two',
      SECRET_SLOW: 'secret-slow',
      TOKEN: token,
      HUBSPOT_CLIENT_SECRET: '',
      HEYGEN_WEBHOOK_SECRET: '',
    });
  });
  afterAll(() => many.close());

  it('serves two apps, one of them for the portals of several tenants, and quarantines what is nobody’s', async () => {
    const unknown = (reason: string) => counted(`gateway_quarantined_total{source="/hubspot/one",reason="${reason}"}`);
    const before = [await unknown('unknown-portal'), await unknown('unknown-app')];
    const events = [
      { portalId: 101, appId: 1 },
      { portalId: 103, appId: 1 },
      { portalId: 999, appId: 1 },
      { portalId: 101, appId: 2 },
    ].map((over) => event(over));
    const answer = await postHubspot(`[${events.join(',')}]`, { secret: 'secret-one' }, many);
    expect([answer.status, await answer.json()]).toEqual([200, { accepted: 2, quarantined: 2 }]);
    const other = event({ portalId: 101, appId: 2 });
    expect((await postHubspot(`[${other}]`, { secret: 'secret-two' }, many)).status).toBe(200);
    const records = await log.until(5, (r) => [...events, other].includes(textOf(r)));
    const found = [...events, other].map((text) => {
      const record = records.find((r) => textOf(r) === text);
      return [record?.envelope?.tenant, record?.envelope?.source, record?.headers['refrain_reason']];
    });
    expect(found).toEqual([
      ['acme', '/hubspot/one', undefined],
      ['globex', '/hubspot/one', undefined],
      ['unknown', '/hubspot/one', 'unknown-portal'],
      ['unknown', '/hubspot/one', 'unknown-app'],
      ['initech', '/hubspot/two', undefined],
    ]);
    expect([await unknown('unknown-portal'), await unknown('unknown-app')]).toEqual(before.map((n) => n + 1));
  });

  it('takes the next secret beside the current one without a restart, and counts by name', async () => {
    const answered = async (secret: string) => (await postHubspot('[]', { secret }, many)).status;
    expect([await answered('secret-one'), await answered('secret-new')]).toEqual([200, 401]);
    await change('one-next', 'secret-new', async () => (await answered('secret-new')) === 200);
    expect([await answered('secret-one'), await answered('secret-new')]).toEqual([200, 200]);
    for (const secret of ['current', 'next']) {
      const used = `gateway_secrets_used_total{endpoint="hubspot/one",scheme="hubspot-v3",secret="${secret}"}`;
      expect(await counted(used)).toBeGreaterThan(0);
    }
    await change('one', 'secret-new', async () => (await answered('secret-one')) === 401);
    expect(await answered('secret-new')).toBe(200);
  });

  const v2 = (method: string, path: string, body: string, secret: string) => ({
    'x-hubspot-signature-version': 'v2',
    'x-hubspot-signature': createHash('sha256')
      .update(`${secret}${method}${testSettings.PUBLIC_URL}${path}${body}`)
      .digest('hex'),
  });

  it('takes a workflow’s call by v2 only where it is declared, and says so on the record', async () => {
    const path = '/webhooks/hubspot';
    const body = `{"hs_object_id":${++last},"source":"renewal"}`;
    expect((await post(path, body, v2('POST', path, body, 'secret-new'), many)).status).toBe(401);
    expect((await post(path, body, v2('POST', path, body, 'secret-two'), many)).status).toBe(200);
    const [record] = await log.until(1, (r) => textOf(r) === body);
    expect(record?.key).toBe(`initech:contact:${last}`);
    expect(record?.headers[VERIFIED]).toMatch(/^hubspot-v2 POST \S+ replayable sha256:/);
  });

  it('takes a workflow’s GET, signed with its query, as the JSON of the query', async () => {
    const path = `/webhooks/hubspot?objectId=${++last}&who=jo%40x.test`;
    const get = (to: string, headers: Record<string, string>) => fetch(many.url + to, { headers });
    expect((await get(`${path}&a=1`, v2('GET', path, '', 'secret-two'))).status).toBe(401);
    expect((await get(path, v2('GET', path, '', 'secret-two'))).status).toBe(200);
    const [record] = await log.until(1, (r) => r.key === `initech:contact:${last}`);
    expect(JSON.parse(record ? textOf(record) : '')).toEqual({ objectId: String(last), who: 'jo@x.test' });
  });

  it('drops what a connection does not take, with 200', async () => {
    const body = `[${event({ portalId: 101, appId: 2, subscriptionType: 'contact.merge' })}]`;
    const answer = await postHubspot(body, { secret: 'secret-two' }, many);
    expect([answer.status, await answer.json()]).toEqual([200, { accepted: 0, quarantined: 0, ignored: 1 }]);
  });

  it('asks for less by 429: a workflow reads the time in milliseconds; forgeries use nothing up', async () => {
    const slow = (body: string, secret = 'secret-slow') => postHubspot(body, { secret }, many);
    for (const secret of ['wrong', 'wrong', 'wrong']) expect((await slow('[]', secret)).status).toBe(401);
    expect([(await slow('[]')).status, (await slow('[]')).status]).toEqual([200, 200]);
    const webhook = await slow('[]');
    const workflow = await slow(' {"objectId":1}');
    expect([webhook.status, workflow.status]).toEqual([429, 429]);
    const waits = [webhook, workflow].map((answer) => Number(answer.headers.get('retry-after')));
    expect(waits[0]).toBeLessThanOrEqual(60);
    expect(waits[1]).toBeGreaterThan(1_000);
  });

  const callback = (tenant: string, video: string) =>
    JSON.stringify({
      event_type: 'avatar_video.success',
      event_data: { video_id: video, url: 'u', callback_id: `render-${tenant}:contact:7:r/1/1` },
    });
  const hmac = (body: string, secret: string) => createHmac('sha256', secret).update(body).digest('hex');

  it('gives a HeyGen callback the tenant of its order, under both secrets of a rotation', async () => {
    const body = callback('globex', 'video-of-globex');
    expect((await post('/webhooks/heygen', body, { signature: heygenSignature(body) }, many)).status).toBe(401);
    expect((await post('/webhooks/heygen', body, { signature: hmac(body, 'hg-one') }, many)).status).toBe(200);
    const [record] = await log.until(1, (r) => textOf(r) === body);
    expect([record?.key, record?.envelope?.source]).toEqual(['globex:heygen-video:video-of-globex', '/heygen/video']);
  });

  it('takes an unsigned callback at its secret address as a claim, and nothing at any other', async () => {
    const body = callback('acme', 'video-of-acme');
    const before = await recordsOnAllTopics();
    for (const wrong of [token.slice(1), `${token}T`, 'hg-one', token.toLowerCase(), '%00']) {
      expect((await post(`/webhooks/heygen/${wrong}`, body, {}, many)).status).toBe(404);
    }
    expect((await post('/webhooks/heygen', body, {}, many)).status).toBe(401);
    expect((await post(`/webhooks/heygen/${token}`, body, {})).status).toBe(404);
    expect(await recordsOnAllTopics()).toBe(before);
    expect((await fetch(`${many.url}/webhooks/heygen/${token}`, { method: 'OPTIONS' })).status).toBe(200);
    expect((await post(`/webhooks/heygen/${token}`, body, {}, many)).status).toBe(200);
    const [record] = await log.until(1, (r) => textOf(r) === body);
    expect(record?.envelope).toMatchObject({ type: HEYGEN_CLAIMED, tenant: 'acme', source: '/heygen/video' });
    expect(record?.headers[VERIFIED]).toMatch(/^heygen-token unconfirmed sha256:/);
  });
});

describe('without a broker', () => {
  let lost: RunningApp;
  beforeAll(async () => {
    lost = await start({ KAFKA_BROKERS: '127.0.0.1:1' });
  });
  afterAll(() => lost.close());

  it('answers 503 with Retry-After within 5 seconds, to every vendor, and never 2xx', async () => {
    const started = Date.now();
    const body = `[${event()}]`;
    const callback = '{"event_type":"avatar_video.fail","event_data":{"video_id":"v9"}}';
    const [workflow, ...answers] = await Promise.all([
      postHubspot('{"objectId":1}', {}, lost),
      postHubspot(body, {}, lost),
      postHubspot('[{}]', {}, lost),
      post('/webhooks/heygen', callback, { signature: heygenSignature(callback) }, lost),
    ]);
    for (const answer of answers) {
      expect([answer.status, answer.headers.get('retry-after')]).toEqual([503, '5']);
      expect(await answer.json()).toMatchObject({ code: 'log-unavailable' });
    }
    expect([workflow.status, workflow.headers.get('retry-after')]).toEqual([503, '5000']);
    expect(Date.now() - started).toBeLessThan(5_000);
  });

  it('is alive and not ready', async () => {
    expect((await fetch(`${lost.url}/healthz`)).status).toBe(200);
    const answer = await fetch(`${lost.url}/readyz`);
    expect([answer.status, await answer.json()]).toMatchObject([503, { code: 'not-ready', errors: [{ at: 'log' }] }]);
  });
});

it('is ready while the broker answers', async () => {
  expect((await fetch(`${gateway.url}/readyz`)).status).toBe(200);
});
