import { setTimeout as sleep } from 'node:timers/promises';
import { lastLines, startChild, type Child } from '../infra/child.mts';
import { root } from '../infra/work-directory.mts';
import type { Environment } from './settings.mts';

export interface ServiceSpec {
  readonly name: string;
  readonly program: string;
  readonly url: string;
  readonly env: Environment;
  readonly logFile: string;
}

export interface Service {
  readonly name: string;
  readonly url: string;
  readonly logFile: string;
  /** The process that runs now; another one after a restart. */
  pid(): number;
  stop(): Promise<void>;
}

export interface ServiceNews {
  died(name: string, how: string, restartInMs: number): void;
  notReady(why: string): void;
  restarted(name: string, pid: number): void;
}

// kafkajs sets a timer in the past once in each process; the warning says nothing to anybody.
export const nodeFlags = ['--enable-source-maps', '--disable-warning=TimeoutNegativeWarning'];

/**
 * What keeps a gateway small, in the environment of its process: the pages that glibc and Node's young generation hold
 * ready are of no use to it. Its own bounds are far below the heap that is left (decision 24).
 */
export const gatewayMemory = {
  MALLOC_ARENA_MAX: '1',
  NODE_OPTIONS: '--max-semi-space-size=4 --max-old-space-size=88',
};

const readyWithinMs = 60_000;
const backoffMs = { first: 200, longest: 10_000, forgetAfter: 30_000 };

/**
 * Starts a service and returns when it is ready. From then on it is started again whenever it ends by itself, sooner at
 * first, later when it keeps ending. One that ends before it was ever ready is a failed start, with its last lines.
 */
export async function startService(spec: ServiceSpec, news: ServiceNews): Promise<Service> {
  let child = await launch(spec);
  let stopping = false;
  await waitUntilReady(spec, child).catch(async (error: unknown) => {
    stopping = true;
    await child.stop();
    throw error;
  });

  const supervise = async () => {
    let delay = backoffMs.first;
    for (;;) {
      const since = Date.now();
      const how = await child.exited;
      if (stopping) return;
      if (Date.now() - since > backoffMs.forgetAfter) delay = backoffMs.first;
      news.died(spec.name, how, delay);
      await sleep(delay);
      delay = Math.min(delay * 2, backoffMs.longest);
      if (stopping) return;
      child = await launch(spec);
      void tellWhenReady(child);
    }
  };
  const tellWhenReady = (started: Child) =>
    waitUntilReady(spec, started).then(
      () => news.restarted(spec.name, started.pid),
      // One that ended again is told by the next turn.
      (error: unknown) => started.hasExited() || news.notReady(error instanceof Error ? error.message : String(error)),
    );
  const supervised = supervise();
  const stop = async () => {
    stopping = true;
    await child.stop();
    await supervised;
    await child.stop(); // started between the two
  };
  return { name: spec.name, url: spec.url, logFile: spec.logFile, pid: () => child.pid, stop };
}

function launch({ name, program, env, logFile }: ServiceSpec): Promise<Child> {
  return startChild({
    name,
    command: process.execPath,
    args: [...nodeFlags, program],
    env,
    cwd: root,
    logFile,
  });
}

async function waitUntilReady(spec: ServiceSpec, child: Child): Promise<void> {
  const deadline = Date.now() + readyWithinMs;
  while (!(await isReady(spec.url))) {
    const fault = child.hasExited()
      ? `ended before it was ready (${await child.exited})`
      : Date.now() > deadline && `was not ready within ${readyWithinMs / 1000} s`;
    if (fault) throw new Error(`${spec.name} ${fault}. The end of ${spec.logFile}:\n${lastLines(spec.logFile, 25)}`);
    await sleep(100);
  }
}

async function isReady(url: string): Promise<boolean> {
  try {
    const response = await fetch(`${url}/readyz`, { signal: AbortSignal.timeout(5_000) });
    await response.body?.cancel();
    return response.status === 200;
  } catch {
    return false;
  }
}
