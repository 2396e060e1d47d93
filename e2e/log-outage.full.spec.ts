import { createHmac, randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { Topic, topics } from '#libs/contracts';
import { migrate } from '#libs/event-store';
import { applyTopics, type LogConnection, withAdmin } from '#libs/log';
import { MortalInfra } from './chaos/infra';
import { Child, Watchdog } from './testing/children';
import { freePort } from './testing/free-port';
import { Topics } from './testing/topics';
import { until } from './testing/until';

const SECRET = 'a-secret-of-this-test';
const PUBLIC_URL = 'https://hub.example.test';
const CLIENTS = 24;
const EVENTS = 20;
/** Beyond it a small pod would be ended. */
const MEMORY_MIB = 256;

const watchdog = new Watchdog();
let infra: MortalInfra;
let connection: LogConnection & { topicPrefix: string };
let log: Topics;
beforeAll(async () => {
  infra = await MortalInfra.start();
  connection = { brokers: infra.places.kafkaBrokers.split(','), clientId: 'outage', topicPrefix: 'outage.' };
  await migrate(infra.places.databaseUrl);
  await withAdmin(connection, (admin) => applyTopics(admin, topics, { prefix: connection.topicPrefix }));
  log = new Topics(connection.brokers, connection.topicPrefix);
});
afterAll(async () => {
  await log.close();
  await infra.stop();
  await watchdog.stop();
});

/** A gateway as a process of its own, with the memory that a pod would give it. */
async function gateway(settings: Record<string, string>) {
  const port = String(await freePort());
  const child = new Child(
    'gateway',
    ['dist/apps/gateway/src/main.js'],
    {
      PORT: port,
      PUBLIC_URL,
      KAFKA_BROKERS: connection.brokers.join(','),
      TOPIC_PREFIX: connection.topicPrefix,
      HUBSPOT_CLIENT_SECRET: SECRET,
      HEYGEN_WEBHOOK_SECRET: SECRET,
      MALLOC_ARENA_MAX: '1',
      NODE_OPTIONS: '--max-semi-space-size=4 --max-old-space-size=88',
      ...settings,
    },
    watchdog,
  ).start();
  await child.said(/"msg":"listening"/);
  const url = `http://127.0.0.1:${port}`;
  await until('the gateway is ready', async () => (await fetch(`${url}/readyz`)).ok);
  return { child, url };
}

/** Clients that post batches of events, one after the other, and note each answer. */
class Load {
  /** Bytes of the events of every batch that was answered 2xx. */
  readonly accepted: string[] = [];
  /** Answers by status; 0 where there was none. */
  readonly statuses = new Map<number, number>();
  withoutRetryAfter = 0;
  private over = false;
  private readonly clients: Promise<void>[];

  constructor(private readonly url: string) {
    this.clients = Array.from({ length: CLIENTS }, () => this.client());
  }

  count(status: number): number {
    return this.statuses.get(status) ?? 0;
  }

  async end(): Promise<void> {
    this.over = true;
    await Promise.all(this.clients);
  }

  private async client(): Promise<void> {
    while (!this.over) {
      const events = Array.from({ length: EVENTS }, newEvent);
      const status = await this.post(`[${events.join(',')}]`);
      this.statuses.set(status, this.count(status) + 1);
      if (status === 200) this.accepted.push(...events);
    }
  }

  private async post(body: string): Promise<number> {
    const at = String(Date.now());
    const signature = createHmac('sha256', SECRET)
      .update(`POST${PUBLIC_URL}/webhooks/hubspot${body}${at}`)
      .digest('base64');
    const headers = { 'x-hubspot-signature-v3': signature, 'x-hubspot-request-timestamp': at };
    try {
      const answer = await fetch(`${this.url}/webhooks/hubspot`, { method: 'POST', body, headers });
      if (answer.status === 503 && answer.headers.get('retry-after') !== '5') this.withoutRetryAfter += 1;
      await answer.arrayBuffer();
      return answer.status;
    } catch {
      return 0;
    }
  }
}

const newEvent = (): string =>
  JSON.stringify({
    eventId: randomBytes(4).readUInt32BE(),
    portalId: 33,
    occurredAt: Date.now(),
    subscriptionType: 'contact.propertyChange',
    objectId: randomBytes(4).readUInt32BE(),
    propertyName: 'about',
    propertyValue: randomBytes(400).toString('hex'),
  });

const mostMemoryMib = (pid: number): number =>
  Number(/^VmHWM:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1024;

it('loses nothing that was answered 2xx while the broker is gone, keeps its memory, and spools where told so', async () => {
  const refusing = await gateway({});
  const spooling = await gateway({ WHEN_LOG_IS_AWAY: 'spool', DATABASE_URL: infra.places.databaseUrl });
  const loads = { refusing: new Load(refusing.url), spooling: new Load(spooling.url) };
  try {
    await until('both accept', () => Object.values(loads).every((load) => load.count(200) > 50));

    let isBack = false;
    const back = infra.kill('kafka', 4_000).then(() => (isBack = true));
    await until('one refuses', () => loads.refusing.count(503) > CLIENTS);
    const kept = loads.spooling.count(200);
    await until('the other accepts', () => loads.spooling.count(200) > kept + CLIENTS);
    expect(isBack).toBe(false);
    await back;

    const refused = loads.refusing.count(200);
    await until('it accepts again', () => loads.refusing.count(200) > refused + 50);
    await Promise.all([loads.refusing.end(), loads.spooling.end()]);

    for (const { child } of [refusing, spooling]) expect(mostMemoryMib(child.pid)).toBeLessThan(MEMORY_MIB);
    expect([...loads.refusing.statuses.keys()].sort()).toEqual([200, 503]);
    expect(loads.refusing.withoutRetryAfter).toBe(0);
    expect([...loads.spooling.statuses.keys()]).toEqual([200]);

    await log.start();
    const missing = new Set(Object.values(loads).flatMap(({ accepted }) => accepted));
    let read = 0;
    await until(
      'all that was accepted stands on the log',
      async () => {
        await log.read();
        const news = log.records.slice(read);
        read += news.length;
        for (const { topic, value } of news) if (topic === Topic.ingressHubspot) missing.delete(String(value));
        return missing.size === 0;
      },
      120_000,
    );
  } finally {
    await Promise.all(Object.values(loads).map((load) => load.end()));
    await Promise.all([refusing.child.stop(), spooling.child.stop()]);
  }
}, 300_000);
