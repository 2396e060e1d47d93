import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';

const MAIN = fileURLToPath(new URL('../src/main.ts', import.meta.url));
const run = (args: string[], env: Record<string, string> = {}) =>
  spawnSync(process.execPath, [MAIN, ...args], { env, encoding: 'utf8' });

describe('the command', () => {
  it('prints one line when it listens and stops at once on SIGTERM, with a secret from a file', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'sandbox-'));
    const file = join(folder, 'key');
    writeFileSync(file, 'secret-in-file\n');
    const child = spawn(process.execPath, [MAIN, '--vendor', 'openai'], { env: { OPENAI_API_KEY_FILE: file } });
    const [line] = (await once(createInterface(child.stdout), 'line')) as [string];
    const { vendor, url } = JSON.parse(line) as { vendor: string; url: string };
    assert.equal(vendor, 'openai');
    const answer = await fetch(`${url}/v1/models`, { headers: { authorization: 'Bearer secret-in-file' } });
    assert.equal(answer.status, 200);
    child.kill('SIGTERM');
    const [code] = await once(child, 'exit');
    assert.equal(code, 0);
    rmSync(folder, { recursive: true });
  });

  it('tells all missing settings together', () => {
    const { status, stderr } = run(['--vendor', 'hubspot'], { HUBSPOT_APP_ID: 'abc' });
    assert.equal(status, 1);
    for (const name of ['HUBSPOT_CLIENT_SECRET', 'HUBSPOT_APP_ID must be', 'HUBSPOT_ACCESS_TOKEN', 'HUBSPOT_PORTAL_ID'])
      assert.match(stderr, new RegExp(name));
  });

  it('refuses wrong usage with 2 and explains itself', () => {
    assert.equal(run(['--vendor', 'openai', '--wrong']).status, 2);
    assert.equal(run(['--vendor', 'nobody']).status, 2);
    assert.equal(run([]).status, 2);
    const help = run(['--help']);
    assert.deepEqual([help.status, help.stdout.startsWith('Usage:')], [0, true]);
  });
});
