import { readFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { Topic, topics } from '#libs/contracts';
import { createTopics, testConnection, TopicReader } from '../libs/log/src/testing/log-fixture';
import { hubspotHeaders, testSettings } from '../apps/gateway/src/testing/signed';
import { Child, Watchdog } from './testing/children';
import { freePort } from './testing/free-port';
import { until } from './testing/until';

/** What a small pod gives a gateway. */
const MEMORY_MIB = 192;
const BODY_LIMIT = 1024 * 1024;
const CLIENTS = 300;

const connection = testConnection('pressure');
const watchdog = new Watchdog();
afterAll(() => watchdog.stop());
beforeAll(() => createTopics(connection, topics));

const open: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of open.splice(0).reverse()) await close();
});

const flags = ['--max-semi-space-size=4', '--max-old-space-size=88'];

async function gateway(settings: Record<string, string> = {}) {
  const port = await freePort();
  const env = {
    ...testSettings,
    PORT: String(port),
    LOG_LEVEL: 'info',
    KAFKA_BROKERS: connection.brokers.join(','),
    TOPIC_PREFIX: connection.topicPrefix,
    MALLOC_ARENA_MAX: '1',
    ...settings,
  };
  const child = new Child('gateway', [...flags, 'dist/apps/gateway/src/main.js'], env, watchdog).start();
  open.push(() => child.stop());
  await child.said(/"msg":"listening"/);
  const url = `http://127.0.0.1:${port}`;
  await until('the gateway is ready', async () => (await fetch(`${url}/readyz`)).ok);
  const mostMib = (): number =>
    Number(/^VmHWM:\s+(\d+) kB/m.exec(readFileSync(`/proc/${child.pid}/status`, 'utf8'))?.[1]) / 1024;
  return { child, port, url, mostMib };
}

/** A raw connection that keeps what was answered to it. */
class Client {
  answer = '';
  isClosed = false;
  readonly socket: Socket;

  constructor(port: number) {
    this.socket = connect(port, '127.0.0.1');
    this.socket.on('data', (data) => (this.answer += data.toString()));
    this.socket.on('error', () => undefined);
    this.socket.on('close', () => (this.isClosed = true));
    open.push(() => this.socket.destroy());
  }

  begin(headers: string): this {
    return this.write(`POST /webhooks/hubspot HTTP/1.1\r\nhost: a\r\n${headers}\r\n\r\n`);
  }

  write(text: string): this {
    this.socket.write(text);
    return this;
  }

  get status(): string {
    return this.answer.slice(9, 12);
  }
}

const event = (objectId: number): string =>
  `[{"eventId":${objectId},"portalId":33,"occurredAt":1762387200123,"subscriptionType":"contact.creation","objectId":${objectId}}]`;

const isWellServed = async (url: string, id: number): Promise<boolean> => {
  const body = event(id);
  return (await fetch(`${url}/webhooks/hubspot`, { method: 'POST', body, headers: hubspotHeaders(body) })).ok;
};

it('keeps its memory under many slow and large bodies, answers the others 503, probes always, and recovers', async () => {
  const { child, port, url, mostMib } = await gateway();
  const clients = Array.from({ length: CLIENTS }, (_, i) =>
    new Client(port).begin(i % 2 ? `content-length: ${BODY_LIMIT}` : 'transfer-encoding: chunked'),
  );
  const piece = Buffer.alloc(BODY_LIMIT - 1, ' ');
  const chunk = Buffer.concat([Buffer.from(`${piece.length.toString(16)}\r\n`), piece, Buffer.from('\r\n')]);
  // All but the end of the body.
  clients.forEach((client, i) => client.socket.write(i % 2 ? piece : chunk));
  const shed = () => clients.filter((client) => client.isClosed && client.status === '503');
  const gone = () => clients.filter((client) => client.isClosed);
  await until('all but the budget are refused', () => gone().length >= CLIENTS - 16);
  const waiting = clients.filter((client) => !client.isClosed);
  expect(waiting.length).toBeGreaterThan(8);
  // Whoever writes on may see the connection reset before it reads the answer.
  expect(shed().length).toBeGreaterThan(CLIENTS / 4);
  for (const { answer } of shed()) {
    for (const part of ['connection: close\r\n', 'retry-after: 5\r\n', '"code":"overloaded"'])
      expect(answer).toContain(part);
  }
  expect((await fetch(`${url}/healthz`)).status).toBe(200);
  expect((await fetch(`${url}/readyz`)).status).toBe(200);
  expect((await fetch(`${url}/webhooks/hubspot`, { method: 'POST', body: 'x' })).status).toBe(401);
  expect(mostMib()).toBeLessThan(MEMORY_MIB);

  waiting.forEach((client) => client.socket.destroy());
  await until('it accepts', () => isWellServed(url, 7));
  const log = new TopicReader(connection, Topic.ingressHubspot);
  open.push(() => log.close());
  await log.until(1, (record) => record.value.toString() === event(7).slice(1, -1));
  expect(child.hasEnded).toBe(false);
});

it('keeps its memory where bodies come byte by byte', async () => {
  const { port, url, mostMib } = await gateway();
  const clients = Array.from({ length: 2 }, () => new Client(port).begin('transfer-encoding: chunked'));
  const bytes = Buffer.from('1\r\n \r\n'.repeat(BODY_LIMIT));
  for (const { socket } of clients) socket.write(bytes);
  const end = Buffer.from('0\r\n\r\n');
  for (const { socket } of clients) socket.write(end);
  await until('all are answered', () => clients.every((client) => client.status !== ''));
  expect(new Set(clients.map((client) => client.status))).toEqual(new Set(['401']));
  expect(mostMib()).toBeLessThan(MEMORY_MIB);
  await until('it accepts', () => isWellServed(url, 8));
});

it('bounds its connections, answers probes beyond the bound, and recovers', async () => {
  const { port, url, mostMib } = await gateway({ MAX_CONNECTIONS: '50' });
  // Half of them never end their headers.
  const clients = Array.from({ length: 400 }, (_, i) =>
    i % 2 ? new Client(port).begin('content-length: 9') : new Client(port).write('GET / HTTP/1.1\r\n'),
  );
  await until('those beyond the bound are closed', () => clients.filter((c) => c.isClosed).length >= 400 - 50 - 16);
  expect((await fetch(`${url}/healthz`)).status).toBe(200);
  const refused = await fetch(`${url}/webhooks/hubspot`, { method: 'POST', body: event(9) });
  expect([refused.status, refused.headers.get('connection')]).toEqual([503, 'close']);
  expect(mostMib()).toBeLessThan(MEMORY_MIB);
  clients.forEach((client) => client.socket.destroy());
  await until('it accepts', () => isWellServed(url, 9));
});
