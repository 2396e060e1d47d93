import { spawn, type ChildProcess } from 'node:child_process';
import { join } from 'node:path';

let watchdog: ChildProcess | undefined;

/**
 * Tells the watchdog what this process has started or no longer has. Whatever was told and not taken back is ended and
 * removed when this process is gone, even by SIGKILL, since the watchdog learns it from its closed standard input.
 */
export function tellWatchdog(word: 'child' | 'gone' | 'directory' | 'removed', value: string): void {
  if (!watchdog) {
    watchdog = spawn('sh', [join(import.meta.dirname, 'watchdog.sh')], {
      cwd: '/',
      detached: true, // so that Ctrl-C in a terminal, which reaches the whole process group, leaves it
      stdio: ['pipe', 'ignore', 'ignore'],
    });
    watchdog.unref();
    watchdog.stdin?.on('error', () => {}); // a killed watchdog is no reason to stop
    (watchdog.stdin as unknown as { unref(): void }).unref();
  }
  watchdog.stdin?.write(`${word} ${value}\n`);
}
