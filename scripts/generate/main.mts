// `npm run generate` writes the reference documents from the built code; with `--check` it names those that are stale.
import { existsSync, globSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { parseArgs } from 'node:util';
import { build } from '../build.mts';
import { root } from '../infra/work-directory.mts';

const folder = 'docs/reference';
const { check } = flags();
await build();
// What is documented is what was built, so it is loaded only now.
const { documents } = await import('./documents.mts');
const wanted = new Map(Object.entries(await documents()));
const leftOver = globSync(`${folder}/*`, { cwd: root }).filter((file) => !wanted.has(file));
const stale = [...wanted].filter(([file, content]) => contentOf(file) !== content).map(([file]) => file);
if (check) {
  for (const file of [...stale, ...leftOver]) console.error(`${file} is not what the code says; run npm run generate`);
  process.exitCode = stale.length + leftOver.length > 0 ? 1 : 0;
} else {
  for (const file of stale) write(file, wanted.get(file) ?? '');
  for (const file of leftOver) rmSync(join(root, file), { recursive: true });
  const changed = [...stale, ...leftOver.map((file) => `${file} (removed)`)];
  console.log(changed.length === 0 ? 'Every generated file was fresh.' : `Wrote ${changed.join(', ')}`);
}

function flags(): { check: boolean } {
  try {
    return parseArgs({ options: { check: { type: 'boolean', default: false } } }).values;
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : String(error)}\nUsage: npm run generate [-- --check]`);
    process.exit(2);
  }
}

function contentOf(file: string): string | undefined {
  const path = join(root, file);
  return existsSync(path) ? readFileSync(path, 'utf8') : undefined;
}

function write(file: string, content: string): void {
  const path = join(root, file);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, content);
}
