import { mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { lines, logger } from './testing/endpoint';
import { NoSecret, SecretPair, type KeyFormat } from './secret-pair';

const folder = mkdtempSync(join(tmpdir(), 'refrain-secrets-'));
const current = join(folder, 'current');
const next = join(folder, 'next');
let changes = 0;
/** Writes a file with a time of its own, however fast the writes follow. */
const write = (file: string, content: string) => {
  writeFileSync(file, content);
  utimesSync(file, 1, ++changes);
};
const pair = (declared: object, format: KeyFormat = 'text', env = {}) => new SecretPair(declared, format, env, logger);
const textOf = ({ current: a, next: b }: { current: Buffer; next?: Buffer }) => [a.toString(), b?.toString()];

beforeEach(() => {
  lines.length = 0;
  write(current, 'one\n');
  rmSync(next, { force: true });
});

it('reads files again when they change, at most once a second', () => {
  const secrets = pair({ secretFile: current, nextSecretFile: next });
  expect(textOf(secrets.read(1_000))).toEqual(['one', undefined]);
  write(next, 'two');
  expect(textOf(secrets.read(1_999))).toEqual(['one', undefined]);
  expect(textOf(secrets.read(2_000))).toEqual(['one', 'two']);
  write(current, 'two');
  write(next, '');
  expect(textOf(secrets.read(3_000))).toEqual(['two', undefined]);
  expect(lines).toEqual([]);
});

it.each([
  ['is gone', () => rmSync(current)],
  ['is empty', () => write(current, ' \n')],
  ['is malformed', () => write(current, 'not-hex-hunter2')],
])('keeps the old secret where the file %s, and warns once without what stands in it', (_name, change) => {
  write(current, 'abcd');
  const secrets = pair({ secretFile: current }, 'hex');
  change();
  for (const now of [1_000, 2_000, 3_000]) expect(secrets.read(now).current.toString('hex')).toBe('abcd');
  expect(lines).toHaveLength(1);
  expect(lines[0]).toContain(current);
  expect(lines[0]).not.toContain('hunter2');
  write(current, 'ef01');
  expect(secrets.read(4_000).current.toString('hex')).toBe('ef01');
});

it('reads the environment, once', () => {
  const env = { A: 'one', B: 'two' };
  const secrets = pair({ secretEnv: 'A', nextSecretEnv: 'B' }, 'text', env);
  env.A = 'three';
  expect(textOf(secrets.read(5_000))).toEqual(['one', 'two']);
});

it.each([
  ['whsec_AQID', 'base64', '010203'],
  ['AQID', 'base64', '010203'],
  ['AQI=', 'base64', '0102'],
  ['AQI', 'base64', '0102'],
  ['0aFF', 'hex', '0aff'],
  ['whsec_AQID', 'text', Buffer.from('whsec_AQID').toString('hex')],
] as const)('reads %s as %s', (text, format, hex) => {
  expect(pair({ secretEnv: 'A' }, format, { A: text }).read(0).current.toString('hex')).toBe(hex);
});

it.each([
  ['', 'text'],
  ['AQ!D', 'base64'],
  ['whsec_', 'base64'],
  ['abc', 'hex'],
  ['xy', 'hex'],
] as const)('takes %p for no %s secret, and does not repeat it', (text, format) => {
  const open = () => pair({ secretEnv: 'SECRET' }, format, { SECRET: text });
  expect(open).toThrow(NoSecret);
  expect(open).toThrow(/^SECRET is (empty|not (hex|base64))$/);
});

it('does not begin without the current secret', () => {
  expect(() => pair({ secretFile: join(folder, 'nowhere') })).toThrow(NoSecret);
  expect(() => pair({ secretFile: folder })).toThrow(/cannot be read \(EISDIR\)/);
  expect(() => pair({ secretEnv: 'NOWHERE' })).toThrow('NOWHERE is empty');
});
