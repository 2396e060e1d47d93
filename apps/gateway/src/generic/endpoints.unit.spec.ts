import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { ConfigError, loadConfig } from '#libs/platform';
import { AddressSet } from '../schemes/addresses';
import { declare, logger } from '../testing/endpoint';
import { addressSet, Endpoints, endpointsFile } from './endpoints';

const folder = mkdtempSync(join(tmpdir(), 'refrain-endpoints-'));
const schema = z.object({ ENDPOINTS_FILE: endpointsFile() });

const faultOf = (yaml: string): string => {
  const file = join(folder, 'endpoints.yaml');
  writeFileSync(file, yaml);
  try {
    loadConfig(schema, { ENDPOINTS_FILE: file });
    return '';
  } catch (error) {
    return (error as ConfigError).message;
  }
};
const endpoint = (rest: string): string => `- endpoint: one\n  source: one\n${rest}`;
const github = '  authentication: [{ scheme: github, secretEnv: A }]\n';

it('reads a declaration', () => {
  expect(faultOf(endpoint(github))).toBe('');
});

it.each([
  ['an unknown field', endpoint(`${github}  colour: red\n`), 'Unrecognized key: "colour"'],
  [
    'an inline secret',
    endpoint('  authentication: [{ scheme: github, secret: hunter2 }]\n'),
    'Unrecognized key: "secret"',
  ],
  ['no authentication', endpoint('  authentication: []\n'), 'authentication'],
  ['a scheme that nobody knows', endpoint('  authentication: [{ scheme: trust }]\n'), 'scheme'],
  ['a name that is no part of an address', endpoint(github).replace('one', 'A/b'), 'must be lower-case letters'],
  ['a name twice', endpoint(github) + endpoint(github), 'declares an endpoint twice'],
  ['types without a place', endpoint(`${github}  accept: { types: [a] }\n`), 'accepts types but has no event.type'],
  ['a pointer into bytes', endpoint(`${github}  format: bytes\n  event: { id: { pointer: /id } }\n`), 'not JSON'],
  ['no pointer', endpoint(`${github}  event: { id: { pointer: id } }\n`), 'must be a JSON pointer'],
  ['two places', endpoint(`${github}  event: { id: { pointer: /id, header: x } }\n`), 'names either header or pointer'],
  ['a body that is never read whole', endpoint(`${github}  maxBytes: 1048577\n`), 'maxBytes'],
  ['no list', 'endpoint: one\n', 'expected array'],
])('refuses %s', (_name, yaml, message) => {
  expect(faultOf(yaml)).toContain(message);
});

it('repeats nothing of the file', () => {
  for (const yaml of [
    endpoint('  authentication: [{ scheme: github, secret: hunter2 }]\n'),
    endpoint('  authentication: [{ scheme: github, secretEnv: "hunter2 " }]\n'),
    endpoint('  secret: "hunter2\n  other: ]\n'),
    endpoint('  a: &hunter2 b\n  a: hunter2\n'),
  ]) {
    expect(faultOf(yaml)).toContain('ENDPOINTS_FILE: ');
    expect(faultOf(yaml)).not.toContain('hunter2');
  }
});

it('names every secret that cannot be had, at once', () => {
  const declared = [
    declare({ endpoint: 'one', authentication: [{ scheme: 'github', secretEnv: 'NOWHERE' }] }),
    declare({ endpoint: 'two', authentication: [{ scheme: 'svix', secretFile: '/nowhere' }] }),
    declare({ endpoint: 'three', authentication: [{ scheme: 'svix', secretEnv: 'BAD' }] }),
  ];
  const around = { env: { BAD: 'hunter2!' }, logger, proxies: new AddressSet([]) };
  const open = () => Endpoints.open(declared, around);
  expect(open).toThrow(ConfigError);
  for (const part of [
    'one, github (1): NOWHERE is empty',
    'two, svix (1): /nowhere is not there',
    'BAD is not base64',
  ]) {
    expect(open).toThrow(part);
  }
  expect(open).not.toThrow('hunter2');
});

it('reads the list of trusted proxies', () => {
  const proxies = z.object({ TRUSTED_PROXIES: addressSet() });
  expect(loadConfig(proxies, { TRUSTED_PROXIES: '10.0.0.0/8, ::1' }).TRUSTED_PROXIES.has('10.1.2.3')).toBe(true);
  expect(() => loadConfig(proxies, { TRUSTED_PROXIES: 'everyone' })).toThrow('must be an address or a range');
});
