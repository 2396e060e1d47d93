import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { root } from '../infra/work-directory.mts';

const home = join(root, '.refrain/peers');

/** Loads a peer that the benches compare with; the first time it installs all of them, as bench/peers/ pins them. */
export function peer<T>(name: string): T {
  peerFile(name);
  return createRequire(join(home, 'package.json'))(name) as T;
}

/** Where a file of a peer is, such as `name/start.js`; installs as {@link peer} does. */
export function peerFile(file: string): string {
  const path = join(home, 'node_modules', file);
  if (!existsSync(path)) install();
  return path;
}

function install(): void {
  mkdirSync(home, { recursive: true });
  for (const file of ['package.json', 'package-lock.json']) cpSync(join(root, 'bench/peers', file), join(home, file));
  const { status, stderr } = spawnSync('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund'], {
    cwd: home,
    encoding: 'utf8',
  });
  if (status !== 0) throw new Error(`the peers could not be installed: ${stderr.trim().split('\n').at(-1) ?? ''}`);
}
