import { randomBytes } from 'node:crypto';
import { Client } from '@hubspot/api-client';
import { Client as Postgres } from 'pg';
import { Child, type Environment, Watchdog } from './children';
import { freePort } from './free-port';
import { accountOf, newSecrets, type Account } from './secrets';
import { type Places, placesOfTheRun, type Setup } from './setup';
import { heygenHeaders, hubspotHeaders } from './signatures';
import { type RawRecord, Topics } from './topics';
import { until } from './until';
import { type Call, type Sandbox, startSandbox, type Vendor, vendors } from './vendors';

export const services = ['gateway', 'render-service', 'enrichment-service', 'crm-writer', 'crm-reader'] as const;
export type Service = (typeof services)[number];

const events = ['render.events.v1', 'enrichment.events.v1', 'crm.events.v1', 'sweep.events.v1'];
const ingress = ['ingress.hubspot.v1', 'ingress.generic.v1'];

// In the order in which what the one decides reaches the next.
const reads: [Service, string[]][] = [
  ['crm-reader', ['sweep.events.v1']],
  ['enrichment-service', [...ingress, ...events]],
  ['render-service', [...ingress, 'ingress.heygen.v1', 'enrichment.events.v1', 'crm.events.v1', 'sweep.events.v1']],
  ['crm-writer', [...ingress, ...events]],
];

const START_MS = 90_000;

/** A public address that no proxy here has: signatures must be made over it, not over where the gateway listens. */
const publicUrl = 'https://hub.example.test';

/**
 * A whole hub of its own for one spec file: services and sandboxes as processes, under a topic prefix and in a database
 * of their own. It is driven and judged from outside: over HTTP, by the vendors' logs, and by the bytes on the topics.
 */
export class Hub {
  readonly secrets = newSecrets();
  readonly account: Account;
  /** The official client, at the sandbox. */
  hubspot!: Client;
  /** Of each replica. */
  gatewayUrls: string[] = [];
  readonly sandboxes = {} as Record<Vendor, Sandbox>;
  private readonly name = `e2e_${randomBytes(6).toString('hex')}`;
  private readonly watchdog = new Watchdog();
  private readonly running = new Map<string, Child>();
  private readonly replicas: number;
  private readonly places: Places;
  private readonly watched: boolean;
  private topics: Topics | undefined;

  private constructor(
    private readonly further: Environment,
    { replicas = 1, places = placesOfTheRun(), watched = true }: Setup,
  ) {
    this.account = accountOf(further);
    this.replicas = replicas;
    this.places = places;
    this.watched = watched;
  }

  /** Starts everything and resolves when all is ready. `further` are settings of sandboxes and services. */
  static async start(further: Environment = {}, setup: Setup = {}): Promise<Hub> {
    const settings = { RENDER_MS: '400', SUBMIT_MS: '20', LATENCY_MS: '50', RETRY_SCALE: '0.2', ...further };
    const hub = new Hub(settings, setup);
    try {
      await hub.up();
      return hub;
    } catch (error) {
      await hub.stop().catch(() => undefined);
      throw error;
    }
  }

  private async up(): Promise<void> {
    this.gatewayUrls = await Promise.all(this.replicaNumbers.map(async () => `http://127.0.0.1:${await freePort()}`));
    await this.inPostgres(`create database ${this.name}`);
    const gateway = { url: this.gatewayUrl, publicUrl };
    await Promise.all([
      this.command('migrate'),
      this.command('topics', 'apply').then(() => (this.watched ? this.readTopics() : undefined)),
      ...vendors.map(async (vendor) => {
        const { secrets, account, further, watchdog } = this;
        this.sandboxes[vendor] = await startSandbox(vendor, secrets, account, gateway, further, watchdog);
      }),
    ]);
    this.hubspot = new Client({ accessToken: this.secrets.hubspotAccessToken, basePath: this.sandboxes.hubspot.url });
    await Promise.all([
      this.command('init', 'hubspot', '--yes'),
      ...services.map((service) => this.launchAll(service)),
    ]);
  }

  /** Of the first replica. */
  get gatewayUrl(): string {
    return this.gatewayUrls[0] ?? '';
  }

  get databaseUrl(): string {
    const url = new URL(this.places.databaseUrl);
    url.pathname = `/${this.name}`;
    return url.href;
  }

  /** Stops everything and removes what it left behind; prints the services' last lines where a test of the file failed. */
  async stop(): Promise<void> {
    if (failures() > 0) this.printLogs();
    const children = [...this.running.values(), ...Object.values(this.sandboxes).map(({ child }) => child)];
    await Promise.all(children.map((child) => child.stop()));
    await this.topics?.close();
    await this.inPostgres(`drop database if exists ${this.name} with (force)`);
    await this.watchdog.stop();
  }

  /** Calls the control API of a vendor's sandbox. */
  control<T = Record<string, unknown>>(vendor: Vendor, method: string, path: string, body?: unknown): Promise<T> {
    return this.sandboxes[vendor].control<T>(method, path, body);
  }

  calls(vendor: Vendor): Promise<Call[]> {
    return this.sandboxes[vendor].calls();
  }

  /** Posts a body to the HubSpot door, signed as HubSpot would. */
  post(body: string, { secret = this.secrets.hubspotClientSecret, at = Date.now(), replica = 1 } = {}) {
    const headers = hubspotHeaders(`${publicUrl}/webhooks/hubspot`, body, secret, at);
    const url = `${this.gatewayUrls[replica - 1] ?? ''}/webhooks/hubspot`;
    return fetch(url, { method: 'POST', body, headers, signal: AbortSignal.timeout(10_000) });
  }

  /** Calls for a card as HubSpot's proxy does for the user before it. */
  card(method: 'GET' | 'POST', path: string, { body = '', replica = 1 } = {}): Promise<Response> {
    const { portalId, appId } = this.account;
    const address = `/cards/hubspot/${path}?userId=42&portalId=${String(portalId)}&appId=${String(appId)}`;
    const headers = hubspotHeaders(publicUrl + address, body, this.secrets.hubspotClientSecret, Date.now(), method);
    const url = `${this.gatewayUrls[replica - 1] ?? ''}${address}`;
    const signal = AbortSignal.timeout(10_000);
    return fetch(url, { method, headers, signal, ...(method === 'POST' ? { body } : {}) });
  }

  /** Posts a callback to the HeyGen door, signed as HeyGen would. */
  callBack(body: string, { secret = this.secrets.heygenWebhookSecret } = {}): Promise<Response> {
    const headers = heygenHeaders(body, secret, `evt_${randomBytes(12).toString('hex')}`);
    return fetch(`${this.gatewayUrl}/webhooks/heygen`, { method: 'POST', body, headers });
  }

  /** All records of a topic so far, in the order of each partition. */
  topic(name: string): RawRecord[] {
    return (this.topics?.records ?? []).filter((record) => record.topic === name);
  }

  get records(): readonly RawRecord[] {
    return this.topics?.records ?? [];
  }

  /** Everything that the services have printed. */
  logs(): string {
    return [...this.running.values()].map(({ output }) => output).join('');
  }

  /** Resolves when every service has read, decided and committed what stands on its topics now, and `records` has it. */
  async caughtUp(): Promise<void> {
    for (const [service, names] of reads) await this.topics?.consumed(service, names);
    await this.topics?.read();
  }

  /** Ends a service as the kernel would, and starts it again as a supervisor would; resolves when it is ready again. */
  async kill(service: Service): Promise<void> {
    const child = this.child(service);
    await child.kill();
    child.start();
    await this.ready(service);
  }

  child(service: Service, replica = 1): Child {
    const child = this.running.get(nameOf(service, replica));
    if (!child) throw new Error(`${service} was not started`);
    return child;
  }

  /** Runs a `refrain` command with `--json` and reads what it prints. */
  async refrain<T>(...args: string[]): Promise<T> {
    const printed = /^\{.*$/m.exec((await this.command(...args, '--json')).output)?.[0];
    return JSON.parse(printed ?? 'null') as T;
  }

  private async command(...args: string[]): Promise<Child> {
    const child = new Child(
      `refrain ${args.join(' ')}`,
      ['dist/apps/cli/src/main.js', ...args],
      this.env,
      this.watchdog,
    );
    await child.run();
    return child;
  }

  /** Reads all topics from their beginning from now on. */
  async readTopics(): Promise<void> {
    this.topics = new Topics(this.places.kafkaBrokers.split(','), `${this.name}.`);
    await this.topics.start();
  }

  private async launchAll(service: Service): Promise<void> {
    await Promise.all(this.replicaNumbers.map((replica) => this.launch(service, replica)));
  }

  private async launch(service: Service, replica: number): Promise<void> {
    const gateway = this.gatewayUrls[replica - 1] ?? '';
    const port = service === 'gateway' ? new URL(gateway).port : String(await freePort());
    const args = ['--disable-warning=TimeoutNegativeWarning', `dist/apps/${service}/src/main.js`];
    const name = nameOf(service, replica);
    const child = new Child(name, args, { ...this.env, PORT: port }, this.watchdog);
    this.running.set(name, child.start());
    await this.ready(service, replica);
  }

  private async ready(service: Service, replica = 1): Promise<void> {
    const child = this.child(service, replica);
    const starts = child.starts;
    // Many start at once, on machines that may be slow.
    const url = await until(
      `${service} listens`,
      () => {
        if (child.hasEnded) throw new Error(`${service} ended:\n${child.output}`);
        return child.output.slice(starts).match(/"url":"([^"]+)","msg":"listening"/)?.[1];
      },
      START_MS,
    );
    await until(
      `${service} is ready`,
      async () => {
        const answer = await fetch(`${url}/readyz`).catch(() => undefined);
        await answer?.body?.cancel();
        return answer?.status === 200;
      },
      START_MS,
    );
  }

  /** Every setting of every process. The hub's own processes are told no more than they need by whoever runs them. */
  private get env(): Environment {
    const { secrets, account, sandboxes, further } = this;
    return {
      KAFKA_BROKERS: this.places.kafkaBrokers,
      TOPIC_PREFIX: `${this.name}.`,
      DATABASE_URL: this.databaseUrl,
      PUBLIC_URL: publicUrl,
      HUBSPOT_BASE_URL: sandboxes.hubspot?.url,
      HUBSPOT_APP_URL: sandboxes.hubspot?.url,
      HUBSPOT_ACCESS_TOKEN: secrets.hubspotAccessToken,
      HUBSPOT_CLIENT_SECRET: secrets.hubspotClientSecret,
      HUBSPOT_APP_ID: String(account.appId),
      HEYGEN_BASE_URL: sandboxes.heygen?.url,
      HEYGEN_API_KEY: secrets.heygenApiKey,
      HEYGEN_WEBHOOK_SECRET: secrets.heygenWebhookSecret,
      OPENAI_BASE_URL: sandboxes.openai && `${sandboxes.openai.url}/v1`,
      OPENAI_API_KEY: secrets.openaiApiKey,
      OPENAI_DEADLINE: '15s',
      RECIPES_DIR: 'recipes',
      ...further,
    };
  }

  private get replicaNumbers(): number[] {
    return Array.from({ length: this.replicas }, (_, index) => index + 1);
  }

  private async inPostgres(statement: string): Promise<void> {
    const client = new Postgres({ connectionString: this.places.databaseUrl });
    await client.connect();
    await client.query(statement).finally(() => client.end());
  }

  private printLogs(): void {
    for (const { name, output } of this.running.values())
      process.stderr.write(`\n--- the end of ${name}\n${output.split('\n').slice(-40).join('\n')}\n`);
  }
}

const nameOf = (service: Service, replica: number): string =>
  replica === 1 ? service : `${service} ${String(replica)}`;

/** Kept by the e2e environment of Jest. */
const failures = (): number => (globalThis as { failedTests?: number }).failedTests ?? 0;
