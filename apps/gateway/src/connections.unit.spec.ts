import { mkdtempSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ConfigError, loadConfig } from '#libs/platform';
import { z } from 'zod';
import { noDeclarations } from './connection.schema';
import { openConnections, tenantsFile, type Connections } from './connections';
import { logger } from './testing/endpoint';

const folder = mkdtempSync(join(tmpdir(), 'refrain-connections-'));
const schema = z.object({ TENANTS_FILE: tenantsFile() });

function read(yaml: string) {
  const file = join(folder, 'tenants.yaml');
  writeFileSync(file, yaml);
  return loadConfig(schema, { TENANTS_FILE: file }).TENANTS_FILE;
}

const faultOf = (run: () => unknown): string => {
  try {
    run();
    return '';
  } catch (error) {
    return (error as ConfigError).message;
  }
};

const settings = { HUBSPOT_CLIENT_SECRET: 'hs', HEYGEN_WEBHOOK_SECRET: 'hg' };
const open = (yaml: string, env = {}): Connections =>
  openConnections(read(yaml), { env: { ...settings, ...env }, logger });
const currentOf = (connection: { secrets: () => { current: Buffer } } | undefined) =>
  connection?.secrets().current.toString();

const hubspot = '{ door: hubspot, app: 1, tenants: [{ tenant: acme, portals: [33] }], secretEnv: A }';
const heygen = '{ door: heygen, tenants: [acme], secretEnv: A }';

it('reads connections, each with its own', () => {
  const { hubspot: apps, heygen: accounts } = open(
    `- ${hubspot.replace('app:', 'signatures: [v3, v2], perMinute: 5, accept: { types: [workflow] }, app:')}
- { door: hubspot, connection: b, app: 2, tenants: [{ tenant: globex, portals: [33, 34] }], secretEnv: B, nextSecretEnv: C }
- { door: heygen, tenants: [acme, globex], secretEnv: C, token: { secretEnv: T } }`,
    { A: 'a', B: 'b', C: 'c', T: 't'.repeat(32) },
  );
  expect(apps.map(({ connection, app, signatures }) => [connection, app, signatures])).toEqual([
    ['default', 1, ['v3', 'v2']],
    ['b', 2, ['v3']],
  ]);
  expect(apps[1]?.secrets()).toEqual({ current: Buffer.from('b'), next: Buffer.from('c') });
  expect([apps[0]?.cap !== undefined, apps[1]?.cap]).toEqual([true, undefined]);
  expect(accounts[0]?.tokens?.().current.toString()).toBe('t'.repeat(32));
});

it('leaves accounts of tenants to the services, beside connections and with portals', () => {
  const account = 'hubspot: { tokenEnv: T, tier: starter }';
  expect(open(`- ${hubspot}\n- { tenant: acme, ${account} }`, { A: 'a' }).hubspot).toHaveLength(1);
  const { hubspot: apps } = open(`- { tenant: acme, portals: [33], ${account} }`);
  expect(apps.map(({ tenants }) => tenants)).toEqual([[{ tenant: 'acme', portals: [33] }]]);
});

it('has one connection for each door by the settings where no file is', () => {
  const { hubspot: apps, heygen: accounts } = openConnections(noDeclarations, { env: settings, logger });
  expect(apps.map((one) => [one.connection, one.tenants, one.signatures, currentOf(one)])).toEqual([
    ['default', undefined, ['v3'], 'hs'],
  ]);
  expect(accounts.map((one) => [one.connection, one.tenants, currentOf(one)])).toEqual([
    ['default', ['default'], 'hg'],
  ]);
});

it('reads a list of tenants alone: the secrets are those of the settings, HeyGen is for all of them', () => {
  const { hubspot: apps, heygen: accounts } = open(
    '- { tenant: acme, portals: [1] }\n- { tenant: globex, portals: [2], connection: b }\n',
  );
  expect(apps.map((one) => [one.connection, one.tenants?.map(({ tenant }) => tenant), currentOf(one)])).toEqual([
    ['default', ['acme'], 'hs'],
    ['b', ['globex'], 'hs'],
  ]);
  expect(accounts.map((one) => [one.tenants, currentOf(one)])).toEqual([[['acme', 'globex'], 'hg']]);
});

it('reads the secret of a setting again where it stands in a file', () => {
  const file = join(folder, 'client-secret');
  writeFileSync(file, 'one');
  const env = { HUBSPOT_CLIENT_SECRET_FILE: file, HEYGEN_WEBHOOK_SECRET: 'hg' };
  const now = jest.spyOn(performance, 'now').mockReturnValue(10_000);
  try {
    const { hubspot: apps } = openConnections(noDeclarations, { env, logger });
    expect(currentOf(apps[0])).toBe('one');
    writeFileSync(file, 'two');
    utimesSync(file, 1, 1);
    now.mockReturnValue(12_000);
    expect(currentOf(apps[0])).toBe('two');
  } finally {
    now.mockRestore();
  }
});

it.each([
  ['an inline secret', `- ${hubspot.replace('secretEnv: A', 'secret: hunter2')}`, 'Unrecognized key: "secret"'],
  ['no secret', `- ${hubspot.replace(', secretEnv: A', '')}`, 'names either secretFile or secretEnv'],
  ['no app', `- ${hubspot.replace('app: 1, ', '')}`, 'app'],
  ['an unknown door', `- ${hubspot.replace('hubspot', 'hunter2')}`, 'door'],
  ['an unknown version', `- ${hubspot.replace('app:', 'signatures: [v4], app:')}`, 'signatures'],
  ['no version', `- ${hubspot.replace('app:', 'signatures: [], app:')}`, 'signatures'],
  ['a connection twice', `- ${heygen}\n- ${heygen}`, 'names a connection of a door twice'],
  [
    'a portal of an app twice',
    `- ${hubspot}\n- ${hubspot.replace('app', 'connection: b, app')}`,
    'gives a portal of an app to two tenants',
  ],
  ['a portal twice', '- { tenant: a, portals: [1] }\n- { tenant: b, portals: [1] }', 'gives a portal to two tenants'],
  ['a token in the file', `- ${heygen.replace('}', ', token: hunter2 }')}`, 'token'],
  [
    'more connections than a request is held against',
    Array.from({ length: 17 }, (_, i) => `- ${heygen.replace('{', `{ connection: c${i},`)}`).join('\n'),
    'expected array to have <=16 items',
  ],
  ['no list', 'tenant: hunter2', 'expected array'],
])('refuses %s', (_case, yaml, message) => {
  const fault = faultOf(() => read(yaml));
  expect(fault).toContain(message);
  expect(fault).not.toContain('hunter2');
});

it('names every secret that cannot be had, at once, and shows none', () => {
  const yaml = `- ${hubspot}\n- { door: heygen, secretFile: /nowhere, token: { secretEnv: T } }`;
  const fault = faultOf(() => open(yaml, { T: 'hunter2' }));
  expect(fault.split('\n').slice(1)).toEqual([
    'TENANTS_FILE: connection hubspot/default: A is empty',
    'TENANTS_FILE: connection heygen/default: /nowhere is not there',
    'TENANTS_FILE: connection heygen/default, token: T is no token of 32 to 100 letters, digits, dashes and underscores',
  ]);
});
