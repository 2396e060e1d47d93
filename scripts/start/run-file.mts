import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Unavailable } from '../infra/unavailable.mts';
import { isAlive, refrainDirectory } from '../infra/work-directory.mts';

const runFile = join(refrainDirectory, 'run.json');
const pidFile = join(refrainDirectory, 'start.pid');

/** Claims this checkout, or throws with the pid of the process that runs the hub in it already. */
export function claimCheckout(): () => void {
  mkdirSync(refrainDirectory, { recursive: true });
  for (;;) {
    try {
      writeFileSync(pidFile, String(process.pid), { flag: 'wx' });
      rmSync(runFile, { force: true }); // of a run that was killed
      return () => rmSync(pidFile, { force: true });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    }
    const pid = Number(readFileSync(pidFile, 'utf8'));
    if (isAlive(pid))
      throw new Unavailable(`The hub already runs in this checkout, as process ${pid}. Stop that one first.`);
    rmSync(pidFile, { force: true });
  }
}

/** Tells other programs where the running hub is; readable by us only, whole or not there. */
export function writeRunFile(content: object): void {
  const part = `${runFile}.part`;
  rmSync(part, { force: true });
  writeFileSync(part, `${JSON.stringify(content, null, 2)}\n`, { mode: 0o600 });
  renameSync(part, runFile);
}

export function removeRunFile(): void {
  rmSync(runFile, { force: true });
}
