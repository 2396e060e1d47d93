// Servers that are measured: each a process of its own, so that what it uses is its own.
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';

/** What a process has used: CPU time in microseconds, and resident memory in bytes. */
export interface Usage {
  cpuMicros: number;
  residentBytes: number;
}

const TICK_MICROS = 10_000; // Linux counts CPU time in hundredths of a second
const START_LIMIT_MS = 60_000;

/** A server as a process of its own, until it is stopped. */
export class Server {
  /** Where it is asked, path included. */
  readonly url: string;
  private readonly child: ChildProcess;

  private constructor(child: ChildProcess, url: string) {
    this.child = child;
    this.url = url;
  }

  /** Starts a command that will answer at `url`; rejects where it ends before it does. */
  static async start(command: string[], url: string, env: Record<string, string> = {}): Promise<Server> {
    const [program = '', ...args] = command;
    const child = spawn(program, args, { env, stdio: ['ignore', 'ignore', 'inherit'] });
    const server = new Server(child, url);
    const until = Date.now() + START_LIMIT_MS;
    while (!(await answers(url))) {
      if (child.exitCode !== null) throw new Error(`${args.at(-1) ?? program} ended with ${String(child.exitCode)}`);
      if (Date.now() > until) {
        await server.stop();
        throw new Error(`${args.at(-1) ?? program} does not answer at ${url}`);
      }
      await pause(50);
    }
    return server;
  }

  usage(): Usage {
    const pid = String(this.child.pid);
    // After the name in brackets, which may hold anything: state is the first field, user and system time the 12th and 13th.
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
      .replace(/^.*\) /s, '')
      .split(' ');
    const kib = /^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
    return {
      cpuMicros: (Number(fields[11]) + Number(fields[12])) * TICK_MICROS,
      residentBytes: Number(kib) * 1024,
    };
  }

  async stop(): Promise<void> {
    if (this.child.exitCode !== null) return;
    const ended = once(this.child, 'exit');
    this.child.kill('SIGTERM');
    await ended;
  }
}

/** Any answer will do: it listens. */
async function answers(url: string): Promise<boolean> {
  try {
    const answer = await fetch(url, { method: 'OPTIONS' });
    await answer.arrayBuffer();
    return true;
  } catch {
    return false;
  }
}
