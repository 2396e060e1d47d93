import { existsSync, mkdtempSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Topic, topics } from '#libs/contracts';
import type { IncomingRecord } from '#libs/log';
import { type RunningApp, startApp } from '#libs/platform';
import { HeygenClient, HeygenEndpoints } from '#libs/vendors/heygen';
import { appModule } from '../apps/gateway/src/app.module';
import { gatewayConfig } from '../apps/gateway/src/gateway.config';
import { createTopics, testConnection, TopicReader } from '../libs/log/src/testing/log-fixture';
import { Watchdog } from './testing/children';
import { refrain, type Told } from './testing/command';
import { freePort } from './testing/free-port';
import { accountOf, newSecrets } from './testing/secrets';
import { heygenHeaders } from './testing/signatures';
import { until } from './testing/until';
import { type Sandbox, startSandbox } from './testing/vendors';

const watchdog = new Watchdog();
const secrets = newSecrets();
const connection = testConnection('init-heygen');
const folder = mkdtempSync(join(tmpdir(), 'init-heygen-'));
const current = join(folder, 'current');
const next = join(folder, 'next');
let sandbox: Sandbox;
let heygen: HeygenEndpoints;
let videos: HeygenClient;
let gateway: RunningApp;
let log: TopicReader;
let url: string;
let env: Record<string, string>;

beforeAll(async () => {
  const port = await freePort();
  url = `http://127.0.0.1:${String(port)}`;
  const further = { RENDER_MS: '20', SUBMIT_MS: '5', RETRY_SCALE: '0.2' };
  const nowhere = { url, publicUrl: url };
  sandbox = await startSandbox('heygen', secrets, accountOf({}), nowhere, further, watchdog);
  const settings = { baseUrl: sandbox.url, apiKey: secrets.heygenApiKey };
  [heygen, videos] = [new HeygenEndpoints(settings), new HeygenClient(settings)];
  env = { HEYGEN_BASE_URL: sandbox.url, HEYGEN_API_KEY: secrets.heygenApiKey, PUBLIC_URL: url };
  await sandbox.control('POST', '/templates', { id: 'plain', variables: {} });
  writeFileSync(current, 'nobody knows it yet');
  await createTopics(connection, topics);
  gateway = await startApp(
    { name: 'gateway', config: gatewayConfig, module: appModule },
    {
      PORT: String(port),
      LOG_LEVEL: 'silent',
      PUBLIC_URL: url,
      HUBSPOT_CLIENT_SECRET: secrets.hubspotClientSecret,
      HEYGEN_WEBHOOK_SECRET_FILE: current,
      HEYGEN_WEBHOOK_NEXT_SECRET_FILE: next,
      KAFKA_BROKERS: connection.brokers.join(','),
      TOPIC_PREFIX: connection.topicPrefix,
    },
  );
  log = new TopicReader(connection, Topic.ingressHeygen);
});
afterAll(async () => {
  await gateway?.close();
  await log?.close();
  await sandbox?.child.stop();
  await watchdog.stop();
  rmSync(folder, { recursive: true });
});
beforeEach(async () => {
  await sandbox.control('PUT', '/target', { url: null });
  for (const { id } of await endpoints()) await remove(id);
  rmSync(next, { force: true });
  await sandbox.control('DELETE', '/faults');
});

const signal = () => AbortSignal.timeout(10_000);
async function endpoints() {
  const answer = await heygen.list(signal());
  if (answer.outcome !== 'done') throw new Error(answer.code);
  return answer.value;
}
const remove = (id: string) =>
  fetch(`${sandbox.url}/v3/webhooks/endpoints/${id}`, {
    method: 'DELETE',
    headers: { 'x-api-key': secrets.heygenApiKey },
  });
const door = () => `${url}/webhooks/heygen`;
const secretIn = (file: string) => readFileSync(file, 'utf8');

/** Runs the command. Whatever it says, it says no secret. */
async function init(args: string[] = [], over: Record<string, string> = {}): Promise<Told> {
  const told = await refrain(['init', 'heygen', ...args], { ...env, ...over });
  const kept = [current, next].filter((file) => existsSync(file)).map(secretIn);
  for (const secret of [...kept.filter((text) => text !== ''), 'whsec_', secrets.heygenApiKey])
    expect(JSON.stringify(told)).not.toContain(secret);
  return told;
}

let ordered = 0;
/** Has a video made, and resolves with its id. */
async function order(): Promise<string> {
  const n = String(++ordered);
  const what = { template: 'plain', title: n, callbackId: n, variables: {} };
  const answer = await videos.submit(what, { idempotencyKey: n, isRepeat: false }, signal());
  if (answer.outcome !== 'done') throw new Error(answer.code);
  return answer.value.videoId;
}
const isOf = (ids: readonly string[]) => (record: IncomingRecord) =>
  ids.some((id) => record.key === `default:heygen-video:${id}`);
const signed = (secret: string) => {
  const body = JSON.stringify({
    event_type: 'avatar_video.fail',
    event_data: { video_id: 'v', msg: String(++ordered) },
  });
  return fetch(door(), { method: 'POST', body, headers: heygenHeaders(body, secret, `evt_${String(ordered)}`) });
};
const refusedOnes = async () =>
  (await sandbox.control<{ deliveries: { status: number }[] }>('GET', '/deliveries')).deliveries.filter(
    ({ status }) => status === 401,
  );

const register = ['--yes', '--secret-file', next];
const rotate = ['--rotate', ...register];

it('shows what would be done, registers the gateway, and does nothing the next time', async () => {
  const shown = await init();
  expect(shown).toMatchObject({ code: 0, failure: '' });
  expect(shown.said).toContain(`Endpoint ${door()}\n+ register it for avatar_video.success, avatar_video.fail`);
  expect(shown.said).toContain('Nothing was changed; --yes does it.');
  expect((await init([...register, '--dry-run', '--json'])).said).toContain('"done":false');
  expect([await endpoints(), existsSync(next)]).toEqual([[], false]);

  const { said, code } = await init([...register, '--json']);
  expect([code, JSON.parse(said)]).toEqual([
    0,
    {
      url: door(),
      changes: [{ change: 'register', url: door(), events: ['avatar_video.success', 'avatar_video.fail'] }],
      others: [],
      secretFile: next,
      done: true,
    },
  ]);
  expect(await endpoints()).toMatchObject([{ url: door(), events: ['avatar_video.success', 'avatar_video.fail'] }]);
  expect(secretIn(next)).toMatch(/^whsec_[0-9a-f]{32,}$/);
  expect(statSync(next).mode & 0o777).toBe(0o600);

  const video = await order();
  expect(await log.until(1, isOf([video]))).toHaveLength(1);
  const again = await init(['--yes']);
  expect([again.code, again.failure, again.said]).toEqual([0, '', expect.stringContaining('It is as it should be.')]);
});

it('lets an endpoint that is there be called for what is missing, and warns of others', async () => {
  await heygen.register(door(), ['avatar_video.success', 'video_agent.success'], signal());
  await heygen.register(`${url}/webhooks/heygen/elsewhere`, [], signal());
  const { said, failure } = await init(['--yes']);
  expect([failure, said]).toEqual(['', expect.stringMatching(/! HeyGen also calls .*\/elsewhere \(\w+\)/)]);
  expect(said).toContain('~ let it be called for avatar_video.success, video_agent.success, avatar_video.fail');
  expect((await endpoints()).map(({ events }) => events)).toEqual([
    ['avatar_video.success', 'video_agent.success', 'avatar_video.fail'],
    [],
  ]);
  expect(existsSync(next)).toBe(false);
});

it('changes a secret without losing a callback, and takes the old and the new one meanwhile', async () => {
  await init(register);
  renameSync(next, current);
  const old = secretIn(current);
  const [{ id } = { id: '' }] = await endpoints();
  const before = await order();
  await log.until(1, isOf([before]));

  // Seconds between HeyGen's change and the gateway's: what comes then is refused, and comes again.
  const file = await heygen.rotate(id, signal());
  if (file.outcome !== 'done') throw new Error(file.code);
  const between = [await order(), await order()];
  await until('callbacks are refused', async () => (await refusedOnes()).length >= 2);
  expect(log.records.filter(isOf(between))).toEqual([]);
  writeFileSync(next, file.value.secret ?? '');
  await log.until(2, isOf(between));
  expect([(await signed(old)).status, (await signed(secretIn(next))).status]).toEqual([200, 200]);
  renameSync(next, current);

  // The command, while callbacks come in all the time.
  const first = secretIn(current);
  const during: string[] = [];
  const orders = (async () => {
    for (let n = 0; n < 20; n += 1) during.push(await order());
  })();
  expect(await init(rotate)).toMatchObject({ code: 0, failure: '' });
  await orders;
  await log.until(20, isOf(during));
  const second = secretIn(next);
  await until('the gateway has the next secret', async () => (await signed(second)).status === 200);
  expect([(await signed(first)).status, (await signed(old)).status]).toEqual([200, 401]);
  renameSync(next, current);
  await until('the old secret is good no more', async () => (await signed(first)).status === 401);
  expect((await signed(second)).status).toBe(200);
});

describe('is careful', () => {
  it('with the file: it writes over none, and none is left where there is no secret', async () => {
    writeFileSync(next, 'of somebody');
    const taken = await init(register);
    expect([taken.failure, secretIn(next)]).toEqual([expect.stringContaining('is there already'), 'of somebody']);
    rmSync(next);
    expect((await init(['--yes', '--secret-file', join(folder, 'no', 'such')])).failure).toContain(
      'cannot be made (ENOENT)',
    );
    expect((await init(['--yes'])).failure).toMatch(/^Error: HeyGen will tell a secret, once/);
    expect(await endpoints()).toEqual([]);
    await sandbox.control('POST', '/faults', {
      match: { method: 'POST', pathPrefix: '/v3/webhooks/endpoints' },
      fault: { kind: 'status', status: 500, body: {} },
      times: 1,
    });
    expect((await init(register)).failure).toContain('it may be registered; run this again');
    expect(existsSync(next)).toBe(false);
  });

  it('says what to do where HeyGen does not take the address', async () => {
    const { failure } = await init([...register, '--url', 'http://127.0.0.1:9']);
    expect(failure).toMatch(/does not take http:\/\/127\.0\.0\.1:9\/webhooks\/heygen: .*asks the address by OPTIONS/);
    expect([existsSync(next), await endpoints()]).toEqual([false, []]);
  });

  it('refuses what it cannot work by, in a sentence', async () => {
    expect((await init([], { HEYGEN_API_KEY: 'another' })).failure).toContain('does not take the key');
    expect((await init([], { HEYGEN_API_KEY: '' })).failure).toContain('HEYGEN_API_KEY: is missing');
    expect((await init([], { PUBLIC_URL: '' })).failure).toContain('HeyGen calls https addresses alone');
    expect((await init([], { HEYGEN_BASE_URL: 'https://127.0.0.1:1' })).failure).toContain('https addresses alone');
    expect((await init([], { HEYGEN_BASE_URL: 'http://127.0.0.1:1' })).failure).toContain('nothing was changed');
    expect((await init(rotate)).failure).toContain('has no endpoint');
    await heygen.register(door(), [], signal());
    await heygen.register(door(), [], signal());
    expect((await init(rotate)).failure).toMatch(/more than once \(\w+, \w+\)/);
    expect(existsSync(next)).toBe(false);
  });
});
