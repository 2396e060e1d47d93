import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Topic } from '#libs/contracts';
import { withAdmin } from '#libs/log';
import { type RunningApp, startApp } from '#libs/platform';
import { loadRecipes, needsOf } from '#libs/recipes';
import type { Finding } from '../apps/cli/src/doctor/finding';
import { createProgram } from '../apps/cli/src/program';
import { appModule } from '../apps/gateway/src/app.module';
import { gatewayConfig } from '../apps/gateway/src/gateway.config';
import { testDatabase, type TestDatabase } from '../libs/event-store/src/testing/test-database';
import { testConnection } from '../libs/log/src/testing/log-fixture';
import { root, Watchdog } from './testing/children';
import { freePort } from './testing/free-port';
import { accountOf, newSecrets } from './testing/secrets';
import { type Sandbox, startSandbox, type Vendor, vendors } from './testing/vendors';

type Environment = Record<string, string>;

const watchdog = new Watchdog();
const secrets = newSecrets();
const account = accountOf({});
const developerKey = 'developer-key-of-the-test';
const connection = testConnection('doctor');
const shipped = join(root, 'recipes');
const sandboxes = {} as Record<Vendor, Sandbox>;
let db: TestDatabase;
let gateway: RunningApp;
let publicUrl: string;
let folder: string;
let env: Environment;
let printed = '';

beforeAll(async () => {
  publicUrl = `http://127.0.0.1:${String(await freePort())}`;
  db = await testDatabase();
  folder = mkdtempSync(join(tmpdir(), 'doctor-'));
  await Promise.all(
    vendors.map(async (vendor) => {
      const further = { HUBSPOT_DEVELOPER_KEY: developerKey };
      sandboxes[vendor] = await startSandbox(
        vendor,
        secrets,
        account,
        { url: publicUrl, publicUrl },
        further,
        watchdog,
      );
    }),
  );
  env = {
    KAFKA_BROKERS: connection.brokers.join(','),
    TOPIC_PREFIX: connection.topicPrefix ?? '',
    DATABASE_URL: db.url,
    PUBLIC_URL: publicUrl,
    HUBSPOT_BASE_URL: sandboxes.hubspot.url,
    HUBSPOT_ACCESS_TOKEN: secrets.hubspotAccessToken,
    HUBSPOT_CLIENT_SECRET: secrets.hubspotClientSecret,
    HUBSPOT_DEVELOPER_KEY: developerKey,
    HEYGEN_BASE_URL: sandboxes.heygen.url,
    HEYGEN_API_KEY: secrets.heygenApiKey,
    OPENAI_BASE_URL: `${sandboxes.openai.url}/v1`,
    OPENAI_API_KEY: secrets.openaiApiKey,
    RECIPES_DIR: shipped,
  };
  await refrain({}, 'topics', 'apply');
  await refrain({}, 'init', 'hubspot', '--yes');
  const settings = { ...env, HEYGEN_WEBHOOK_SECRET: secrets.heygenWebhookSecret, LOG_LEVEL: 'silent' };
  gateway = await startApp(
    { name: 'gateway', config: gatewayConfig, module: appModule },
    { ...settings, PORT: new URL(publicUrl).port },
  );
  await preparePortal();
});
afterAll(async () => {
  await gateway.close();
  await Promise.all(vendors.map((vendor) => sandboxes[vendor].child.stop()));
  await watchdog.stop();
  rmSync(folder, { recursive: true });
  await db.drop();
});
beforeEach(async () => {
  const { hubspot } = sandboxes;
  await hubspot.control('PUT', '/tokens', { token: secrets.hubspotAccessToken, revoked: true });
  await hubspot.control('PUT', '/tokens', { token: secrets.hubspotAccessToken });
  await hubspot.control('PUT', '/rate-limit', { daily: 650_000 });
  await hubspot.control('PUT', '/settings', { clockSkewMs: 0 });
  await hubspot.control('PUT', '/target', { url: `${publicUrl}/webhooks/hubspot`, deliverTo: publicUrl });
  await subscribe(needed());
});

/** Runs a command with these settings and no others. */
async function refrain(over: Environment, ...args: string[]): Promise<{ said: string; code: number }> {
  const outputs: string[] = [];
  const keep = (text: unknown) => outputs.push(String(text)) > 0;
  const environment = jest.replaceProperty(process, 'env', { ...env, ...over });
  const spies = (['stdout', 'stderr'] as const).map((to) => jest.spyOn(process[to], 'write').mockImplementation(keep));
  try {
    await createProgram().parseAsync(['node', 'refrain', ...args]);
    return { said: outputs.join(''), code: Number(process.exitCode ?? 0) };
  } finally {
    for (const spy of spies) spy.mockRestore();
    environment.restore();
    process.exitCode = undefined;
    printed += outputs.join('');
  }
}

interface Told {
  findings: Finding[];
  errors: number;
  code: number;
}

async function doctor(over: Environment = {}, ...args: string[]): Promise<Told> {
  const { said, code } = await refrain(over, 'doctor', '--json', ...args);
  return { ...(JSON.parse(said) as Omit<Told, 'code'>), code };
}

interface SubscriptionInput {
  subscriptionType: string;
  objectTypeId?: string;
  propertyName?: string;
  active?: boolean;
}

const needed = (): SubscriptionInput[] =>
  needsOf(loadRecipes(shipped), 'default').subscriptions.map(({ object, change, property: propertyName }) =>
    object === 'call'
      ? { subscriptionType: `object.${change}`, objectTypeId: '0-48', propertyName }
      : { subscriptionType: `${object}.${change}`, propertyName },
  );

const subscribe = (subscriptions: SubscriptionInput[]) =>
  sandboxes.hubspot.control('PUT', '/subscriptions', { subscriptions });

async function hubspot(method: string, path: string, body?: object): Promise<void> {
  const headers = { authorization: `Bearer ${secrets.hubspotAccessToken}`, 'content-type': 'application/json' };
  const sent = body === undefined ? {} : { body: JSON.stringify(body) };
  const response = await fetch(`${sandboxes.hubspot.url}${path}`, { method, headers, ...sent });
  if (!response.ok) throw new Error(`${method} ${path}: ${String(response.status)} ${await response.text()}`);
}

const define = (
  object: string,
  name: string,
  type = 'string',
  fieldType = 'text',
  groupName = `${object}information`,
) =>
  hubspot('POST', `/crm/v3/properties/${object}`, {
    name,
    label: name,
    type,
    fieldType,
    groupName,
  });

/** What the shipped recipes take for granted of a portal, beside what init makes. */
async function preparePortal(): Promise<void> {
  for (const name of ['customer_number', 'renewal_video_url']) await define('deal', name);
  await define('deal', 'contract_end_date', 'date', 'date');
  await define('deal', 'renewal_usage_logins', 'number', 'number');
  await define('contact', 'territory');
  await define('call', 'call_transcript');
  const templates = { 'demo-renewal': ['deal', 'usage', 'ends'], 'demo-onboarding': ['deal', 'package'] };
  for (const [id, names] of Object.entries(templates)) {
    const variables = Object.fromEntries(names.map((name) => [name, 'text']));
    await sandboxes.heygen.control('POST', '/templates', { id, variables });
  }
}

const ofSeverity = ({ findings }: Told, severity: string) => findings.filter((one) => one.severity === severity);

/** The errors that a fault led to, each by its code and what is to be done. */
const remedies = (told: Told) => ofSeverity(told, 'error').map(({ code, where, remedy }) => [code, where, remedy]);

it('finds no error in a hub that is set up as it should be', async () => {
  const told = await doctor();
  expect(ofSeverity(told, 'error')).toEqual([]);
  expect([told.errors, told.code]).toEqual([0, 0]);
  // Two properties of deals that a shipped recipe reads, if they are there.
  expect(ofSeverity(told, 'warning').map(({ code, where }) => [code, where])).toEqual([
    ['property-unknown', 'HubSpot account default: deal.industry'],
    ['property-unknown', 'HubSpot account default: deal.package'],
  ]);
  expect(ofSeverity(told, 'note')).toEqual([]);
});

it('says for people what it says for machines', async () => {
  const { said, code } = await refrain({ HUBSPOT_APP_ID: '99' }, 'doctor');
  expect(said).toContain('error: HubSpot account default\n  App 99 is declared as our own');
  expect(said).toMatch(/\[app-differs\]\n {2}→ Declare app \d+/);
  expect(said).toContain('1 error, 2 warnings, 0 notes.');
  expect(code).toBe(1);
});

const ofAccount = 'HubSpot account default';
const token = (over: object) => () =>
  sandboxes.hubspot.control('PUT', '/tokens', { token: secrets.hubspotAccessToken, ...over });
const without = (type: string) => () => subscribe(needed().filter(({ subscriptionType }) => subscriptionType !== type));
const scopes = () => needsOf(loadRecipes(shipped), 'default').scopes.map(({ scope }) => scope);

interface Fault {
  code: string;
  where: string | RegExp;
  remedy: RegExp;
  plant?: () => Promise<unknown>;
  settings?: () => Environment;
}

const faults: Fault[] = [
  { code: 'token-revoked', where: ofAccount, remedy: /Put a new token/, plant: token({ revoked: true }) },
  { code: 'token-expired', where: ofAccount, remedy: /Put a new token/, plant: token({ expired: true }) },
  {
    code: 'scope-missing',
    where: ofAccount,
    remedy: /Add crm\.objects\.deals\.write to the app/,
    plant: () => token({ scopes: scopes().filter((one) => one !== 'crm.objects.deals.write') })(),
  },
  {
    code: 'scope-missing',
    where: ofAccount,
    remedy: /Add timeline to the app/,
    plant: () => token({ scopes: scopes() })(),
    settings: () => ({
      HUBSPOT_TIMELINE: 'events',
      RECIPES_DIR: recipe(
        'told',
        `recipe: told\ntrigger: { object: contact, property: lifecyclestage }\nsteps: [{ write: { event: { type: x } } }]\n`,
      ),
    }),
  },
  {
    code: 'app-unknown',
    where: ofAccount,
    remedy: /Declare our own app/,
    plant: () =>
      sandboxes.hubspot.control('POST', '/faults', {
        match: { pathPrefix: '/oauth/v2/private-apps' },
        fault: { kind: 'html', status: 404 },
      }),
  },
  { code: 'app-differs', where: ofAccount, remedy: /Declare app/, settings: () => ({ HUBSPOT_APP_ID: '99' }) },
  {
    code: 'quota-spent',
    where: ofAccount,
    remedy: /Wait until midnight/,
    plant: () => sandboxes.hubspot.control('PUT', '/rate-limit', { daily: 0 }),
  },
  {
    code: 'clock-skew',
    where: ofAccount,
    remedy: /time service/,
    plant: () => sandboxes.hubspot.control('PUT', '/settings', { clockSkewMs: -600_000 }),
  },
  {
    code: 'hubspot-unreachable',
    where: ofAccount,
    remedy: /HUBSPOT_BASE_URL/,
    settings: () => ({ HUBSPOT_BASE_URL: 'http://127.0.0.1:1' }),
  },
  {
    code: 'subscription-missing',
    where: `${ofAccount}: webhooks`,
    remedy: /Subscribe the app to call\.creation/,
    plant: () => subscribe(needed().filter((one) => one.subscriptionType !== 'object.creation')),
  },
  {
    code: 'subscription-inactive',
    where: `${ofAccount}: webhooks`,
    remedy: /Activate it/,
    plant: () => subscribe(needed().map((one) => ({ ...one, active: one.propertyName !== 'notes_last_updated' }))),
  },
  {
    code: 'target-differs',
    where: `${ofAccount}: webhooks`,
    remedy: /Set the app's target URL to http:\/\/127/,
    plant: () => sandboxes.hubspot.control('PUT', '/target', { url: 'https://other.example.com/webhooks/hubspot' }),
  },
  {
    code: 'signature-refused',
    where: /\/webhooks\/hubspot$/,
    remedy: /client secret of the app/,
    settings: () => ({ HUBSPOT_CLIENT_SECRET: 'another' }),
  },
  { code: 'heygen-key', where: 'HeyGen', remedy: /HEYGEN_API_KEY/, settings: () => ({ HEYGEN_API_KEY: 'another' }) },
  { code: 'openai-key', where: 'OpenAI', remedy: /OPENAI_API_KEY/, settings: () => ({ OPENAI_API_KEY: 'another' }) },
  {
    code: 'model-missing',
    where: 'OpenAI model gpt-0, OPENAI_SUMMARY_MODEL',
    remedy: /another model in OPENAI_SUMMARY_MODEL/,
    settings: () => ({ OPENAI_SUMMARY_MODEL: 'gpt-0' }),
  },
  {
    code: 'openai-unreachable',
    where: 'OpenAI',
    remedy: /OPENAI_BASE_URL/,
    settings: () => ({ OPENAI_BASE_URL: 'http://127.0.0.1:1/v1' }),
  },
  {
    code: 'kafka-unreachable',
    where: 'Kafka',
    remedy: /KAFKA_BROKERS/,
    settings: () => ({ KAFKA_BROKERS: '127.0.0.1:1' }),
  },
  {
    code: 'postgres-unreachable',
    where: 'Postgres',
    remedy: /DATABASE_URL/,
    settings: () => ({ DATABASE_URL: 'postgres://somebody:hidden-password@127.0.0.1:1/refrain' }),
  },
  {
    code: 'settings-faulty',
    where: 'settings',
    remedy: /^Set HUBSPOT_ACCESS_TOKEN .*TENANTS_FILE declares an account\)\.$/,
    settings: () => ({ HUBSPOT_ACCESS_TOKEN: '' }),
  },
  {
    code: 'recipes-faulty',
    where: 'recipes',
    remedy: /refrain recipes test/,
    settings: () => ({
      RECIPES_DIR: recipe('broken', 'recipe: broken\ntrigger: { object: contact, property: x }\nsteps: []\n'),
    }),
  },
];

it.each(faults)('names $code, alone, with its remedy', async ({ code, where, remedy, plant, settings }) => {
  await plant?.();
  const told = await doctor(settings?.());
  const expected = [
    code,
    typeof where === 'string' ? where : expect.stringMatching(where),
    expect.stringMatching(remedy),
  ];
  expect(remedies(told)).toEqual([expected]);
  // What follows from it is not told as well.
  const others = told.findings
    .map((one) => one.code)
    .filter((one) => /^check-failed$|^(properties|subscriptions)-unread$/.test(one));
  expect(others).toEqual([]);
  expect(told.code).toBe(1);
});

it('warns of what is still well: records whose end nobody tells of, a clock that drifts, limits that are too high', async () => {
  await without('deal.merge')();
  await sandboxes.hubspot.control('PUT', '/settings', { clockSkewMs: 60_000 });
  await sandboxes.hubspot.control('PUT', '/rate-limit', { daily: 600_000 });
  const told = await doctor({ HUBSPOT_TIME_ZONE: 'Europe/Berlin' });
  const codes = ofSeverity(told, 'warning').map(({ code }) => code);
  expect(codes).toEqual(expect.arrayContaining(['fate-untold', 'clock-drift', 'limit-too-high', 'time-zone-differs']));
  expect([ofSeverity(told, 'error'), told.code]).toEqual([[], 0]);
});

it('notes what cannot be looked at, and is no error', async () => {
  const told = await doctor({
    ...{ HUBSPOT_DEVELOPER_KEY: '', PUBLIC_URL: '', HEYGEN_API_KEY: '', OPENAI_API_KEY: '' },
    ...{ KAFKA_BROKERS: '', DATABASE_URL: '' },
  });
  expect(ofSeverity(told, 'note').map(({ code }) => code)).toEqual([
    ...['gateway-unchecked', 'heygen-unchecked', 'kafka-unchecked', 'openai-unchecked', 'postgres-unchecked'],
    'subscriptions-unread',
  ]);
  expect(told.code).toBe(0);
});

it('tells an address that nobody answers at from one where somebody else does', async () => {
  const nowhere = await doctor({ PUBLIC_URL: 'http://127.0.0.1:1', HUBSPOT_DEVELOPER_KEY: '' });
  expect(remedies(nowhere)).toEqual([
    ['gateway-unreachable', expect.anything(), expect.stringContaining('PUBLIC_URL')],
  ]);
  const other = await doctor({ PUBLIC_URL: sandboxes.openai.url, HUBSPOT_DEVELOPER_KEY: '' });
  expect(remedies(other)).toEqual([['gateway-strange', expect.anything(), expect.stringContaining('proxy')]]);
});

it('looks at each tenant by its own account and portals', async () => {
  const declared = [
    { tenant: 'acme', portals: [1], hubspot: { tokenEnv: 'ACME_TOKEN', tier: 'professional' } },
    { tenant: 'blue', portals: [account.portalId], hubspot: { tokenEnv: 'BLUE_TOKEN', tier: 'professional' } },
  ];
  const file = join(folder, 'tenants.yaml');
  writeFileSync(file, JSON.stringify(declared));
  const settings = { TENANTS_FILE: file, ACME_TOKEN: secrets.hubspotAccessToken, BLUE_TOKEN: 'revoked' };
  expect(remedies(await doctor(settings))).toEqual([
    ['portal-differs', 'HubSpot account acme', expect.stringContaining('TENANTS_FILE')],
    ['token-revoked', 'HubSpot account blue', expect.anything()],
  ]);
  expect(remedies(await doctor(settings, '--tenant', 'blue'))).toEqual([
    ['token-revoked', 'HubSpot account blue', expect.anything()],
  ]);
  expect(remedies(await doctor(settings, '--tenant', 'nobody'))).toEqual([
    ['tenant-unknown', 'HubSpot account nobody', expect.stringContaining('TENANTS_FILE')],
  ]);
});

it('looks at an installation by its own scopes, and signs by the secret of its app', async () => {
  await sandboxes.hubspot.control('PUT', '/tokens', { refreshToken: 'refresh-of-the-test' });
  const oauth = { clientId: 'client', clientSecretEnv: 'APP_SECRET', refreshTokenEnv: 'REFRESH_TOKEN' };
  const file = join(folder, 'installed.yaml');
  writeFileSync(file, JSON.stringify([{ tenant: 'acme', hubspot: { oauth, tier: 'professional' } }]));
  const settings = {
    ...{ TENANTS_FILE: file, APP_SECRET: secrets.hubspotClientSecret, REFRESH_TOKEN: 'refresh-of-the-test' },
    ...{ HUBSPOT_ACCESS_TOKEN: '', HUBSPOT_CLIENT_SECRET: '' },
  };
  const told = await doctor(settings);
  expect([ofSeverity(told, 'error'), ofSeverity(told, 'note')]).toEqual([[], []]);
  await sandboxes.hubspot.control('PUT', '/tokens', { refreshToken: 'refresh-of-the-test', revoked: true });
  expect(remedies(await doctor(settings))).toEqual([
    ['token-revoked', 'HubSpot account acme', expect.stringContaining('Install the app again')],
  ]);
});

it('goes by the published recipes where no folder is set, and notes that there are none', async () => {
  expect((await doctor({ RECIPES_DIR: '' })).findings.map(({ code }) => code)).toContain('recipes-none');
  const text =
    'recipe: published\ntrigger: { object: deal, property: nobody_has_it }\nsteps: [{ write: { note: x } }]\n';
  await refrain({}, 'recipes', 'publish', recipe('published', text), '--why', 'a test');
  expect(remedies(await doctor({ RECIPES_DIR: '', HUBSPOT_DEVELOPER_KEY: '' }))).toEqual([
    ['property-missing', `${ofAccount}: deal.nobody_has_it`, expect.stringContaining('Make it in HubSpot')],
  ]);
});

it('names what is behind this version: topics and migrations', async () => {
  const { rows } = await db.pool.query<{ name: string; timestamp: string }>(
    `delete from migration where id = (select max(id) from migration) returning name, timestamp`,
  );
  const [last] = rows;
  const told = await doctor({ TOPIC_PREFIX: 'nobody.' });
  await db.pool.query(`insert into migration (name, timestamp) values ($1, $2)`, [last?.name, last?.timestamp]);
  const [migrations, ...others] = remedies(told);
  expect(migrations).toEqual(['migrations-pending', 'Postgres', expect.stringContaining('refrain migrate')]);
  expect(ofSeverity(told, 'error')[0]?.what).toContain(`1 migrations are not applied: ${last?.name ?? ''}`);
  expect(new Set(others.map(([code]) => code))).toEqual(new Set(['topic-missing']));
  expect(others[0]?.[2]).toContain('refrain topics apply');
});

/** Writes a recipe into a folder of its own. */
function recipe(id: string, text: string): string {
  const place = mkdtempSync(join(folder, 'recipes-'));
  writeFileSync(join(place, `${id}.yaml`), text);
  return place;
}

it('names all that recipes take for granted and the portal and the vendors do not have, together', async () => {
  await define('contact', 'doctor_archived');
  await hubspot('DELETE', '/crm/v3/properties/contact/doctor_archived');
  await define('contact', 'doctor_sum', 'number', 'calculation_equation');
  await define('contact', 'doctor_count', 'number', 'number');
  await hubspot('PATCH', '/crm/v3/properties/contact/ai_budget_estimate', { type: 'string' });
  await sandboxes.heygen.control('POST', '/templates', { id: 'doctor', variables: { name: 'text', face: 'image' } });
  const place = recipe(
    'writes',
    `recipe: writes
trigger: { object: contact, property: hs_lead_status, becomes: [NEVER] }
steps:
  - name: judged
    ask:
      model: gpt-0
      properties: [firstname]
      instruction: Judge.
      answer: { type: object, required: [why], additionalProperties: false, properties: { why: { type: string } } }
  - write:
      properties:
        doctor_missing: x
        doctor_archived: x
        doctor_sum: 1
        recent_conversion_event_name: x
        doctor_count: '\${steps.judged.why}'
        lifecyclestage: boss
        ai_budget_estimate: 5
      upsert: { object: company, by: industry, properties: { industry: x } }
`,
  );
  writeFileSync(
    join(place, 'deals.yaml'),
    `recipe: deals
trigger: { object: deal, property: dealstage, becomes: [nowhere] }
steps:
  - video: { template: gone, title: x, variables: { name: x } }
  - write: { stage: Somewhere }
`,
  );
  writeFileSync(
    join(place, 'companies.yaml'),
    `recipe: companies
trigger: { object: company, property: hs_lastmodifieddate }
steps: [{ write: { task: { title: x } } }]
`,
  );
  writeFileSync(
    join(place, 'videos.yaml'),
    `recipe: videos
trigger: { object: contact, on: creation }
steps: [{ video: { template: doctor, title: x, variables: { face: x, nickname: x } } }]
`,
  );
  const told = await doctor({ HUBSPOT_DEVELOPER_KEY: '' }, '--recipes', place);
  const at = (property: string) => `${ofAccount}: ${property}`;
  const video = 'HeyGen template doctor, recipe videos';
  expect(remedies(told)).toEqual([
    ['model-missing', 'OpenAI model gpt-0, recipe writes', expect.stringContaining('another model')],
    ['option-missing', at('contact.lifecyclestage'), expect.stringContaining('Add the option')],
    ['property-archived', at('contact.doctor_archived'), expect.stringContaining('Restore it')],
    ['property-calculated', at('contact.doctor_sum'), expect.stringContaining('another property')],
    ['property-drift', at('contact.ai_budget_estimate'), expect.stringContaining('Change it in HubSpot')],
    ['property-missing', at('contact.doctor_missing'), expect.stringContaining('Make it in HubSpot')],
    ['property-never-told', at('company.hs_lastmodifieddate'), expect.stringContaining('refrain reconcile')],
    ['property-not-unique', at('company.industry'), expect.stringContaining('unique values')],
    ['property-read-only', at('contact.recent_conversion_event_name'), expect.stringContaining('another property')],
    ['property-type', at('contact.doctor_count'), expect.stringContaining('Give the property the type')],
    ['stage-missing', `${at('deal')}, recipe deals`, expect.stringContaining('Risk (4711)')],
    ['stage-missing', `${at('deal')}, recipe deals`, expect.stringContaining('Risk (4711)')],
    ['template-missing', 'HeyGen template gone, recipe deals', expect.stringContaining('Correct its id')],
    ['template-variable-missing', video, expect.stringContaining('name, face')],
    ['template-variable-type', video, expect.stringContaining('Let the recipe give image')],
    ['template-variable-unknown', video, expect.stringContaining('name, face')],
  ]);
  expect(ofSeverity(told, 'warning').map(({ code }) => code)).toContain('option-unknown');
  await hubspot('PATCH', '/crm/v3/properties/contact/ai_budget_estimate', { type: 'number' });
});

it('has put no record on a topic, billed nothing, changed nothing and told no secret', async () => {
  await doctor();
  const names = [Topic.ingressHubspot, Topic.quarantine];
  const high = await withAdmin(connection, (admin) =>
    Promise.all(names.map((name) => admin.fetchTopicOffsets((connection.topicPrefix ?? '') + name))),
  );
  expect(high.flat().map((one) => one.high)).toEqual(high.flat().map(() => '0'));
  await sandboxes.hubspot.control('DELETE', '/calls');
  await doctor();
  const calls = await Promise.all(vendors.map((vendor) => sandboxes[vendor].calls()));
  const writes = calls[0]?.filter(({ method, path }) => method !== 'GET' && !path.startsWith('/oauth'));
  expect(writes).toEqual([]);
  expect(
    calls
      .slice(1)
      .flat()
      .filter(({ method }) => method !== 'GET'),
  ).toEqual([]);
  const hidden = [...Object.values(secrets), developerKey, 'hidden-password', 'refresh-of-the-test'];
  expect(hidden.filter((secret) => printed.includes(secret))).toEqual([]);
});
