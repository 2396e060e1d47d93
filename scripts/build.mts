import { createHash } from 'node:crypto';
import { existsSync, globSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { runToEnd } from './infra/child.mts';
import { newLog } from './infra/logs.mts';
import { root } from './infra/work-directory.mts';

const dist = join(root, 'dist');
const stamp = join(dist, '.sources-sha256');

/** Leaves dist as the sources say; does nothing when they are those of the last build. */
export async function build(): Promise<void> {
  const digest = sourcesDigest();
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === digest) return;
  rmSync(dist, { recursive: true, force: true }); // a removed source must leave nothing behind
  const logFile = newLog('build');
  await runToEnd({ name: 'The build', command: 'npm', args: ['run', 'build'], env: process.env, cwd: root, logFile });
  mkdirSync(dist, { recursive: true });
  writeFileSync(stamp, digest);
}

function sourcesDigest(): string {
  const files = globSync(['{apps,libs}/**/*', 'tsconfig*.json', 'package.json', 'package-lock.json'], {
    cwd: root,
    withFileTypes: true,
  });
  const hash = createHash('sha256');
  const paths = files.filter((file) => file.isFile()).map((file) => join(file.parentPath, file.name));
  for (const path of paths.sort())
    hash
      .update(`${path.slice(root.length)}\0`)
      .update(readFileSync(path))
      .update('\0');
  return hash.digest('hex');
}
