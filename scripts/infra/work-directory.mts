import { chownSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { tellWatchdog } from './watchdog.mts';

export const root = join(import.meta.dirname, '..', '..');
export const refrainDirectory = join(root, '.refrain');
const dataDirectory = join(refrainDirectory, 'data');

export interface WorkDirectory {
  readonly path: string;
  remove(): void;
}

/** Makes a directory, private to this process, that is gone after it, also when it is killed. */
export function makeWorkDirectory(name: string): WorkDirectory {
  removeLeftovers();
  mkdirSync(dataDirectory, { recursive: true });
  return watched(mkdtempSync(join(dataDirectory, `${process.pid}-${name}-`)));
}

/** The same for another user, under the system's directory for this, since ours may lie where that user cannot go. */
export function makeWorkDirectoryFor(user: { uid: number; gid: number }, name: string): WorkDirectory {
  const path = mkdtempSync(join(tmpdir(), `refrain-${name}-`));
  chownSync(path, user.uid, user.gid);
  return watched(path);
}

export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

function watched(path: string): WorkDirectory {
  tellWatchdog('directory', path);
  const remove = () => {
    rmSync(path, { recursive: true, force: true, maxRetries: 3 });
    tellWatchdog('removed', path);
  };
  return { path, remove };
}

function removeLeftovers(): void {
  mkdirSync(dataDirectory, { recursive: true });
  for (const entry of readdirSync(dataDirectory)) {
    if (!isAlive(Number.parseInt(entry, 10))) rmSync(join(dataDirectory, entry), { recursive: true, force: true });
  }
}
