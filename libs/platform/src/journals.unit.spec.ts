import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { loadConfig } from './config';
import { journalSettings, journalsOf, needsWholeJournal } from './journals';
import { hubspotSettings } from './tenants';

const schema = z.object({ ...hubspotSettings, ...journalSettings }).refine(...needsWholeJournal);
const secret = 'hush-7f3a';
const whole = {
  HUBSPOT_JOURNAL_CLIENT_ID: 'c1',
  HUBSPOT_JOURNAL_CLIENT_SECRET: secret,
  HUBSPOT_JOURNAL_PORTAL: '247187887',
};
let folder: string;
let file: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'journals-'));
  file = join(folder, 'tenants.yaml');
});
afterEach(() => rmSync(folder, { recursive: true }));

const shown = (env: Record<string, string>) =>
  journalsOf(loadConfig(schema, env), env).map(({ tenants, clientSecret, ...rest }) => ({
    ...rest,
    secret: clientSecret(),
    tenants: Object.fromEntries(tenants),
  }));

function open(text: string, env: Record<string, string> = {}) {
  writeFileSync(file, text);
  return shown({ TENANTS_FILE: file, ...env });
}

const tenant = (name: string, portals: string, journal: string) =>
  `- tenant: ${name}\n  ${portals}\n  hubspot: { tier: starter, tokenEnv: A, journal: { ${journal} } }\n`;

it('is none where none is declared, and one by the settings', () => {
  expect(shown({})).toEqual([]);
  expect(shown({ ...whole, HUBSPOT_BASE_URL: 'http://127.0.0.1:1' })).toEqual([
    { clientId: 'c1', secret, baseUrl: 'http://127.0.0.1:1', tenants: { 247187887: 'default' } },
  ]);
});

it.each(Object.keys(whole))('is refused without %s alone', (left) => {
  const env = Object.fromEntries(Object.entries(whole).filter(([name]) => name !== left));
  expect(() => loadConfig(schema, env)).toThrow(
    /HUBSPOT_JOURNAL_CLIENT_ID: (needs HUBSPOT_JOURNAL_CLIENT_SECRET and|is missing)/,
  );
});

it('is one of each app that the file declares, with the portals of all its tenants', () => {
  const journal = 'clientId: c1, clientSecretEnv: S';
  const text =
    tenant('acme', 'portals: [1, 2]', journal) +
    tenant('blue', 'portals: [3]', journal) +
    tenant('cyan', 'portals: [4]', 'clientId: c2, clientSecretEnv: T');
  expect(open(text, { A: 'x', S: secret, T: 't', ...whole })).toMatchObject([
    { clientId: 'c1', secret, tenants: { 1: 'acme', 2: 'acme', 3: 'blue' } },
    { clientId: 'c2', secret: 't', tenants: { 4: 'cyan' } },
  ]);
});

it.each([
  ['no portals', tenant('acme', 'portals: []', 'clientId: c1, clientSecretEnv: S'), /names no portals/],
  ['no client secret', tenant('acme', 'portals: [1]', 'clientId: c1'), /or clientSecretFile/],
  [
    'a secret that is not there',
    tenant('acme', 'portals: [1]', 'clientId: c1, clientSecretEnv: NOPE'),
    /NOPE holds no/,
  ],
])('is refused with %s', (_, text, why) => {
  expect(() => open(text, { A: 'x', S: secret })).toThrow(why);
});
