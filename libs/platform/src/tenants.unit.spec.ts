import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { loadConfig } from './config';
import { installableApps, readInstallable } from './installable';
import { accountsOf, hubspotSettings, needsAccount, timelineOf } from './tenants';

const schema = z.object(hubspotSettings).refine(...needsAccount);
const secret = 'hush-7f3a';
let folder: string;
let file: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'tenants-'));
  file = join(folder, 'tenants.yaml');
});
afterEach(() => rmSync(folder, { recursive: true }));

function open(text: string, env: Record<string, string> = {}) {
  writeFileSync(file, text);
  const all = { TENANTS_FILE: file, ...env };
  return accountsOf(loadConfig(schema, all), all);
}

function faultOf(work: () => unknown): string {
  try {
    work();
    return 'none';
  } catch (error) {
    return (error as Error).message;
  }
}

const one = (more: string, name = 'acme') => `- tenant: ${name}\n  hubspot: { tier: starter, ${more} }\n`;

it('are one account for everyone where no file declares any', () => {
  const env = { HUBSPOT_ACCESS_TOKEN: secret, HUBSPOT_APP_ID: '7', HUBSPOT_PER_DAY: '5' };
  const [account, ...others] = accountsOf(loadConfig(schema, env), env);
  expect(others).toEqual([]);
  expect(account).toMatchObject({ tenant: undefined, appId: '7', plan: { perTenSeconds: 190, perDay: 5 } });
  expect((account?.token as () => string)()).toBe(secret);
  // The gateway's connections may stand in the same file.
  writeFileSync(file, '- { door: heygen }\n- { tenant: acme, portals: [1] }\n');
  expect(accountsOf(loadConfig(schema, { ...env, TENANTS_FILE: file }), env)).toHaveLength(1);
});

it('are told by tier, time zone and app; a token that stands in a file may change', () => {
  const key = join(folder, 'key');
  writeFileSync(key, `${secret}-1\n`);
  const text = `${one(`tokenFile: ${key}, timeZone: Europe/Berlin, app: 123, limitIncreases: 1`)}  portals: [1]\n`;
  const [account] = open(text, { HUBSPOT_BASE_URL: 'http://127.0.0.1:1', HUBSPOT_APP_ID: '9' });
  expect(account).toMatchObject({
    ...{ tenant: 'acme', appId: '123', baseUrl: 'http://127.0.0.1:1' },
    plan: { tier: 'starter', limitIncreases: 1, timeZone: 'Europe/Berlin', isOauth: false },
  });
  const token = account?.token as () => string;
  expect(token()).toBe(`${secret}-1`);
  writeFileSync(key, `${secret}-2`);
  expect(token()).toBe(`${secret}-2`);
  rmSync(key);
  expect(token()).toBe(`${secret}-2`);
});

it('have timelines written by notes, unless their declaration or the setting of all says events', () => {
  const timelines = (env: Record<string, string>) => {
    const config = loadConfig(schema, env);
    const ofAll = accountsOf(config, env).map(({ timeline }) => timeline);
    return [ofAll, timelineOf(config, 'acme'), timelineOf(config, 'nobody')];
  };
  const env = { HUBSPOT_ACCESS_TOKEN: secret, A: secret };
  expect(timelines(env)).toEqual([['notes'], 'notes', 'notes']);
  expect(timelines({ ...env, HUBSPOT_TIMELINE: 'events' })).toEqual([['events'], 'events', 'events']);
  writeFileSync(file, one('tokenEnv: A, timeline: events') + one('tokenEnv: A', 'blue'));
  const declared = { ...env, TENANTS_FILE: file };
  expect(timelines(declared)).toEqual([['events', 'notes'], 'events', 'notes']);
  // Where accounts are declared, the setting is nobody's.
  expect(timelines({ ...declared, HUBSPOT_TIMELINE: 'events' })).toEqual([['events', 'notes'], 'events', 'notes']);
});

it('may be installations', () => {
  const [account] = open(one('oauth: { clientId: c, clientSecretEnv: S, refreshTokenEnv: R }'), { S: secret, R: 'r' });
  const token = account?.token as { clientId: string; clientSecret: () => string; refreshToken: () => string };
  expect([token.clientId, token.clientSecret(), token.refreshToken()]).toEqual(['c', secret, 'r']);
  expect(account).toMatchObject({ plan: { isOauth: true } });
});

it('may be installed by customers: portals, scopes and the app stand in the file, tokens do not', () => {
  const text = `- tenant: acme
  portals: [62515]
  hubspot: { tier: starter, app: 7, oauth: { clientId: c, clientSecretEnv: S, scopes: [oauth], optionalScopes: [timeline] } }
${one('tokenEnv: A', 'blue')}`;
  const [account] = open(text, { S: secret, A: 'x' });
  expect(account?.token).toMatchObject({ clientId: 'c', isInstalled: true });
  const env = { TENANTS_FILE: file, S: secret, A: 'x' };
  const [app, ...others] = installableApps(loadConfig(schema, env), env);
  expect(others).toEqual([]);
  expect(app).toMatchObject({
    tenant: 'acme',
    portals: [62515],
    appId: '7',
    scopes: ['oauth'],
    optionalScopes: ['timeline'],
  });
  expect(app?.clientSecret()).toBe(secret);
  const list: unknown[] = [{ door: 'hubspot' }, null, { tenant: 'x', hubspot: {} }];
  expect(readInstallable(list)).toMatchObject({ success: true, data: [] });
});

it.each([
  [
    'scopes and a refresh token',
    one('oauth: { clientId: c, clientSecretEnv: S, refreshTokenEnv: R, scopes: [oauth] }'),
    /only one of them/,
  ],
  [
    'scopes and no portals',
    one('oauth: { clientId: c, clientSecretEnv: S, scopes: [oauth] }'),
    /those that may install it/,
  ],
  ['a scope twice', one('oauth: { clientId: c, clientSecretEnv: S, scopes: [a, a] }'), /names a scope twice/],
  ['no token', one('timeZone: UTC'), /\[0\]\.hubspot\.tokenEnv|tokenEnv is|is needed, or tokenFile, or oauth/],
  ['two tokens', one('tokenEnv: A, tokenFile: b'), /only one of them/],
  ['its token in the file', one(`token: ${secret}`), /token/],
  ['an unknown tier', one('tokenEnv: A').replace('starter', 'gold'), /"starter"\|"professional"\|"enterprise"/],
  ['an unknown timeline', one('tokenEnv: A, timeline: cards'), /"notes"\|"events"/],
  ['no time zone', one('tokenEnv: A, timeZone: Mars/North'), /Europe\/Berlin/],
  ['no client secret', one('oauth: { clientId: c, refreshTokenEnv: R }'), /or clientSecretFile/],
  ['no refresh token', one('oauth: { clientId: c, clientSecretEnv: S }'), /or refreshTokenFile/],
  ['no name', one('tokenEnv: A', 'Acme Corp'), /lower-case letters/],
  ['its name twice', one('tokenEnv: A') + one('tokenEnv: A'), /declares a tenant twice/],
  ['a file that is no YAML', `${one('tokenEnv: A')}  x: [${secret}`, /cannot be read/],
  ['a file that is no list', `hubspot: ${secret}`, /is no list of tenants/],
])('are refused with %s, told by file and remedy, and no secret is repeated', (_, text, why) => {
  const fault = faultOf(() => open(text, { A: 'x', R: 'x', S: 'x' }));
  expect(fault).toMatch(why);
  expect(fault).toContain('TENANTS_FILE');
  expect(fault).toContain(file);
  expect(fault).not.toContain(secret);
});

it('are refused all together where secrets are not there', () => {
  const fault = faultOf(() => open(one('tokenEnv: NOPE') + one(`tokenFile: ${folder}/none`, 'blue')));
  expect(fault).toContain('TENANTS_FILE: tenant acme: NOPE holds no secret of plain ASCII; put it there');
  expect(fault).toContain(`TENANTS_FILE: tenant blue: ${folder}/none holds no secret`);
});

it('are needed, by the file or by the token', () => {
  expect(faultOf(() => loadConfig(schema, {}))).toContain('HUBSPOT_ACCESS_TOKEN: is missing');
});
