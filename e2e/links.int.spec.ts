import { randomBytes } from 'node:crypto';
import { crmEvents, type DomainEvent, renderEvents, wireType } from '#libs/contracts';
import { linksModel, Projector, readModelState, requestRebuild } from '#libs/event-store';
import { type RunningApp, startApp } from '#libs/platform';
import { HeygenClient } from '#libs/vendors/heygen';
import { appModule } from '../apps/gateway/src/app.module';
import { gatewayConfig } from '../apps/gateway/src/gateway.config';
import { linksOf } from '../apps/render-service/src/video-links';
import { append } from '../libs/event-store/src/testing/appending';
import { testDatabase, type TestDatabase } from '../libs/event-store/src/testing/test-database';
import { createTopics, testConnection } from '../libs/log/src/testing/log-fixture';
import { Watchdog } from './testing/children';
import { accountOf, newSecrets } from './testing/secrets';
import { until } from './testing/until';
import { type Sandbox, startSandbox } from './testing/vendors';

const watchdog = new Watchdog();
const secrets = newSecrets();
const connection = testConnection('links');
const publicUrl = 'https://hub.example.test';
const links = linksOf({ VIDEO_LINK_KEY: randomBytes(24).toString('hex'), PUBLIC_URL: publicUrl });
const errors: unknown[] = [];
let sandbox: Sandbox;
let heygen: HeygenClient;
let db: TestDatabase;
let projector: Projector;
let gateway: RunningApp;

const start = (over: Record<string, string>) =>
  startApp(
    { name: 'gateway', config: gatewayConfig, module: appModule },
    {
      PORT: '0',
      LOG_LEVEL: 'silent',
      PUBLIC_URL: publicUrl,
      HUBSPOT_CLIENT_SECRET: secrets.hubspotClientSecret,
      HEYGEN_WEBHOOK_SECRET: secrets.heygenWebhookSecret,
      KAFKA_BROKERS: connection.brokers.join(','),
      TOPIC_PREFIX: connection.topicPrefix,
      ...over,
    },
  );

beforeAll(async () => {
  const nowhere = { url: 'http://127.0.0.1:1', publicUrl: 'http://127.0.0.1:1' };
  const further = { RENDER_MS: '10', SUBMIT_MS: '5', LATENCY_MS: '20' };
  sandbox = await startSandbox('heygen', secrets, accountOf({}), nowhere, further, watchdog);
  await sandbox.control('PUT', '/target', { url: null });
  await sandbox.control('POST', '/templates', { id: 'plain', variables: {} });
  heygen = new HeygenClient({ baseUrl: sandbox.url, apiKey: secrets.heygenApiKey });
  db = await testDatabase();
  await createTopics(connection, []);
  gateway = await start({ DATABASE_URL: db.url, HEYGEN_BASE_URL: sandbox.url, HEYGEN_API_KEY: secrets.heygenApiKey });
});
afterAll(async () => {
  await gateway?.close();
  await projector?.stop();
  await db?.drop();
  await sandbox?.child.stop();
  await watchdog.stop();
  expect(errors).toEqual([]);
});
beforeEach(async () => {
  await sandbox.control('DELETE', '/faults');
  await sandbox.control('DELETE', '/calls');
  await sandbox.control('PUT', '/settings', { urlLifeSeconds: 3_600 });
});

let made = 0;
/** Has a video made, and resolves with its id when it is there. */
async function video(): Promise<string> {
  const n = String(++made);
  const order = { template: 'plain', title: n, callbackId: n, variables: {} };
  const answer = await heygen.submit(order, { idempotencyKey: n, isRepeat: false }, AbortSignal.timeout(10_000));
  if (answer.outcome !== 'done') throw new Error(answer.code);
  const { videoId } = answer.value;
  await sandbox.control('POST', `/renders/${videoId}/finish`);
  return videoId;
}

const versions = new Map<string, number>();
/** Appends what services decided, and waits until the links know it. */
async function happened(streamId: string, subject: string, event: DomainEvent, of = 'render'): Promise<void> {
  const version = (versions.get(streamId) ?? 0) + 1;
  versions.set(streamId, version);
  const type = wireType(of === 'render' ? renderEvents : crmEvents, event);
  const meta = { rootCause: 'c', causedBy: 'c' };
  await append(db.pool, [{ streamId, version, tenant: 'default', subject, type, data: event.data, meta }]);
  await projected();
}
const projected = () =>
  until('the links know it', async () => {
    const { live, next, last } = await readModelState(db.pool, 'links');
    return live !== undefined && next === undefined && live.position >= last;
  });

/** A contact's render that has ended, and the path of its link. */
async function completed(contact: number, videoId: string, render = 1): Promise<string> {
  const streamId = `render-default:contact:${String(contact)}:lead`;
  const seen = links?.(streamId)(render) ?? { url: '', link: '' };
  const about = { recipe: 'lead', recipeVersion: 'v', render, triggeredAt: '2026-11-20T10:00:00.000Z' };
  const data = { ...about, videoId, ...seen };
  await happened(streamId, `contact:${String(contact)}`, { type: 'RenderCompleted', data });
  return new URL(seen.url).pathname;
}

const see = (path: string, { method = 'GET', at = gateway } = {}) =>
  fetch(at.url + path, { method, redirect: 'manual', signal: AbortSignal.timeout(20_000) });
const asks = async () => (await sandbox.calls()).filter(({ path }) => path.startsWith('/v3/videos/'));
const page = async (answer: Response | Promise<Response>) => {
  const got = await answer;
  expect([got.headers.get('content-type'), got.headers.get('cache-control')]).toEqual([
    'text/html; charset=utf-8',
    'no-store',
  ]);
  return [got.status, /video-(\w+)/.exec(await got.text())?.[1]];
};

it('says that the video cannot be shown now while it cannot know of any link', async () => {
  const answer = await see(`/v/${'a'.repeat(22)}`);
  expect(answer.headers.get('retry-after')).toBe('5');
  expect(await page(answer)).toEqual([503, 'away']);
  projector = new Projector(db.pool, linksModel, 'test', (error) => errors.push(error), 5);
  projector.start();
  await projected();
  expect(await page(see(`/v/${'a'.repeat(22)}`))).toEqual([404, 'unknown']);
  const dead = await start({ DATABASE_URL: 'postgres://x@127.0.0.1:1/x', HEYGEN_API_KEY: 'x' });
  expect(await page(see(`/v/${'a'.repeat(22)}`, { at: dead }))).toEqual([503, 'away']);
  await dead.close();
  const off = await start({});
  expect(await page(see(`/v/${'a'.repeat(22)}`, { at: off }))).toEqual([503, 'off']);
  await off.close();
});

it('leads to the video for good, though each address of it ends', async () => {
  const path = await completed(1, await video());
  expect(path).toMatch(/^\/v\/[\w-]{22}$/);
  await sandbox.control('PUT', '/settings', { urlLifeSeconds: 0 });
  const first = await see(path);
  const dead = first.headers.get('location') ?? '';
  expect([first.status, (await fetch(dead)).status]).toEqual([302, 403]);
  await sandbox.control('PUT', '/settings', { urlLifeSeconds: 3_600 });
  for (const method of ['GET', 'HEAD']) {
    const led = await see(path, { method });
    expect([led.status, led.headers.get('cache-control'), led.headers.get('referrer-policy')]).toEqual([
      302,
      'no-store',
      'no-referrer',
    ]);
    expect(await led.text()).toBe('');
    const seen = await fetch(led.headers.get('location') ?? '');
    const bytes = Buffer.from(await seen.arrayBuffer());
    expect([seen.status, seen.headers.get('content-type'), bytes.subarray(4, 8).toString()]).toEqual([
      200,
      'video/mp4',
      'ftyp',
    ]);
  }
});

it('leads to the copy where there is one, and asks HeyGen nothing; without a store to HeyGen', async () => {
  const videoId = await video();
  const path = await completed(9, videoId);
  const store = {
    VIDEO_STORE_BUCKET: 'videos',
    VIDEO_STORE_ENDPOINT: 'https://storage.example.test',
    VIDEO_STORE_ACCESS_KEY_ID: 'id',
    VIDEO_STORE_SECRET_ACCESS_KEY: 'secret',
  };
  const settings = { DATABASE_URL: db.url, HEYGEN_BASE_URL: sandbox.url, HEYGEN_API_KEY: secrets.heygenApiKey };
  const storing = await start({ ...settings, ...store });
  const at = storing;
  expect((await see(path, { at })).headers.get('location')).toMatch(sandbox.url);
  const link = path.slice('/v/'.length);
  const about = { recipe: 'lead', recipeVersion: 'v', render: 1, triggeredAt: '2026-11-20T10:00:00.000Z' };
  const files = { video: { bytes: 1, sha256: 'x', type: 'video/mp4' } };
  const data = { ...about, videoId, link, bucket: 'videos', folder: `default/${link}`, files };
  await happened('render-default:contact:9:lead', 'contact:9', { type: 'RenderCopied', data });
  for (const rebuilt of [false, true]) {
    if (rebuilt) {
      await requestRebuild(db.pool, 'links', 'test');
      await projected();
    }
    await sandbox.control('DELETE', '/calls');
    const led = new URL((await see(path, { at })).headers.get('location') ?? '');
    expect([led.origin + led.pathname, led.searchParams.get('X-Amz-Expires')]).toEqual([
      `https://storage.example.test/videos/default/${link}/video`,
      '3600',
    ]);
    expect(await asks()).toEqual([]);
  }
  expect((await see(path)).headers.get('location')).toMatch(sandbox.url);
  await happened('record-default:contact:9', 'contact:9', { type: 'SubjectErased', data: { by: 'test' } }, 'crm');
  expect(await page(see(path, { at }))).toEqual([404, 'unknown']);
  await storing.close();
});

it('asks HeyGen once where many ask together, and soon after', async () => {
  const path = await completed(2, await video());
  const led = await Promise.all(Array.from({ length: 50 }, () => see(path)));
  expect(new Set(led.map(({ status }) => status))).toEqual(new Set([302]));
  expect((await see(path)).status).toBe(302);
  expect(await asks()).toHaveLength(1);
});

it('refuses what is no link without asking HeyGen, whether it is one of its videos or not', async () => {
  const videoId = await video();
  const path = await completed(3, videoId);
  await sandbox.control('DELETE', '/calls');
  const other = path.endsWith('A') ? 'B' : 'A';
  const ids = [
    path.slice(0, -1) + other,
    `/v/${videoId}`,
    `/v/${videoId.slice(0, 22)}`,
    '/v/a',
    `/v/${'%00'.repeat(22)}`,
  ];
  for (const wrong of [...ids, `${path}x`, `/v/${'x'.repeat(90)}`])
    expect(await page(see(wrong))).toEqual([404, 'unknown']);
  expect((await see('/v/')).status).toBe(404);
  expect((await see(path, { method: 'POST' })).status).toBe(404);
  expect(await asks()).toEqual([]);
});

it('says that the video is away while HeyGen is, and shows it afterwards', async () => {
  const path = await completed(4, await video());
  await sandbox.control('POST', '/faults', {
    match: { method: 'GET', pathPrefix: '/v3/videos/' },
    fault: { kind: 'status', status: 503, body: {} },
    times: 1,
  });
  const away = await see(path);
  expect(away.headers.get('retry-after')).toBe('10');
  expect(await page(away)).toEqual([503, 'away']);
  expect((await see(path)).status).toBe(302);
});

it('says that the video is gone where HeyGen has it no more, and asks once', async () => {
  const videoId = await video();
  const path = await completed(5, videoId);
  await heygen.remove(videoId, AbortSignal.timeout(10_000));
  await sandbox.control('DELETE', '/calls');
  for (let n = 0; n < 3; n += 1) expect(await page(see(path))).toEqual([410, 'gone']);
  expect(await asks()).toHaveLength(1);
});

it('keeps the older links of a record, also where it is merged, and none of one that is erased', async () => {
  const [first, second] = [await completed(6, await video()), await completed(6, await video(), 2)];
  const [own, kept] = [await completed(7, await video()), await completed(8, await video())];
  const contact = (id: string) => ({ type: 'contact', id });
  const at = '2026-11-20T11:00:00.000Z';
  const merged = { records: [contact('6')], into: contact('7'), at };
  await happened('record-default:contact:7', 'contact:7', { type: 'RecordMerged', data: merged }, 'crm');
  for (const path of [first, second, own, kept]) expect((await see(path)).status).toBe(302);
  const asked = { records: [contact('7')], at };
  await happened('record-default:contact:7', 'contact:7', { type: 'RecordErasureAsked', data: asked }, 'crm');
  for (const path of [first, second, own]) expect(await page(see(path))).toEqual([404, 'unknown']);
  await happened('record-default:contact:8', 'contact:8', { type: 'SubjectErased', data: { by: 'test' } }, 'crm');
  expect(await page(see(kept))).toEqual([404, 'unknown']);
  const late = await completed(7, await video(), 2);
  await requestRebuild(db.pool, 'links', 'test');
  await projected();
  for (const path of [first, second, own, kept, late]) expect(await page(see(path))).toEqual([404, 'unknown']);
});
