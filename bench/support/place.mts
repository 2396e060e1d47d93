// Services of the hub, as they run anywhere, before the stand-ins for the vendors.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { LagReader, LogProducer, type OutgoingRecord, withAdmin } from '#libs/log';
import { freshDatabase } from './database.mts';
import { remove } from './topics.mts';
import { freePort } from '../../scripts/infra/free-port.mts';
import { root } from '../../scripts/infra/work-directory.mts';
import { Server } from './server.mts';

export const APP_ID = 4_211;
export const PORTAL_ID = 62_515;

/** A call that a sandbox took, by its own clock. */
export interface Call {
  at: string;
  method: string;
  path: string;
  status: number | null;
  durationMs: number | null;
  requestBody?: unknown;
  billed?: boolean;
}

/** Where a suite measures, and what it is measured by. */
export interface Place<Vendor extends string> {
  publish(records: OutgoingRecord[]): Promise<void>;
  sandboxes: Record<Vendor, Sandbox>;
  /** How far consumer groups are behind on topics. */
  lagOf(groups: readonly string[], topics: readonly string[]): LagReader;
  stop(): Promise<void>;
}

/** What stands there: the vendors' stand-ins, how many replicas of each service, and the settings of all of them. */
export interface Layout<Vendor extends string> {
  vendors: readonly Vendor[];
  services: Record<string, number>;
  settings: Record<string, string>;
  /** Folder of the recipes, from the project's root. */
  recipes: string;
}

/** A sandbox's control API. */
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

const PUBLIC_URL = 'https://hub.example.test';

/** Starts everything on topics and a database of its own. */
export async function place<Vendor extends 'hubspot' | 'heygen' | 'openai'>(
  infra: { kafkaBrokers: string; databaseUrl: string },
  { vendors, services, settings, recipes }: Layout<Vendor>,
): Promise<Place<Vendor>> {
  const topicPrefix = `bench-${randomBytes(4).toString('hex')}.`;
  const connection = { brokers: infra.kafkaBrokers.split(','), clientId: 'bench', topicPrefix };
  const { url: databaseUrl, drop } = await freshDatabase(infra.databaseUrl);
  const secret = randomBytes(16).toString('hex');
  const here = async () => `http://127.0.0.1:${await freePort()}`;
  const [hubspot, heygen, openai, gateway] = [await here(), await here(), await here(), await here()];
  const at = { hubspot, heygen, openai };
  const env = {
    PATH: '/usr/bin:/bin',
    KAFKA_BROKERS: infra.kafkaBrokers,
    TOPIC_PREFIX: topicPrefix,
    DATABASE_URL: databaseUrl,
    PUBLIC_URL,
    HUBSPOT_BASE_URL: hubspot,
    HUBSPOT_ACCESS_TOKEN: secret,
    HUBSPOT_CLIENT_SECRET: secret,
    HUBSPOT_APP_ID: String(APP_ID),
    HUBSPOT_PORTAL_ID: String(PORTAL_ID),
    HEYGEN_BASE_URL: heygen,
    HEYGEN_API_KEY: secret,
    HEYGEN_WEBHOOK_SECRET: secret,
    OPENAI_BASE_URL: `${openai}/v1`,
    OPENAI_API_KEY: secret,
    RECIPES_DIR: join(root, recipes),
    LOG_LEVEL: 'warn',
    ...settings,
  };
  const program = (path: string) => [process.execPath, '--disable-warning=TimeoutNegativeWarning', join(root, path)];
  const servers = await Promise.all(
    vendors.map((vendor) => {
      const arguments_ = ['--vendor', vendor, '--port', new URL(at[vendor]).port];
      // HubSpot has nobody to tell: what it would say is published by the suite.
      const told = { WEBHOOK_TARGET_URL: `${PUBLIC_URL}/webhooks/${vendor}`, WEBHOOK_DELIVER_TO: gateway };
      const own: Record<string, string> = { ...env, ...(vendor === 'heygen' ? told : {}) };
      return Server.start([...program('sandbox/src/main.ts'), ...arguments_], at[vendor], own);
    }),
  );
  for (const args of [
    ['topics', 'apply'],
    ['init', 'hubspot', '--yes'],
  ])
    await refrain([...program('dist/apps/cli/src/main.js'), ...args], env);
  for (const [service, replicas] of Object.entries(services))
    for (let replica = 0; replica < replicas; replica += 1) {
      const own = service === 'gateway' ? gateway : await here();
      const with_ = { ...env, PORT: new URL(own).port };
      servers.push(await Server.start(program(`dist/apps/${service}/src/main.js`), `${own}/readyz`, with_));
    }
  const producer = new LogProducer(connection);
  const sandboxes = Object.fromEntries(vendors.map((vendor) => [vendor, new Sandbox(at[vendor])]));
  return {
    sandboxes: sandboxes as Record<Vendor, Sandbox>,
    lagOf: (groups, topics) => new LagReader(connection, groups, topics),
    publish: (records) => producer.publish(records, { timeoutMs: 60_000 }),
    async stop() {
      await producer.close();
      for (const server of servers.reverse()) await server.stop();
      await Promise.all([drop(), withAdmin(connection, (admin) => remove(admin, topicPrefix))]);
    },
  };
}

async function refrain([program = '', ...args]: string[], env: Record<string, string>): Promise<void> {
  const child = spawn(program, args, { env, stdio: ['ignore', 'ignore', 'inherit'] });
  const [code] = (await once(child, 'exit')) as [number | null];
  if (code !== 0) throw new Error(`${args.join(' ')} ended with ${String(code)}`);
}
