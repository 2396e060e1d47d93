import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createProgram } from '../apps/cli/src/program';
import { Watchdog } from './testing/children';
import { accountOf, newSecrets } from './testing/secrets';
import { type Sandbox, startSandbox } from './testing/vendors';

type Environment = Record<string, string>;

const watchdog = new Watchdog();
const secrets = newSecrets();
const account = accountOf({});
const developerKey = 'developer-key-of-the-test';
const url = 'https://hub.example.com';
const target = `${url}/webhooks/hubspot`;
let hubspot: Sandbox;
let folder: string;
let env: Environment;

beforeAll(async () => {
  const nowhere = { url: 'http://127.0.0.1:1', publicUrl: 'http://127.0.0.1:1' };
  const further = { HUBSPOT_DEVELOPER_KEY: developerKey };
  hubspot = await startSandbox('hubspot', secrets, account, nowhere, further, watchdog);
  folder = mkdtempSync(join(tmpdir(), 'webhooks-'));
  writeFileSync(join(folder, 'leads.yaml'), recipe('leads', 'contact', 'email'));
  writeFileSync(join(folder, 'calls.yaml'), 'recipe: calls\ntrigger: { object: call, on: creation }\n' + steps);
  env = {
    HUBSPOT_BASE_URL: hubspot.url,
    HUBSPOT_ACCESS_TOKEN: secrets.hubspotAccessToken,
    HUBSPOT_DEVELOPER_KEY: developerKey,
    RECIPES_DIR: folder,
    PUBLIC_URL: url,
  };
});
afterAll(async () => {
  rmSync(folder, { recursive: true });
  await hubspot.child.stop();
  await watchdog.stop();
});
beforeEach(async () => {
  await hubspot.control('DELETE', '/faults');
  await hubspot.control('PUT', '/target', { url: null });
  await subscribe([]);
  await hubspot.control('DELETE', '/calls');
});

const steps = 'steps: [{ write: { properties: { jobtitle: CTO } } }]\n';
const recipe = (id: string, object: string, property: string, more = '') =>
  `recipe: ${id}\n${more}trigger: { object: ${object}, property: ${property} }\n${steps}`;

interface Given {
  subscriptionType: string;
  propertyName?: string;
  objectTypeId?: string;
  active?: boolean;
}
const subscribe = (subscriptions: Given[]) => hubspot.control('PUT', '/subscriptions', { subscriptions });
const fault = (method: string, path: string, kind: object, more: object = {}) =>
  hubspot.control('POST', '/faults', {
    match: { method, pathPrefix: `/app-webhooks/2026-09/${String(account.appId)}/${path}` },
    fault: kind,
    times: 1,
    ...more,
  });

/** What the app is subscribed to: active ones, and paused ones with a minus. */
async function subscribed(): Promise<string[]> {
  const { subscriptions } = await hubspot.control<{ subscriptions: (Given & { active: boolean })[] }>(
    'GET',
    '/subscriptions',
  );
  return subscriptions
    .map(({ subscriptionType, propertyName, objectTypeId, active }) =>
      [active ? '' : '-', subscriptionType, propertyName, objectTypeId].filter((part) => part !== undefined).join(' '),
    )
    .map((one) => one.trim())
    .sort();
}
const targetNow = async () =>
  (await hubspot.control<{ target: { url: string } | null }>('GET', '/state')).target?.url ?? null;
const changes = async () =>
  (await hubspot.calls()).filter(({ method, path }) => method !== 'GET' && path.startsWith('/app-webhooks/'));

interface Told {
  said: string;
  code: number;
  failure: string;
}

/** Runs the command with these settings and no others. */
async function init(args: string[] = [], over: Environment = {}): Promise<Told> {
  const outputs: string[] = [];
  const keep = (text: unknown) => outputs.push(String(text)) > 0;
  const environment = jest.replaceProperty(process, 'env', { ...env, ...over });
  const spies = (['stdout', 'stderr'] as const).map((to) => jest.spyOn(process[to], 'write').mockImplementation(keep));
  let failure = '';
  try {
    await createProgram().parseAsync(['node', 'refrain', 'init', 'hubspot-webhooks', ...args]);
  } catch (error) {
    failure = `${(error as Error).name}: ${(error as Error).message}`;
  } finally {
    for (const spy of spies) spy.mockRestore();
    environment.restore();
  }
  const told = { said: outputs.join(''), code: Number(process.exitCode ?? 0), failure };
  process.exitCode = undefined;
  // Wherever it went wrong, the key is told to nobody.
  expect(JSON.stringify(told)).not.toContain(developerKey);
  return told;
}

const needed = [
  'contact.deletion',
  'contact.merge',
  'contact.privacyDeletion',
  'contact.propertyChange email',
  'contact.restore',
  'object.creation 0-48',
  'object.deletion 0-48',
  'object.restore 0-48',
];

it('shows what would change, changes it where told to, and nothing the next time', async () => {
  const shown = await init();
  expect(shown).toMatchObject({ code: 0, failure: '' });
  expect(shown.said).toContain(`~ target ${target}, 10 requests at once`);
  expect(shown.said).toContain('+ subscribe contact.propertyChange.email, for leads');
  expect(shown.said).toContain('Nothing was changed; --yes does it.');
  expect((await init(['--yes', '--dry-run'])).said).toEqual(shown.said);
  expect([await subscribed(), await targetNow(), await changes()]).toEqual([[], null, []]);

  const done = await init(['--yes']);
  expect(done.said).toContain('9 done, 0 failed, 0 left.');
  expect([await subscribed(), await targetNow()]).toEqual([needed, target]);

  await hubspot.control('DELETE', '/calls');
  const again = await init(['--yes', '--json']);
  expect(JSON.parse(again.said)).toEqual({
    ...{ app: String(account.appId), changes: [], unneeded: [], impossible: [], done: true },
  });
  expect([again.code, await changes()]).toEqual([0, []]);
});

it('activates what is paused, and pauses what nobody needs only where told to; nothing is taken away', async () => {
  const email = { subscriptionType: 'contact.propertyChange', propertyName: 'email' };
  await subscribe([
    { ...email, active: false },
    { ...email, propertyName: 'phone', active: true },
    { subscriptionType: 'deal.creation', active: false },
  ]);
  const shown = await init(['--yes']);
  expect(shown.said).toContain('^ activate contact.propertyChange.email, for leads');
  expect(shown.said).toContain('contact.propertyChange.phone is needed by no recipe; --pause-unneeded pauses it');
  expect(await subscribed()).toEqual([...needed, '- deal.creation', 'contact.propertyChange phone'].sort());
  expect((await init(['--yes', '--pause-unneeded'])).said).toContain('- pause contact.propertyChange.phone');
  expect(await subscribed()).toEqual([...needed, '- deal.creation', '- contact.propertyChange phone'].sort());
});

it('sets how many requests come at once, and leaves it as it is the next time', async () => {
  await init(['--yes', '--max-concurrent-requests', '20']);
  await init(['--yes', '--url', 'https://other.example.com/']);
  const put = (await changes()).filter(({ method }) => method === 'PUT').map(({ requestBody }) => requestBody);
  expect(put).toEqual([
    { targetUrl: target, throttling: { maxConcurrentRequests: 20 } },
    { targetUrl: 'https://other.example.com/webhooks/hubspot', throttling: { maxConcurrentRequests: 20 } },
  ]);
});

describe('where HubSpot does not go along', () => {
  it('waits for a limit that is soon over', async () => {
    await fault('POST', 'subscriptions', {
      ...{ kind: 'status', code: 'SECONDLY', headers: { 'retry-after': '0' } },
    });
    expect((await init(['--yes'])).code).toBe(0);
    expect(await subscribed()).toEqual(needed);
  });

  it.each([
    ['a limit that lasts', { kind: 'status', code: 'DAILY' }, /DAILY: You have reached your daily limit/],
    ['a missing right', { kind: 'status', code: 'MISSING_SCOPES' }, /MISSING_SCOPES/],
    ['a lost answer', { kind: 'accept-then-hang' }, /it may have been done; run this again/],
    [
      'a refusal that repeats the key',
      { kind: 'status', status: 401, body: { message: `${developerKey} is unknown`, category: 'X' } },
      /HubSpot said X: \(the developer key\) is unknown/,
    ],
  ])(
    'says after %s what was done and what is left; run again, it does the rest',
    async (_, kind, why) => {
      const merge = { bodyIncludes: 'contact.merge' };
      await fault('POST', 'subscriptions', kind, { match: { method: 'POST', ...merge } });
      const half = await init(['--yes', '--json']);
      const { changes: results } = JSON.parse(half.said) as {
        changes: { change: string; event?: string; state: string; why?: string }[];
      };
      expect(results.map(({ change, event, state }) => [event ?? change, state]).slice(0, 5)).toEqual([
        ['target', 'done'],
        ['call.creation', 'done'],
        ['call.deletion', 'done'],
        ['call.restore', 'done'],
        ['contact.deletion', 'done'],
      ]);
      expect(results[5]).toMatchObject({ event: 'contact.merge', state: 'failed', why: expect.stringMatching(why) });
      expect(new Set(results.slice(6).map(({ state }) => state))).toEqual(new Set(['left']));
      expect(half.code).toBe(1);
      expect((await init(['--yes'])).code).toBe(0);
      expect(await subscribed()).toEqual(needed);
    },
    60_000,
  );

  it('goes on behind a subscription that it does not take', async () => {
    const odd = join(folder, '..', `odd-${String(process.pid)}.yaml`);
    writeFileSync(odd, recipe('odd', 'contact', 'hs_lastmodifieddate'));
    const { said, code } = await init(['--yes', '--recipes', odd]);
    rmSync(odd);
    expect(said).toContain(
      'FAILED: HubSpot said VALIDATION_ERROR: Property hs_lastmodifieddate cannot be subscribed to',
    );
    expect(said).toContain('5 done, 1 failed, 0 left.');
    expect([code, await subscribed()]).toEqual([
      1,
      ['contact.deletion', 'contact.merge', 'contact.privacyDeletion', 'contact.restore'],
    ]);
  });

  it('subscribes to nothing where the target is refused', async () => {
    await fault('PUT', 'settings', {
      kind: 'status',
      status: 400,
      body: { message: 'no', category: 'VALIDATION_ERROR' },
    });
    const { said, code } = await init(['--yes']);
    expect(said).toContain('0 done, 1 failed, 8 left.');
    expect([code, await subscribed()]).toEqual([1, []]);
  });

  it('changes nothing of an app that would have too many', async () => {
    await subscribe(Array.from({ length: 999 }, () => ({ subscriptionType: 'deal.creation' })));
    expect((await init(['--yes'])).failure).toContain('1007 subscriptions, and HubSpot allows 1000');
    expect(await changes()).toEqual([]);
  });

  it('refuses what it cannot work by, in a sentence', async () => {
    expect((await init([], { HUBSPOT_DEVELOPER_KEY: '' })).failure).toMatch(
      /HUBSPOT_DEVELOPER_KEY is not set\. Only legacy public apps .* project \(refrain init hubspot-app\)/,
    );
    expect((await init([], { HUBSPOT_DEVELOPER_KEY: 'another' })).failure).toContain(
      `HubSpot does not take the developer key for app ${String(account.appId)}`,
    );
    await fault('GET', 'subscriptions', { kind: 'status', status: 404, body: { message: 'resource not found' } });
    expect((await init()).failure).toMatch(
      /has no webhooks of app \d+ that could be managed\. Only legacy public apps/,
    );
    expect((await init([], { HUBSPOT_APP_ID: '99' })).failure).toMatch(/app 99 is declared .* token is of app \d+/);
    expect((await init([], { HUBSPOT_BASE_URL: 'http://127.0.0.1:1', HUBSPOT_APP_ID: '1' })).failure).toContain(
      'HubSpot gave no answer (connection-lost)',
    );
    expect((await init([], { PUBLIC_URL: 'http://hub.example.com' })).failure).toContain(
      'HubSpot calls https addresses alone',
    );
    expect((await init(['--max-concurrent-requests', '5'])).failure).toContain('greater than 5');
    const faulty = mkdtempSync(join(folder, 'faulty-'));
    writeFileSync(join(faulty, 'broken.yaml'), 'recipe: broken\n');
    expect((await init(['--recipes', faulty])).failure).toContain('broken.yaml');
    expect(await changes()).toEqual([]);
  });
});

it('counts the recipes of all tenants that have the app, and of no other', async () => {
  const place = mkdtempSync(join(folder, 'tenants-'));
  const hubspotOf = (tenant: string) => ({ tokenEnv: `${tenant.toUpperCase()}_TOKEN`, tier: 'professional' });
  const declared = ['acme', 'blue', 'other'].map((tenant) => ({ tenant, hubspot: hubspotOf(tenant) }));
  const file = join(place, 'tenants.json');
  writeFileSync(
    file,
    JSON.stringify([...declared.slice(0, 2), { ...declared[2], hubspot: { ...declared[2]?.hubspot, app: 99 } }]),
  );
  const recipes = mkdtempSync(join(place, 'recipes-'));
  for (const [tenant, property] of Object.entries({ acme: 'a', blue: 'b', other: 'c', nobody: 'd' }))
    writeFileSync(join(recipes, `${tenant}.yaml`), recipe(tenant, 'contact', property, `tenants: [${tenant}]\n`));
  const { hubspotAccessToken: token } = secrets;
  const settings = { TENANTS_FILE: file, ACME_TOKEN: token, BLUE_TOKEN: token, OTHER_TOKEN: 'revoked' };
  const { said } = await init(['--tenant', 'acme', '--recipes', recipes, '--json'], settings);
  const events = (JSON.parse(said) as { changes: { event?: string }[] }).changes.flatMap(({ event }) => event ?? []);
  expect(events.filter((event) => event.includes('propertyChange'))).toEqual([
    'contact.propertyChange.a',
    'contact.propertyChange.b',
  ]);
  expect((await init(['--tenant', 'other', '--recipes', join(recipes, 'nobody.yaml')], settings)).failure).toMatch(
    /has no webhooks of app 99/,
  );
});
