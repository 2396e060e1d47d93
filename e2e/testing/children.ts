import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import { until } from './until';

export const root = join(__dirname, '../..');

export type Environment = Record<string, string | undefined>;

// A run starts hundreds of processes; what they have compiled is kept beside what else is kept between runs.
const compiled = { NODE_COMPILE_CACHE: join(root, '.refrain/compiled') };

/** A process of the hub under test. Its output is kept over restarts. */
export class Child {
  output = '';
  /** Where in the output the present process begins. */
  starts = 0;
  private process: ChildProcess | undefined;
  /** Resolves when the present process has ended. */
  ended: Promise<unknown> = Promise.resolve();

  constructor(
    readonly name: string,
    private readonly args: string[],
    private readonly env: Environment,
    private readonly watchdog: Watchdog,
  ) {}

  start(): this {
    // A group of its own is what the watchdog ends.
    const child = spawn(process.execPath, this.args, {
      cwd: root,
      env: { PATH: process.env['PATH'], ...compiled, ...this.env },
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
    });
    const { pid } = child;
    if (pid) this.watchdog.tell('child', pid);
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding('utf8').on('data', (text: string) => (this.output += text));
    this.process = child;
    this.starts = this.output.length;
    this.ended = new Promise((resolve) => {
      child.once('close', (code, signal) => {
        this.output += `--- ${this.name} ended (${signal ?? String(code)})\n`;
        if (pid) this.watchdog.tell('gone', pid);
        resolve(undefined);
      });
    });
    return this;
  }

  /** What the process's output holds of a pattern, as soon as it does. */
  said(pattern: RegExp): Promise<RegExpExecArray> {
    return until(`${this.name} says ${String(pattern)}`, () => {
      const found = pattern.exec(this.output);
      if (!found && this.hasEnded) throw new Error(`${this.name} ended:\n${this.output}`);
      return found ?? undefined;
    });
  }

  /** Runs to the end; rejects unless it succeeds. */
  async run(): Promise<void> {
    await this.start().ended;
    if (this.process?.exitCode !== 0) throw new Error(`${this.name} failed:\n${this.output}`);
  }

  signal(signal: NodeJS.Signals): void {
    this.process?.kill(signal);
  }

  /** Ends the process with no chance to tidy up, and resolves when it is gone. */
  async kill(): Promise<void> {
    this.signal('SIGKILL');
    await this.ended;
  }

  /** Asks the process to stop in order, and ends it if it does not. */
  async stop(): Promise<void> {
    this.signal('SIGCONT');
    this.signal('SIGTERM');
    const timer = setTimeout(() => this.signal('SIGKILL'), 15_000);
    await this.ended;
    clearTimeout(timer);
  }

  /** The present process's id. */
  get pid(): number {
    return this.process?.pid ?? 0;
  }

  get hasEnded(): boolean {
    return this.process !== undefined && (this.process.exitCode !== null || this.process.signalCode !== null);
  }
}

/** Ends all children when the test run is gone, even by SIGKILL. */
export class Watchdog {
  private readonly process = spawn('sh', [join(root, 'scripts/infra/watchdog.sh')], {
    cwd: '/',
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
  });

  tell(word: 'child' | 'gone', pid: number): void {
    this.process.stdin.write(`${word} ${pid} KILL\n`);
  }

  async stop(): Promise<void> {
    const ended = new Promise((resolve) => this.process.once('close', resolve));
    this.process.stdin.end();
    await ended;
  }
}
