// The front door under load: 64 connections, signed HubSpot requests, every 2xx acknowledged by the log. Against a bare
// server that only verifies and parses, against our producer alone, and beside Node-RED and, where
// `PEER_REDPANDA_CONNECT` names its binary, Redpanda Connect doing the same work.
import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { HUBSPOT_RECEIVED, recordKey, Topic, VERIFIED } from '#libs/contracts';
import { type Admin, LogProducer, type OutgoingRecord, withAdmin } from '#libs/log';
import { Door, doorAt, freshTopics, gateway, signedUrl } from './gateway/doors.mts';
import { CONNECTIONS, newEvent, SECRET } from './gateway/load.mts';
import { redpandaDoor } from './gateway/redpanda-connect.mts';
import { Server } from './support/server.mts';
import type { Figure, Wishes } from '../scripts/bench/main.mts';
import { peerFile } from '../scripts/bench/peers.mts';
import { median, ratioOf, rounds, throughput } from '../scripts/bench/rounds.mts';
import { freePort } from '../scripts/infra/free-port.mts';
import { root } from '../scripts/infra/work-directory.mts';

const BATCH = 100;
const MEMORY_MIB = 192;

/** Measures on topics of its own, which are removed at the end. */
export async function suite(
  infra: { kafkaBrokers: string },
  figure: (f: Figure) => void,
  { redpandaConnect }: Wishes,
): Promise<void> {
  const brokers = infra.kafkaBrokers;
  const { connection, remove } = await freshTopics(brokers);
  const { topicPrefix } = connection;
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
    const topic = topicPrefix + Topic.ingressHubspot;
    const connect = redpandaConnect && (await opened(redpandaDoor(redpandaConnect, { brokers, topic, folder })));
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
      connect: connect ? connect.party : () => Promise.resolve(Number.NaN),
      batches: batches.party,
      producer: async (forMs) => BATCH * (await throughput(CONNECTIONS, forMs, publish)),
    });
    const written = await withAdmin(connection, (admin) => recordsOn(admin, topic));
    const answered = [ours, batches, flow, ...(connect ? [connect] : [])].reduce(
      (sum, door) => sum + door.accepted(),
      alone,
    );
    if (written < answered)
      throw new Error(`${String(answered)} records were accepted, ${String(written)} are written`);

    figure(compared('one event a request', ours, measured.ours, least, measured.least, 'node:http, no log', 0.3, 0.45));
    figure(compared('beside Node-RED', ours, measured.ours, flow, measured.flow, 'Node-RED 4.1.8 with kafkajs', 2.5));
    if (connect) {
      const says = 'Redpanda Connect 4.102, http_server to kafka_franz';
      figure(compared('beside Redpanda Connect', ours, measured.ours, connect, measured.connect, says, 2, 3));
      figure(noMore('p99 of one event a request', 'ms', ours.p99(), connect.p99()));
      figure(noMore('CPU of one event a request', 'us', ours.cpuMicros(), connect.cpuMicros()));
    }
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
    await remove();
    rmSync(folder, { recursive: true });
  }
}

const noMore = (name: string, unit: string, ours: number, theirs: number): Figure => ({
  suite: 'gateway',
  name,
  value: Number(ours.toFixed(1)),
  unit,
  against: `Redpanda Connect: ${theirs.toFixed(1)} ${unit}`,
  ratio: Number((ours / theirs).toFixed(3)),
  target: '<= 1',
  ok: ours <= theirs,
});

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
