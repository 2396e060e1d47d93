// The gateway under load: what it did, what it used.
import { randomBytes } from 'node:crypto';
import { topics } from '#libs/contracts';
import { type Admin, applyTopics, type LogConnection, withAdmin } from '#libs/log';
import { load, type Load, SECRET } from './load.mts';
import { Server } from '../support/server.mts';
import { median, type Party } from '../../scripts/bench/rounds.mts';
import { gatewayMemory, nodeFlags } from '../../scripts/start/service.mts';
import { programOf } from '../../scripts/start/services.mts';

export const DOOR = '/webhooks/hubspot';
const MIB = 1024 * 1024;

/** A connection to topics of its own; `remove` takes them away. */
export async function freshTopics(
  brokers: string,
): Promise<{ connection: LogConnection & { topicPrefix: string }; remove: () => Promise<void> }> {
  const topicPrefix = `bench-${randomBytes(4).toString('hex')}.`;
  const connection = { brokers: brokers.split(','), clientId: 'bench', topicPrefix };
  await withAdmin(connection, (admin) => applyTopics(admin, topics, { prefix: topicPrefix }));
  return { connection, remove: () => withAdmin(connection, (admin) => removeTopics(admin, topicPrefix)) };
}

/** A server under load, and what it did in all its rounds. */
export class Door {
  private readonly loads: Load[] = [];
  private readonly cpu: number[] = [];
  private resident = 0;
  readonly server: Server;
  private readonly events: number;

  /** Each request holds so many events. */
  constructor(server: Server, events: number) {
    this.server = server;
    this.events = events;
  }

  readonly party: Party = async (forMs) => {
    const before = this.server.usage();
    const done = await load(this.server.url, signedUrl, this.events, forMs);
    const after = this.server.usage();
    if (done.refused > 0) throw new Error(`${String(done.refused)} of ${String(done.requests)} requests failed`);
    this.loads.push(done);
    this.cpu.push((after.cpuMicros - before.cpuMicros) / done.requests);
    this.resident = Math.max(this.resident, after.residentBytes);
    return done.perSecond;
  };

  accepted(): number {
    return this.loads.reduce((sum, { requests }) => sum + requests * this.events, 0);
  }

  p99(): number {
    return median(this.loads.map((l) => l.p99));
  }

  /** Of a request. */
  cpuMicros(): number {
    return median(this.cpu);
  }

  residentMib(): number {
    return this.resident / MIB;
  }

  says(): string {
    const p50 = median(this.loads.map((l) => l.p50)).toFixed(1);
    return `p50 ${p50} ms, p99 ${this.p99().toFixed(1)} ms, ${this.cpuMicros().toFixed(0)} us CPU a request, ${this.residentMib().toFixed(0)} MiB`;
  }
}

/** HubSpot signs the address that it calls; all servers are told the same one, as behind a proxy. */
const PUBLIC_URL = 'https://hub.example.test';
export const signedUrl = PUBLIC_URL + DOOR;
export const doorAt = (port: number): string => `http://127.0.0.1:${String(port)}${DOOR}`;

/** Starts a gateway on these topics, as `npm start` does. */
export const gateway = (brokers: string, topicPrefix: string) => (port: number) =>
  Server.start([process.execPath, ...nodeFlags, programOf('gateway')], doorAt(port), {
    ...gatewayMemory,
    PORT: String(port),
    PUBLIC_URL,
    KAFKA_BROKERS: brokers,
    TOPIC_PREFIX: topicPrefix,
    HUBSPOT_CLIENT_SECRET: SECRET,
    HEYGEN_WEBHOOK_SECRET: SECRET,
  });

async function removeTopics(admin: Admin, prefix: string): Promise<void> {
  await admin.deleteTopics({ topics: (await admin.listTopics()).filter((name) => name.startsWith(prefix)) });
}
