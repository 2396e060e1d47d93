import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { promisify } from 'node:util';
import { freePort, withFreshPorts } from './free-port.mts';
import { Unavailable } from './unavailable.mts';
import { root } from './work-directory.mts';

const run = promisify(execFile);

export interface Containers {
  readonly kafkaBrokers: string;
  readonly databaseUrl: string;
  stop(): Promise<void>;
}

/** Throws when no Docker engine with Compose answers, saying why. */
export async function findDockerEngine(): Promise<void> {
  for (const args of [['compose', 'version'], ['info']]) {
    await run('docker', args, { timeout: 10_000 }).catch((error: unknown) => {
      const { stderr, message } = error as { stderr?: string; message: string };
      throw new Unavailable(`no Docker engine with Compose answers (${firstLine(stderr || message)})`);
    });
  }
}

/** Starts the given services of docker-compose.yml as a project of its own, removed with its data at stop. */
export async function startContainers(services: ('kafka' | 'postgres')[]): Promise<Containers> {
  const project = `refrain-${randomBytes(4).toString('hex')}`;
  const password = randomBytes(24).toString('hex');
  const start = async () => {
    const ports = { KAFKA_PORT: String(await freePort()), POSTGRES_PORT: String(await freePort()) };
    const env = { ...process.env, ...ports, POSTGRES_PASSWORD: password };
    const compose = (...args: string[]) => run('docker', ['compose', '-p', project, ...args], { cwd: root, env });
    try {
      await compose('up', '-d', '--wait', ...services);
    } catch (error) {
      await compose('down', '-v').catch(() => {});
      const { stderr, message } = error as { stderr?: string; message: string };
      throw new Unavailable(`docker compose up failed:\n${stderr || message}`);
    }
    return {
      kafkaBrokers: `127.0.0.1:${ports.KAFKA_PORT}`,
      databaseUrl: `postgresql://refrain:${password}@127.0.0.1:${ports.POSTGRES_PORT}/refrain`,
      stop: async () => void (await compose('down', '-v', '--timeout', '10')),
    };
  };
  return withFreshPorts(start, /port is already allocated|address already in use/i);
}

function firstLine(text: string): string {
  return text.trim().split('\n')[0] ?? '';
}
