import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Topic } from '#libs/contracts';
import type { IncomingRecord } from '#libs/log';
import { loadConfig } from '#libs/platform';
import { Process } from '#libs/process';
import { recordConfig } from '../apps/crm-writer/src/record.config';
import { recordEffects } from '../apps/crm-writer/src/record.effects';
import { recordProcess } from '../apps/crm-writer/src/record.source';
import { testDatabase, type TestDatabase } from '../libs/event-store/src/testing/test-database';
import { readMetrics } from '../libs/platform/src/metrics';
import { judging } from '../libs/recipes/src/testing/recipe-of';
import { accountsFor } from './testing/accounts';
import { Watchdog } from './testing/children';
import { accountOf, newSecrets, type Secrets } from './testing/secrets';
import { until } from './testing/until';
import { type Sandbox, startSandbox } from './testing/vendors';

const names = ['acme', 'blue'] as const;
type Name = (typeof names)[number];

const watchdog = new Watchdog();
const portals = {} as Record<Name, { sandbox: Sandbox; secrets: Secrets }>;
const recipe = judging('r', ['jobtitle'], '  - write: { properties: { jobtitle: "${steps.lead.jobtitle}" } }');
const WISHES = 12;
let folder: string;
let db: TestDatabase;
let writer: Process<never, never, never>;
let handle: (records: IncomingRecord[]) => Promise<void>;
const errors: unknown[] = [];

beforeAll(async () => {
  const nowhere = { url: 'http://127.0.0.1:1', publicUrl: 'http://127.0.0.1:1' };
  for (const name of names) {
    const secrets = newSecrets();
    portals[name] = { secrets, sandbox: await startSandbox('hubspot', secrets, accountOf({}), nowhere, {}, watchdog) };
  }
});
afterAll(async () => {
  await Promise.all(names.map((name) => portals[name].sandbox.child.stop()));
  await watchdog.stop();
});

beforeEach(async () => {
  db = await testDatabase();
  folder = mkdtempSync(join(tmpdir(), 'tenants-'));
  const declared = names.map((tenant) => ({
    tenant,
    hubspot: {
      tokenFile: join(folder, tenant),
      tier: 'professional',
      baseUrl: portals[tenant].sandbox.url,
    },
  }));
  for (const name of names) {
    writeFileSync(join(folder, name), portals[name].secrets.hubspotAccessToken);
    await portals[name].sandbox.control('DELETE', '/calls');
  }
  writeFileSync(join(folder, 'tenants.yaml'), JSON.stringify(declared));
  const env = {
    ...{ KAFKA_BROKERS: 'nowhere:1', DATABASE_URL: 'postgres://nowhere/x', LOG_LEVEL: 'silent' },
    TENANTS_FILE: join(folder, 'tenants.yaml'),
  };
  const config = loadConfig(recordConfig, env);
  const accounts = accountsFor(config, env);
  const process = new Process(
    recordProcess(() => [recipe], accounts.appId),
    {
      pool: db.pool,
      produce: () => Promise.resolve(),
      deadLetter: () => Promise.resolve(),
      effects: recordEffects(() => [recipe], accounts),
      concurrency: 2,
      onError: (error) => errors.push(error),
      onParked: (_key, error) => errors.push(error),
    },
  );
  process.start();
  handle = process.handlerFor(Topic.enrichment);
  writer = process as never;
});
afterEach(async () => {
  await writer.stop();
  await db.drop();
  rmSync(folder, { recursive: true });
  expect(errors.splice(0)).toEqual([]);
});

const contactIn = async (name: Name) =>
  (
    await portals[name].sandbox.control<{ id: string }>('POST', '/ui/contacts', {
      properties: { email: `${String(Math.random()).slice(2)}@example.com` },
    })
  ).id;

function wish(tenant: string, contact: string): IncomingRecord {
  const time = '2026-11-21T10:00:00.000Z';
  const about = { recipe: 'r', recipeVersion: '1', enrichment: 1, triggeredAt: time };
  const tokens = { input: 1, output: 1 };
  const data = { ...about, ask: 'lead', model: 'm', answer: { jobtitle: 'Engineer' }, tokens };
  return {
    topic: Topic.enrichment,
    partition: 0,
    offset: '0',
    timestamp: Date.now(),
    key: `${tenant}:contact:${contact}`,
    value: Buffer.from(JSON.stringify(data)),
    headers: {},
    envelope: {
      id: `wish-${tenant}-${contact}`,
      source: '/enrichment-service',
      type: 'refrain.enrichment.completed.v1',
      subject: `contact:${contact}`,
      time,
      tenant,
      correlationid: `cause-${contact}`,
    },
  };
}

const statesOf = async (tenant: string) =>
  (
    await db.pool.query<{ state: string; code: string | null; attempts: number; refusals: number }>(
      'select state, code, attempts, refusals from effect where tenant = $1 order by seq',
      [tenant],
    )
  ).rows;
const allDone = async (tenant: string, count: number) => {
  const states = await statesOf(tenant);
  return states.length === count && states.every(({ state }) => state === 'done');
};
const titleOf = async (name: Name, id: string) =>
  (await portals[name].sandbox.control<{ properties: Record<string, string> }>('GET', `/objects/contacts/${id}`))
    .properties['jobtitle'];

it('stops the writes of a tenant whose token is revoked, and of no other; then they are all made', async () => {
  const people = { acme: [] as string[], blue: [] as string[] };
  for (const name of names) for (let n = 0; n < WISHES; n += 1) people[name].push(await contactIn(name));
  const { sandbox, secrets } = portals.acme;
  await sandbox.control('PUT', '/tokens', { token: secrets.hubspotAccessToken, revoked: true });

  await handle(names.flatMap((name) => people[name].map((id) => wish(name, id))));
  await until("blue's writes are made", () => allDone('blue', WISHES));
  await until("acme's token was refused", async () => (await sandbox.calls()).some(({ status }) => status === 401));
  for (const id of people.blue) expect(await titleOf('blue', id)).toBe('Engineer');
  expect((await statesOf('acme')).every(({ state }) => state === 'owed' || state === 'running')).toBe(true);
  // After the first refusal nothing more is sent there: only what was under way beside it.
  expect((await sandbox.calls()).length).toBeLessThanOrEqual(2);
  const { rows } = await db.pool.query<{ tenant: string }>(
    'select distinct tenant from vendor_limit where paused_until > refrain_now()',
  );
  expect(rows).toEqual([{ tenant: 'acme' }]);
  const told = await readMetrics();
  expect(told).toMatch(/^hubspot_token_refused\{tenant="acme"\} 1/m);
  expect(told).toMatch(/^hubspot_token_refused\{tenant="blue"\} 0/m);
  expect(told).toMatch(/^hubspot_rate_limit_remaining\{tenant="blue"\} \d+/m);
  expect(told).toMatch(/^hubspot_rate_limit_daily_remaining\{tenant="blue"\} \d+/m);

  // The token is another one now, in its file.
  await sandbox.control('PUT', '/tokens', { token: 'pat-na1-another' });
  writeFileSync(join(folder, 'acme'), 'pat-na1-another\n');
  await db.moveClock(61_000);
  await until("acme's writes are made", () => allDone('acme', WISHES));
  for (const id of people.acme) expect(await titleOf('acme', id)).toBe('Engineer');
  expect(await readMetrics()).toMatch(/^hubspot_token_refused\{tenant="acme"\} 0/m);
});

it('loses nothing of a tenant that is not declared: its writes wait', async () => {
  await handle([wish('other', '1')]);
  await until('the write was refused', async () => (await statesOf('other'))[0]?.code === 'tenant-unknown');
  expect(await statesOf('other')).toMatchObject([{ state: 'owed', code: 'tenant-unknown' }]);
  for (const name of names) expect(await portals[name].sandbox.calls()).toEqual([]);
});

it('gives each tenant the limits of its tier', () => {
  const account = (tier: 'starter' | 'enterprise', tenant: string) =>
    JSON.stringify({ tenant, hubspot: { tokenEnv: 'T', tier, limitIncreases: tier === 'starter' ? 0 : 1 } });
  const file = join(folder, 'other.yaml');
  const oauth = { clientId: 'c', clientSecretEnv: 'T', refreshTokenEnv: 'T' };
  const installed = JSON.stringify({ tenant: 'c', hubspot: { oauth, tier: 'professional' } });
  writeFileSync(file, `[${account('starter', 'a')}, ${account('enterprise', 'b')}, ${installed}]`);
  const env = { KAFKA_BROKERS: 'nowhere:1', DATABASE_URL: 'postgres://nowhere/x', TENANTS_FILE: file, T: 'x' };
  const accounts = accountsFor(loadConfig(recordConfig, env), env);
  const limits = accounts.limits({ calls: 1, searches: 1, associations: 1 });
  expect(limits.map(({ tenant, name, most }) => [tenant, name, most])).toEqual([
    ['a', 'ten-secondly', 100],
    ['a', 'search', 5],
    ['a', 'daily', 250_000],
    ['a', 'associations', 100],
    ['a', 'associations-daily', 500_000],
    ['b', 'ten-secondly', 250],
    ['b', 'search', 5],
    ['b', 'daily', 2_000_000],
    ['b', 'associations', 200],
    ['b', 'associations-daily', 1_000_000],
    ['c', 'ten-secondly', 110],
    ['c', 'search', 5],
    ['c', 'associations', 150],
    ['c', 'associations-daily', 500_000],
  ]);
});
