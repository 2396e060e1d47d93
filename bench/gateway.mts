// The front door under load: 64 connections, signed HubSpot requests, every 2xx acknowledged by the log. Against a bare
// server that only verifies and parses, against our producer alone, and beside Node-RED doing the same work.
import { randomBytes, randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { HUBSPOT_RECEIVED, recordKey, Topic, topics, VERIFIED } from '#libs/contracts';
import { type Admin, applyTopics, LogProducer, type OutgoingRecord, withAdmin } from '#libs/log';
import { CONNECTIONS, load, type Load, newEvent, SECRET } from './gateway/load.mts';
import { Server } from './gateway/server.mts';
import type { Figure } from '../scripts/bench/main.mts';
import { peerFile } from '../scripts/bench/peers.mts';
import { median, type Party, ratioOf, rounds, throughput } from '../scripts/bench/rounds.mts';
import { freePort } from '../scripts/infra/free-port.mts';
import { root } from '../scripts/infra/work-directory.mts';
import { gatewayMemory, nodeFlags } from '../scripts/start/service.mts';
import { programOf } from '../scripts/start/services.mts';

const DOOR = '/webhooks/hubspot';
const BATCH = 100;
const MIB = 1024 * 1024;
const MEMORY_MIB = 192;

/** Measures on topics of its own, which are removed at the end. */
export async function suite(infra: { kafkaBrokers: string }, figure: (f: Figure) => void): Promise<void> {
  const topicPrefix = `bench-${randomBytes(4).toString('hex')}.`;
  const brokers = infra.kafkaBrokers;
  const connection = { brokers: brokers.split(','), clientId: 'bench', topicPrefix };
  await withAdmin(connection, (admin) => applyTopics(admin, topics, { prefix: topicPrefix }));
  const folder = mkdtempSync(join(tmpdir(), 'bench-gateway-'));
  const producer = new LogProducer(connection);
  const servers: Server[] = [];
  const opened = async (start: (port: number) => Promise<Server>): Promise<Door> => {
    const server = await start(await freePort());
    servers.push(server);
    return new Door(server, 1);
  };
  try {
    const ours = await opened(gateway(brokers, topicPrefix));
    const least = await opened(bare);
    const flow = await opened(nodeRed(brokers, topicPrefix, folder));
    const batches = new Door(ours.server, BATCH);
    let alone = 0;
    const publish = async () => {
      await producer.publish(newRecords());
      alone += BATCH;
    };
    const measured = await rounds({
      ours: ours.party,
      least: least.party,
      flow: flow.party,
      batches: batches.party,
      producer: async (forMs) => BATCH * (await throughput(CONNECTIONS, forMs, publish)),
    });
    const written = await withAdmin(connection, (admin) => recordsOn(admin, topicPrefix + Topic.ingressHubspot));
    const answered = [ours, batches, flow].reduce((sum, door) => sum + door.accepted(), alone);
    if (written < answered)
      throw new Error(`${String(answered)} records were accepted, ${String(written)} are written`);

    figure(compared('one event a request', ours, measured.ours, least, measured.least, 'node:http, no log', 0.3, 0.45));
    figure(compared('beside Node-RED', ours, measured.ours, flow, measured.flow, 'Node-RED 4.1.8 with kafkajs', 2.5));
    const events = measured.batches.map((perSecond) => perSecond * BATCH);
    const { ratio, spread } = ratioOf(events, measured.producer);
    figure({
      suite: 'gateway',
      name: `${String(BATCH)} events a request; ${batches.says()}`,
      value: Math.round(median(events)),
      unit: 'events/s',
      against: `the producer alone, ${String(BATCH)} records a call: ${String(Math.round(median(measured.producer)))}/s; ratios ${spread}`,
      ratio,
      target: '>= 0.5',
      ok: ratio >= 0.5,
    });
    const most = Math.max(ours.residentMib(), batches.residentMib());
    figure({
      suite: 'gateway',
      name: 'resident memory under that load, the most',
      value: Math.round(most),
      unit: 'MiB',
      against: `${String(MEMORY_MIB)} MiB, aim 128`,
      ratio: Number((most / MEMORY_MIB).toFixed(3)),
      target: '<= 1',
      ok: most <= MEMORY_MIB,
    });
  } finally {
    await Promise.all(servers.map((server) => server.stop()));
    await producer.close();
    await withAdmin(connection, (admin) => removeTopics(admin, topicPrefix));
    rmSync(folder, { recursive: true });
  }
}

function compared(
  name: string,
  who: Door,
  figures: number[],
  other: Door,
  others: number[],
  says: string,
  floor: number,
  aim = floor,
): Figure {
  const { ratio, spread } = ratioOf(figures, others);
  return {
    suite: 'gateway',
    name: `${name}; ${who.says()}`,
    value: Math.round(median(figures)),
    unit: 'requests/s',
    against: `${says}: ${String(Math.round(median(others)))}/s; ${other.says()}; ratios ${spread}, aim ${String(aim)}`,
    ratio,
    target: `>= ${String(floor)}`,
    ok: ratio >= floor,
  };
}

/** A server under load, and what it did in all its rounds. */
class Door {
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

  residentMib(): number {
    return this.resident / MIB;
  }

  says(): string {
    const ms = (of: 'p50' | 'p99') => median(this.loads.map((l) => l[of])).toFixed(1);
    const micros = median(this.cpu).toFixed(0);
    return `p50 ${ms('p50')} ms, p99 ${ms('p99')} ms, ${micros} us CPU a request, ${this.residentMib().toFixed(0)} MiB`;
  }
}

/** HubSpot signs the address that it calls; all servers are told the same one, as behind a proxy. */
const PUBLIC_URL = 'https://hub.example.test';
const signedUrl = PUBLIC_URL + DOOR;
const doorAt = (port: number): string => `http://127.0.0.1:${String(port)}${DOOR}`;

const gateway = (brokers: string, topicPrefix: string) => (port: number) =>
  Server.start([process.execPath, ...nodeFlags, programOf('gateway')], doorAt(port), {
    ...gatewayMemory,
    PORT: String(port),
    PUBLIC_URL,
    KAFKA_BROKERS: brokers,
    TOPIC_PREFIX: topicPrefix,
    HUBSPOT_CLIENT_SECRET: SECRET,
    HEYGEN_WEBHOOK_SECRET: SECRET,
  });

const bare = (port: number) =>
  Server.start([process.execPath, 'bench/gateway/bare.mts', String(port), SECRET, signedUrl], doorAt(port));

const nodeRed = (brokers: string, topicPrefix: string, folder: string) => (port: number) => {
  const settings = {
    port,
    secret: SECRET,
    signedUrl,
    brokers: brokers.split(','),
    topic: topicPrefix + Topic.ingressHubspot,
  };
  const file = join(folder, 'settings.js');
  const ours = JSON.stringify(join(root, 'bench/gateway/node-red/settings.cjs'));
  writeFileSync(file, `module.exports = require(${ours})(${JSON.stringify(settings)});\n`);
  const command = [process.execPath, peerFile('node-red/red.js'), '--userDir', folder, '--settings', file];
  return Server.start(command, doorAt(port));
};

const newRecords = (): OutgoingRecord[] =>
  Array.from({ length: BATCH }, () => {
    const id = randomUUID();
    const subject = `contact:${id}`;
    return {
      topic: Topic.ingressHubspot,
      key: recordKey('default', subject),
      value: Buffer.from(newEvent()),
      headers: { [VERIFIED]: `hubspot-v3 POST ${signedUrl} at 1762387200500 sha256:${'0'.repeat(64)}` },
      envelope: {
        id,
        source: '/hubspot/default',
        type: HUBSPOT_RECEIVED,
        subject,
        time: new Date().toISOString(),
        tenant: 'default',
        correlationid: id,
        traceparent: undefined,
      },
    };
  });

const recordsOn = (admin: Admin, topic: string): Promise<number> =>
  admin.fetchTopicOffsets(topic).then((all) => all.reduce((sum, { high }) => sum + Number(high), 0));

async function removeTopics(admin: Admin, prefix: string): Promise<void> {
  await admin.deleteTopics({ topics: (await admin.listTopics()).filter((name) => name.startsWith(prefix)) });
}
