import { spawn } from 'node:child_process';
import { closeSync, existsSync, openSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { tellWatchdog } from './watchdog.mts';

export interface ChildOptions {
  name: string;
  command: string;
  args: string[];
  env: Record<string, string | undefined>;
  cwd: string;
  /** Takes all output, appended. */
  logFile: string;
  uid?: number;
  gid?: number;
  /** Asks the process to end in order. */
  stopSignal?: NodeJS.Signals;
  stopWithinMs?: number;
}

export interface Child {
  readonly name: string;
  readonly pid: number;
  readonly logFile: string;
  /** Settles when the process has ended; never rejects. */
  readonly exited: Promise<string>;
  hasExited(): boolean;
  /** Ends the process: with its stop signal, and by force when it takes too long. Safe to call twice. */
  stop(): Promise<void>;
  /** Ends the process as the kernel would, with no chance to tidy up. */
  kill(): Promise<void>;
}

/** Starts a process in a group of its own, so that Ctrl-C in a terminal reaches only us, and bound to our life. */
export async function startChild(options: ChildOptions): Promise<Child> {
  const { name, command, args, logFile, stopSignal = 'SIGTERM', stopWithinMs = 15_000 } = options;
  const log = openSync(logFile, 'a', 0o600);
  const child = spawn(command, args, {
    cwd: options.cwd,
    env: options.env,
    uid: options.uid,
    gid: options.gid,
    detached: true,
    stdio: ['ignore', log, log],
  });
  closeSync(log);
  await new Promise<void>((resolve, reject) => {
    child.once('spawn', resolve);
    child.once('error', (error) => reject(new Error(`${name} could not be started: ${error.message}`)));
  });
  const pid = child.pid as number;
  const watched = `${pid} ${stopSignal.replace('SIG', '')}`;
  tellWatchdog('child', watched);

  let ended = false;
  const exited = new Promise<string>((resolve) => {
    child.once('exit', (code, signal) => {
      ended = true;
      tellWatchdog('gone', watched);
      resolve(signal ? `signal ${signal}` : `exit code ${code}`);
    });
  });
  const stop = async () => {
    if (!ended) child.kill(stopSignal);
    const timer = setTimeout(() => !ended && killGroup(pid), stopWithinMs);
    await exited;
    clearTimeout(timer);
  };
  const kill = async () => {
    if (!ended) killGroup(pid);
    await exited;
  };
  return { name, pid, logFile, exited, hasExited: () => ended, stop, kill };
}

/** Runs a program to its end and returns its output; throws with that output when it fails. */
export async function runToEnd(options: Omit<ChildOptions, 'stopSignal' | 'stopWithinMs'>): Promise<string> {
  const child = await startChild(options);
  const end = await child.exited;
  if (end !== 'exit code 0') throw new Error(`${options.name} failed (${end}):\n${lastLines(options.logFile)}`);
  return readFileSync(options.logFile, 'utf8');
}

/** Waits until the child's log holds the pattern; throws, with the last lines, when the child ends or time is up. */
export async function waitForLog(child: Child, pattern: RegExp, withinMs: number): Promise<RegExpExecArray> {
  const deadline = Date.now() + withinMs;
  for (;;) {
    const ended = child.hasExited();
    const found = pattern.exec(readFileSync(child.logFile, 'utf8'));
    if (found) return found;
    if (ended) throw new Error(`${child.name} ended (${await child.exited}):\n${lastLines(child.logFile)}`);
    if (Date.now() > deadline) {
      throw new Error(`${child.name} was not ready within ${withinMs / 1000} s:\n${lastLines(child.logFile)}`);
    }
    await sleep(50);
  }
}

export function lastLines(file: string, count = 15): string {
  if (!existsSync(file)) return '';
  return readFileSync(file, 'utf8').trimEnd().split('\n').slice(-count).join('\n');
}

function killGroup(pid: number): void {
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // It ended in between.
  }
}
