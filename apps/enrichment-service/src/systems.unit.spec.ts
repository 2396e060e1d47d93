import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Progress } from '../../../libs/log/src/testing/log-fixture';
import { systemList } from './system.schema';
import { Systems } from './systems';

const secret = 'hush-7f3a';
let folder: string;
let file: string;
let running: Systems[] = [];
const logged: unknown[] = [];
let progress: Progress;
const note = (...line: unknown[]) => {
  logged.push(line);
  progress.note();
};
const lines = { info: note, warn: note };

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'systems-'));
  file = join(folder, 'systems.yaml');
  logged.length = 0;
  progress = new Progress();
});
afterEach(async () => {
  await Promise.all(running.map((one) => one.stop()));
  running = [];
  rmSync(folder, { recursive: true });
  expect(JSON.stringify(logged)).not.toContain(secret);
});

const declare = (text: string) => {
  writeFileSync(file, text);
};
const open = (env: Record<string, string> = {}) => {
  const systems = new Systems(file, env, lines);
  running.push(systems);
  return systems;
};
const one = (more = '', name = 'billing') => `- system: ${name}\n  url: https://billing.example/v1\n${more}`;
const faultOf = (work: () => unknown): string => {
  try {
    work();
    return 'none';
  } catch (error) {
    return (error as Error).message;
  }
};

it('are none without a file', () => {
  const systems = new Systems(undefined, {}, lines);
  systems.follow((names) => expect(names).toEqual([]));
  expect(systems.get('billing')).toBeUndefined();
});

it('have bounds, also where none are declared', () => {
  declare(one());
  expect(open().get('billing')).toMatchObject({ timeoutMs: 10_000, perMinute: 60, maxBytes: 262_144, private: false });
});

it.each([
  ['bearer', '{ scheme: bearer, secretEnv: KEY }', { authorization: `Bearer ${secret}` }],
  ['header', '{ scheme: header, header: X-Api-Key, secretEnv: KEY }', { 'X-Api-Key': secret }],
  [
    'basic',
    '{ scheme: basic, user: hub, secretEnv: KEY }',
    { authorization: `Basic ${Buffer.from(`hub:${secret}`).toString('base64')}` },
  ],
])('prove who asks by %s', (_, auth, headers) => {
  declare(one(`  auth: ${auth}\n`));
  expect(open({ KEY: secret }).get('billing')?.headers()).toEqual(headers);
});

it('take a secret from a file, also when it changes, and keep the last good one', () => {
  const key = join(folder, 'key');
  writeFileSync(key, `${secret}-1\n`);
  declare(one(`  auth: { scheme: bearer, secretFile: ${key} }\n`));
  const headers = open().get('billing')?.headers;
  expect(headers?.()).toEqual({ authorization: `Bearer ${secret}-1` });
  writeFileSync(key, `${secret}-2`);
  expect(headers?.()).toEqual({ authorization: `Bearer ${secret}-2` });
  for (const bad of ['', 'ä', `a\nb`]) {
    writeFileSync(key, bad);
    expect(headers?.()).toEqual({ authorization: `Bearer ${secret}-2` });
  }
  rmSync(key);
  expect(headers?.()).toEqual({ authorization: `Bearer ${secret}-2` });
});

it.each([
  ['without TLS', one().replace('https', 'http'), /https/],
  ['with a secret in its address', one().replace('billing.example', `a:${secret}@billing.example`), /without user/],
  ['with a query in its address', one().replace('/v1', '/v1?a=b'), /query/],
  ['with another scheme', one().replace('https', 'file'), /address/],
  ['with its secret in the file', one(`  auth: { scheme: bearer, secret: ${secret} }\n`), /auth/],
  ['with two secrets', one('  auth: { scheme: bearer, secretEnv: A, secretFile: b }\n'), /either/],
  ['with no secret', one('  auth: { scheme: bearer }\n'), /either/],
  ['that sets the host', one('  auth: { scheme: header, header: Host, secretEnv: A }\n'), /proves nothing/],
  ['that answers with everything', one('  maxBytes: 999999999\n'), /maxBytes/],
  ['with all the time there is', one('  timeout: 900s\n'), /60s/],
  ['twice', one() + one(), /twice/],
  ['with a secret that is not there', one('  auth: { scheme: bearer, secretEnv: NOPE }\n'), /NOPE holds no secret/],
  ['in a file that is no YAML', `${one()}  x: [${secret}`, /cannot be read/],
  ['in a file that is no list', `key: ${secret}`, /no list of systems/],
])('are refused %s, and no secret is repeated', (_, text, why) => {
  declare(text);
  const fault = faultOf(() => open());
  expect(fault).toMatch(why);
  expect(fault).not.toContain(secret);
});

it('are refused where the file is not there', () => {
  expect(faultOf(() => open())).toMatch(/SYSTEMS_FILE: cannot be read/);
});

it('are taken up again when the file changes; one that cannot be read changes nothing', async () => {
  declare(one());
  const systems = open();
  const told: string[][] = [];
  systems.follow((names) => told.push([...names]));
  systems.start(['former'], 5);
  expect(told).toEqual([['billing'], ['billing', 'former']]);
  declare('- system: [');
  await progress.until(() => JSON.stringify(logged).includes('the last good one stays'));
  expect(systems.get('billing')).toBeDefined();
  declare(one('  perMinute: 5\n') + one('', 'crm'));
  await progress.until(() => systems.get('crm') !== undefined);
  expect(systems.get('billing')?.perMinute).toBe(5);
  declare(one('', 'crm'));
  await progress.until(() => systems.get('billing') === undefined);
  expect(told.at(-1)).toEqual(['crm', 'former']);
  expect(logged.filter((line) => JSON.stringify(line).includes('the last good one stays'))).toHaveLength(1);
});

it('none is a list too', () => {
  expect(systemList.safeParse([]).success).toBe(true);
});
