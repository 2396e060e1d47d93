import { createHash, randomBytes } from 'node:crypto';
import { HUBSPOT_TOKENS, Installations, TenantAccounts } from '#libs/accounts';
import { openPool, renewTokens, takeDueTokens } from '#libs/event-store';
import { createLogger, hubspotSettings, loadConfig, sealerOf } from '#libs/platform';
import { HubspotOauth } from '#libs/vendors/hubspot';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { testDatabase, type TestDatabase } from '../libs/event-store/src/testing/test-database';
import { Watchdog } from './testing/children';
import { accountOf, newSecrets } from './testing/secrets';
import { until } from './testing/until';
import { type Sandbox, startSandbox } from './testing/vendors';

const watchdog = new Watchdog();
const secrets = newSecrets();
const account = accountOf({});
const lines = createLogger('test', 'silent');
const key = randomBytes(32);
const redirectUri = 'https://hub.example.test/oauth/hubspot/callback';
const folder = mkdtempSync(join(tmpdir(), 'installations-'));
const soon = () => AbortSignal.timeout(10_000);

let hubspot: Sandbox;
let db: TestDatabase;
let oauth: HubspotOauth;
const running: TenantAccounts[] = [];

beforeAll(async () => {
  const nowhere = { url: 'http://127.0.0.1:1', publicUrl: 'http://127.0.0.1:1' };
  hubspot = await startSandbox('hubspot', secrets, account, nowhere, {}, watchdog);
  oauth = new HubspotOauth({ ...app, baseUrl: hubspot.url });
});
afterAll(async () => {
  await hubspot.child.stop();
  await watchdog.stop();
  rmSync(folder, { recursive: true });
});
beforeEach(async () => {
  db = await testDatabase();
  await hubspot.control('DELETE', '/calls');
});
afterEach(async () => {
  await Promise.all(running.splice(0).map((one) => one.stop()));
  await hubspot.control('DELETE', '/faults');
  await hubspot.control('PUT', '/settings', { tokenLifeMs: 1_800_000, clockFactor: 1 });
  await db.drop();
});

const app = { clientId: `client-${String(account.appId)}`, clientSecret: () => secrets.hubspotClientSecret };
const settings = z.object(hubspotSettings);

/** A replica's accounts of so many tenants whose customers install the app: t1, t2, … */
async function replica(tenants: number, { renews = false, keys = [key], over = {} } = {}): Promise<TenantAccounts> {
  const file = join(folder, `tenants-${String(tenants)}.yaml`);
  const declared = Array.from({ length: tenants }, (_, i) => ({
    tenant: `t${String(i + 1)}`,
    portals: [90_001 + i],
    hubspot: {
      tier: 'professional',
      app: account.appId,
      baseUrl: hubspot.url,
      oauth: { clientId: app.clientId, clientSecretEnv: 'APP_SECRET', scopes: ['oauth'], ...over },
    },
  }));
  writeFileSync(file, JSON.stringify(declared));
  const env = {
    TENANTS_FILE: file,
    APP_SECRET: secrets.hubspotClientSecret,
    SEALING_KEY: keys.map((one) => one.toString('base64')).join('\n'),
  };
  const accounts = new TenantAccounts(loadConfig(settings, env), env, lines, { renews });
  running.push(accounts);
  await accounts.start(db.pool);
  return accounts;
}

const kept = (keys = [key]) => new Installations(() => db.pool, sealerOf(keys), [], lines);

/** What the gateway does with a code, for the n-th tenant; gives its refresh token. */
async function install(n: number): Promise<string> {
  const verifier = randomBytes(32).toString('base64url');
  const query = new URLSearchParams({
    ...{ client_id: app.clientId, redirect_uri: redirectUri, scope: 'oauth', portal: String(90_000 + n) },
    ...{ code_challenge: createHash('sha256').update(verifier).digest('base64url'), code_challenge_method: 'S256' },
  });
  const agreed = await fetch(`${hubspot.url}/oauth/authorize?${query.toString()}`, { redirect: 'manual' });
  const code = new URL(agreed.headers.get('location') ?? '').searchParams.get('code') ?? '';
  const answer = await oauth.exchange({ code, redirectUri, verifier }, soon());
  if (answer.outcome !== 'done') throw new Error(answer.code);
  const installation = { tenant: `t${String(n)}`, portal: 90_000 + n, app: String(account.appId), scopes: ['oauth'] };
  await kept().keep(installation, answer.value);
  return answer.value.refreshToken;
}

const passed = (ms: number) => db.moveClock(ms);
const look = (accounts: TenantAccounts, n = 1) => accounts.hubspot.of(`t${String(n)}`).accountInfo(soon());
const grants = async () => (await hubspot.calls()).filter(({ path }) => path === '/oauth/2026-09/token');
/** How often each account was given a token since, and how often too late: as HubSpot has seen it. */
const seen = async (): Promise<{ portalId: number; grants: number; late: number }[]> =>
  (await hubspot.control<{ installations: never[] }>('GET', '/installations')).installations;

it('gives each tenant the token of its own installation, and keeps none that can be read', async () => {
  const accounts = await replica(2);
  const refreshToken = await install(1);
  const answer = await accounts.hubspot.of('t1').accountInfo(soon());
  expect(answer).toMatchObject({ outcome: 'done', value: { portalId: 90_001 } });
  expect(await look(accounts, 2)).toMatchObject({ outcome: 'retry', code: 'not-installed', refused: true });
  const { rows } = await db.pool.query('select i::text as row from installation i');
  expect(rows).toHaveLength(1);
  expect(JSON.stringify(rows)).not.toContain(refreshToken);
});

it('makes one call for a token that ten replicas find due', async () => {
  await install(1);
  const replicas = await Promise.all(Array.from({ length: 10 }, () => replica(1)));
  await passed(1_700_000);
  await hubspot.control('DELETE', '/calls');
  const answers = await Promise.all(replicas.map((one) => look(one)));
  expect(answers.map(({ outcome }) => outcome)).toEqual(replicas.map(() => 'done'));
  expect(await grants()).toHaveLength(1);
});

it('makes one call for a token that has ended meanwhile: those who are not first wait for it', async () => {
  await install(1);
  const replicas = await Promise.all(Array.from({ length: 5 }, () => replica(1)));
  await passed(1_900_000);
  await hubspot.control('DELETE', '/calls');
  const answers = await Promise.all(replicas.map((one) => look(one)));
  expect(answers.map(({ outcome }) => outcome)).toEqual(replicas.map(() => 'done'));
  expect(await grants()).toHaveLength(1);
  expect((await hubspot.calls()).filter(({ status }) => status === 401)).toEqual([]);
});

it('renews the tokens of 1,000 tenants on time by two replicas, each by one call a life', async () => {
  const all = Array.from({ length: 1_000 }, (_, i) => i + 1);
  const before = new Set((await seen()).map(({ portalId }) => portalId));
  expect([...before].filter((portal) => portal > 90_010)).toEqual([]);
  // 30 minutes as 45 seconds.
  await hubspot.control('PUT', '/settings', { tokenLifeMs: 45_000 });
  await Promise.all([replica(1_000, { renews: true }), replica(1_000, { renews: true })]);
  const pending = [...all];
  const worker = async () => {
    for (let n = pending.shift(); n !== undefined; n = pending.shift()) await install(n);
  };
  await Promise.all(Array.from({ length: 16 }, worker));
  const byNow = async (least: number) => {
    const newest = new Map((await seen()).map((one) => [one.portalId, one]));
    const ours = all.map((n) => newest.get(90_000 + n));
    return ours.every((one) => (one?.grants ?? 0) >= least) ? ours : undefined;
  };
  await until('each was renewed once', () => byNow(2), 60_000);
  await hubspot.control('PUT', '/settings', { tokenLifeMs: 1_800_000 });
  await until('each was renewed twice', () => byNow(3), 60_000);
  await Promise.all(running.splice(0).map((one) => one.stop()));
  const counted = (await byNow(3))?.map((one) => [one?.grants, one?.late]);
  expect(counted).toEqual(all.map(() => [3, 0]));
}, 180_000);

describe('where the customer takes the access back', () => {
  it('holds what is owed there and nowhere else, until it is installed again', async () => {
    const refreshToken = await install(1);
    await install(2);
    const accounts = await replica(2, { renews: true });
    await hubspot.control('PUT', '/tokens', { refreshToken, revoked: true });
    // The access token is refused first, and is not taken for the end of the installation.
    expect(await look(accounts)).toMatchObject({ outcome: 'retry', refused: true });
    await until('the refusal is known', async () => {
      const answer = await look(accounts);
      return 'code' in answer && answer.code === 'BAD_REFRESH_TOKEN';
    });
    expect(await look(accounts, 2)).toMatchObject({ outcome: 'done' });
    const { rows } = await db.pool.query('select tenant, state, tokens is null as gone from installation order by 1');
    expect(rows).toEqual([
      { tenant: 't1', state: 'revoked', gone: true },
      { tenant: 't2', state: 'active', gone: false },
    ]);
    const asked = (await grants()).length;
    await install(1);
    expect(await look(accounts)).toMatchObject({ outcome: 'done' });
    expect(await grants()).toHaveLength(asked + 1);
  });

  it('takes a wrong client secret for no such thing: the installation stays', async () => {
    await install(1);
    const accounts = await replica(1, { over: { clientSecretEnv: 'SEALING_KEY' } });
    await passed(1_900_000);
    expect(await look(accounts)).toMatchObject({ outcome: 'retry', code: 'token-not-refreshed', refused: true });
    expect((await grants()).map(({ status }) => status)).toEqual([200, 400]);
    const { rows } = await db.pool.query('select state from installation');
    expect(rows).toEqual([{ state: 'active' }]);
  });
});

it('puts a call off that waits too long for a token: it was not made, and is not taken for one that may have been', async () => {
  await install(1);
  const accounts = await replica(1);
  await passed(1_900_000);
  await hubspot.control('POST', '/faults', { match: { pathPrefix: '/oauth' }, fault: { kind: 'hang' }, times: 1 });
  expect(await look(accounts)).toMatchObject({ outcome: 'retry', code: 'token-not-refreshed', refused: true });
});

it('uses the old token while a new one cannot be had', async () => {
  await install(1);
  const accounts = await replica(1);
  await passed(1_500_000);
  await hubspot.control('DELETE', '/calls');
  await hubspot.control('POST', '/faults', {
    match: { pathPrefix: '/oauth' },
    fault: { kind: 'status', code: 'INTERNAL_ERROR' },
    times: 1,
  });
  expect(await look(accounts)).toMatchObject({ outcome: 'done' });
  expect((await grants()).map(({ status }) => status)).toEqual([500]);
  await passed(400_000);
  expect(await look(await replica(1))).toMatchObject({ outcome: 'done' });
});

it('gets another token after a 401, although the first should live still', async () => {
  await install(1);
  const accounts = await replica(1);
  expect(await look(accounts)).toMatchObject({ outcome: 'done' });
  await hubspot.control('PUT', '/settings', { clockFactor: 1_000_000 });
  await passed(1_700_000);
  expect(await look(await replica(1))).toMatchObject({ code: 'EXPIRED_AUTHENTICATION' });
  await hubspot.control('PUT', '/settings', { clockFactor: 1 });
  const third = running.at(-1);
  await passed(20_000);
  await until('there is another', async () => third && (await look(third)).outcome === 'done');
});

it('follows a replica that took tokens and ended without a word', async () => {
  await install(1);
  const accounts = await replica(1, { renews: true });
  await passed(1_300_000);
  await until('somebody has them in hand', async () => {
    const taken = await takeDueTokens(db.pool, { forMs: 20_000 });
    if (taken.length === 0) await passed(1_300_000);
    return taken.length > 0;
  });
  const asked = (await grants()).length;
  await passed(20_000);
  await until('another has renewed them', async () => (await grants()).length > asked);
  expect(await look(accounts)).toMatchObject({ outcome: 'done' });
});

it('opens what a former key has sealed, and seals anew by the newest; without its key nothing is lost', async () => {
  await install(1);
  const newest = randomBytes(32);
  const other = await replica(1, { keys: [newest] });
  expect(await look(other)).toMatchObject({ outcome: 'retry', refused: true });
  const both = await replica(1, { keys: [newest, key] });
  await passed(1_700_000);
  expect(await look(both)).toMatchObject({ outcome: 'done' });
  expect(await look(await replica(1, { keys: [newest] }))).toMatchObject({ outcome: 'done' });
});

it('does not put an older installation in the place of a newer one', async () => {
  await install(1);
  const pool = openPool(db.url, 'slow', 1);
  const [due] = await passed(1_700_000).then(() => takeDueTokens(pool, { forMs: 20_000 }));
  const newer = await install(1);
  const late = { sealed: '{}', lifeMs: 1_800_000, renewedAt: 0.7, takenForMs: 20_000 };
  if (!due) throw new Error('nothing was due');
  expect(await renewTokens(pool, due, late)).toBe(false);
  await pool.end();
  const { rows } = await db.pool.query<{ tokens: string }>('select tokens from installation');
  const opened = await sealerOf([key]).open(rows[0]?.tokens ?? '', HUBSPOT_TOKENS('t1'));
  expect(JSON.parse(opened)).toMatchObject({ refreshToken: newer });
});

it('ends an installation from our side, also where its token has ended meanwhile', async () => {
  await install(1);
  const accounts = await replica(1);
  await passed(1_900_000);
  await accounts.installations?.uninstall('t1');
  expect((await hubspot.calls()).map(({ method, path }) => `${method} ${path}`)).toContain(
    'DELETE /appinstalls/2026-09/external-install',
  );
  expect(await look(accounts)).toMatchObject({ outcome: 'retry', refused: true });
  await until('it is known to be gone', async () => {
    const answer = await look(await replica(1));
    return 'code' in answer && answer.code === 'not-installed';
  });
});
