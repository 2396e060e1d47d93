import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { loadConfig } from './config';
import { accountsOf, hubspotSettings, needsAccount } from './tenants';

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

it('may be installations', () => {
  const [account] = open(one('oauth: { clientId: c, clientSecretEnv: S, refreshTokenEnv: R }'), { S: secret, R: 'r' });
  const token = account?.token as { clientId: string; clientSecret: () => string; refreshToken: () => string };
  expect([token.clientId, token.clientSecret(), token.refreshToken()]).toEqual(['c', secret, 'r']);
  expect(account).toMatchObject({ plan: { isOauth: true } });
});

it.each([
  ['no token', one('timeZone: UTC'), /\[0\]\.hubspot\.tokenEnv|tokenEnv is|is needed, or tokenFile, or oauth/],
  ['two tokens', one('tokenEnv: A, tokenFile: b'), /only one of them/],
  ['its token in the file', one(`token: ${secret}`), /token/],
  ['an unknown tier', one('tokenEnv: A').replace('starter', 'gold'), /"starter"\|"professional"\|"enterprise"/],
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
