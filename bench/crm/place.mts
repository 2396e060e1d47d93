// Two replicas of crm-writer, as they run anywhere, before the stand-in for HubSpot.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { randomBytes } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { LogProducer, type OutgoingRecord, withAdmin } from '#libs/log';
import { freshDatabase } from '../support/database.mts';
import { remove } from '../support/topics.mts';
import { freePort } from '../../scripts/infra/free-port.mts';
import { root } from '../../scripts/infra/work-directory.mts';
import { Server } from '../support/server.mts';

const REPLICAS = 2;
export const APP_ID = 4_211;
export const PORTAL_ID = 62_515;

/** A call that the sandbox took, by its own clock. */
export interface Call {
  at: string;
  method: string;
  path: string;
  status: number | null;
}

/** Where a suite measures, and what it is measured by. */
export interface Place {
  publish(records: OutgoingRecord[]): Promise<void>;
  sandbox: Sandbox;
  stop(): Promise<void>;
}

/** The sandbox's control API. */
export class Sandbox {
  private readonly url: string;

  constructor(url: string) {
    this.url = url;
  }

  async control<T>(method: string, path: string, body?: unknown): Promise<T> {
    const response = await fetch(`${this.url}/_sandbox${path}`, {
      method,
      ...(body === undefined ? {} : { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`${method} ${path} answered ${response.status}: ${text}`);
    return (text === '' ? undefined : JSON.parse(text)) as T;
  }

  /** Since the log was emptied last. */
  async calls(): Promise<Call[]> {
    return (await this.control<{ calls: Call[] }>('GET', '/calls')).calls;
  }
}

/** Starts everything on topics and a database of its own; `perTenSeconds` is what the hub and the sandbox both go by. */
export async function place(
  infra: { kafkaBrokers: string; databaseUrl: string },
  perTenSeconds: number,
): Promise<Place> {
  const topicPrefix = `bench-${randomBytes(4).toString('hex')}.`;
  const connection = { brokers: infra.kafkaBrokers.split(','), clientId: 'bench', topicPrefix };
  const { url: databaseUrl, drop } = await freshDatabase(infra.databaseUrl);
  const secret = randomBytes(16).toString('hex');
  const hubspot = `http://127.0.0.1:${await freePort()}`;
  const env = {
    PATH: '/usr/bin:/bin',
    KAFKA_BROKERS: infra.kafkaBrokers,
    TOPIC_PREFIX: topicPrefix,
    DATABASE_URL: databaseUrl,
    HUBSPOT_BASE_URL: hubspot,
    HUBSPOT_ACCESS_TOKEN: secret,
    HUBSPOT_CLIENT_SECRET: secret,
    HUBSPOT_APP_ID: String(APP_ID),
    HUBSPOT_PORTAL_ID: String(PORTAL_ID),
    HUBSPOT_PER_TEN_SECONDS: String(perTenSeconds),
    RECIPES_DIR: fileURLToPath(new URL('recipes', import.meta.url)),
    LOG_LEVEL: 'warn',
  };
  const program = (path: string) => [process.execPath, '--disable-warning=TimeoutNegativeWarning', `${root}/${path}`];
  const port = new URL(hubspot).port;
  const sandbox = await Server.start(
    [...program('sandbox/src/main.ts'), '--vendor', 'hubspot', '--port', port],
    hubspot,
    env,
  );
  for (const args of [
    ['topics', 'apply'],
    ['init', 'hubspot', '--yes'],
  ])
    await refrain([...program('dist/apps/cli/src/main.js'), ...args], env);
  const control = new Sandbox(hubspot);
  await control.control('PUT', '/rate-limit', { perTenSeconds });
  const replicas = await Promise.all(
    Array.from({ length: REPLICAS }, async () => {
      const at = `http://127.0.0.1:${await freePort()}`;
      const own = { ...env, PORT: new URL(at).port };
      return Server.start(program('dist/apps/crm-writer/src/main.js'), `${at}/readyz`, own);
    }),
  );
  const producer = new LogProducer(connection);
  return {
    sandbox: control,
    publish: (records) => producer.publish(records, { timeoutMs: 60_000 }),
    async stop() {
      await producer.close();
      await Promise.all(replicas.map((replica) => replica.stop()));
      await sandbox.stop();
      await Promise.all([drop(), withAdmin(connection, (admin) => remove(admin, topicPrefix))]);
    },
  };
}

async function refrain([program = '', ...args]: string[], env: Record<string, string>): Promise<void> {
  const child = spawn(program, args, { env, stdio: ['ignore', 'ignore', 'inherit'] });
  const [code] = (await once(child, 'exit')) as [number | null];
  if (code !== 0) throw new Error(`${args.join(' ')} ended with ${String(code)}`);
}
