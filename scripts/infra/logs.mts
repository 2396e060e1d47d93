import { existsSync, mkdirSync, renameSync } from 'node:fs';
import { join, relative } from 'node:path';
import { refrainDirectory, root } from './work-directory.mts';

const directory = join(refrainDirectory, 'run');

/** Returns the path of a log that is new in this run; the last run's is kept beside it as `<name>.previous.log`. */
export function newLog(name: string): string {
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const file = join(directory, `${name}.log`);
  if (existsSync(file)) renameSync(file, join(directory, `${name}.previous.log`));
  return relative(root, file);
}
