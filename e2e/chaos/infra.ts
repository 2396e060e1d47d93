import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface, type Interface } from 'node:readline';
import { root } from '../testing/children';
import type { Places } from '../testing/setup';

/** A broker and a database of the run's own, which may be killed and come back on their data. */
export class MortalInfra {
  private readonly returns = new Map<string, (() => void)[]>();

  private constructor(
    private readonly process: ChildProcess,
    readonly places: Places,
    lines: Interface,
  ) {
    lines.on('line', (line) => {
      const { back } = JSON.parse(line) as { back?: string };
      this.returns.get(back ?? '')?.shift()?.();
    });
  }

  static async start(): Promise<MortalInfra> {
    const child = spawn(process.execPath, ['scripts/chaos/infra/main.mts'], {
      cwd: root,
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    const lines = createInterface({ input: child.stdout });
    const ended = once(child, 'exit').then(() => Promise.reject(new Error('broker and database did not start')));
    const [line] = (await Promise.race([once(lines, 'line'), ended])) as [string];
    ended.catch(() => undefined);
    return new MortalInfra(child, JSON.parse(line) as Places, lines);
  }

  /** Ends one as the kernel would; resolves when it is back, which takes `downMs` and its start. */
  kill(part: 'kafka' | 'postgres', downMs: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.returns.set(part, [...(this.returns.get(part) ?? []), resolve]);
    this.process.stdin?.write(`kill ${part} ${downMs}\n`);
    return promise;
  }

  async stop(): Promise<void> {
    const ended = once(this.process, 'exit');
    this.process.stdin?.end();
    await ended;
  }
}
