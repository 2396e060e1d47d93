import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { ConfigError, describeConfig, loadConfig } from './config';
import { duration, flag, list, port, secret, url } from './settings';

const schema = z.object({
  PORT: port().default(3000).describe('Port to listen on'),
  PUBLIC_URL: url().describe('Address that callers use'),
  BROKERS: list(),
  API_SECRET: secret()
    .refine((text) => text.length > 20, 'too short')
    .describe('Key of the door'),
  LEASE: duration().default(500),
  STRICT: flag().optional(),
});

const good = {
  PUBLIC_URL: 'https://hub.example.test/',
  BROKERS: 'a:1, b:2',
  API_SECRET: 'a-long-enough-secret-value',
};

const folder = mkdtempSync(join(tmpdir(), 'refrain-config-'));

function fileWith(content: string): string {
  const path = join(folder, 'setting');
  writeFileSync(path, content);
  return path;
}

function faultsOf(env: Record<string, string>): readonly string[] {
  try {
    loadConfig(schema, env);
  } catch (error) {
    if (error instanceof ConfigError) return error.faults;
    throw error;
  }
  throw new Error('no fault was found');
}

describe('loadConfig', () => {
  it('gives typed values, with defaults', () => {
    expect(loadConfig(schema, { ...good, LEASE: '2m', STRICT: 'true', UNRELATED: 'x' })).toEqual({
      PORT: 3000,
      PUBLIC_URL: 'https://hub.example.test',
      BROKERS: ['a:1', 'b:2'],
      API_SECRET: good.API_SECRET,
      LEASE: 120_000,
      STRICT: true,
    });
  });

  it('reads any setting from a file, trimmed', () => {
    const { API_SECRET, ...rest } = good;
    const path = fileWith(`${API_SECRET}\n`);
    expect(loadConfig(schema, { ...rest, API_SECRET_FILE: path }).API_SECRET).toBe(API_SECRET);
    expect(loadConfig(schema, { ...good, PORT_FILE: fileWith('0') }).PORT).toBe(0);
  });

  it('tells all faults at once, each with its setting and remedy', () => {
    const faults = faultsOf({
      PORT: '70000',
      BROKERS: '',
      API_SECRET: 'hunter2-hunter2',
      LEASE: '5 minutes',
      LEASE_FILE: '/nowhere',
      STRICT_FILE: '/nowhere/at/all',
    });
    expect(faults).toEqual([
      'API_SECRET: is malformed (value not shown); set API_SECRET or API_SECRET_FILE (Key of the door)',
      'BROKERS: is missing; set BROKERS or BROKERS_FILE',
      'LEASE: is set twice; keep either LEASE or LEASE_FILE',
      'PORT: must be at most 65535; set PORT or PORT_FILE (Port to listen on)',
      'PUBLIC_URL: is missing; set PUBLIC_URL or PUBLIC_URL_FILE (Address that callers use)',
      'STRICT: STRICT_FILE cannot be read (ENOENT); point it at a readable file',
    ]);
  });

  it('never shows a secret', () => {
    expect(new ConfigError(faultsOf({ API_SECRET: 'hunter2-hunter2' })).message).not.toContain('hunter2');
  });
});

it('describes the settings for documents', () => {
  expect(describeConfig(schema).slice(0, 4)).toEqual([
    { name: 'PORT', secret: false, required: false, default: 3000, says: 'Port to listen on' },
    { name: 'PUBLIC_URL', secret: false, required: true, default: undefined, says: 'Address that callers use' },
    { name: 'BROKERS', secret: false, required: true, default: undefined, says: '' },
    { name: 'API_SECRET', secret: true, required: true, default: undefined, says: 'Key of the door' },
  ]);
});
