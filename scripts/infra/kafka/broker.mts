import { randomBytes } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { runToEnd, startChild, waitForLog } from '../child.mts';
import { freePort, withFreshPorts } from '../free-port.mts';
import { makeWorkDirectory } from '../work-directory.mts';
import { findJava, kafkaJars } from './jars.mts';

const portTaken = /Address already in use|BindException/;

export interface KafkaBroker {
  readonly brokers: string;
  /** Ends it as the kernel would; its data stays. */
  kill(): Promise<void>;
  /** Starts it again after a kill, on the same ports and data. */
  restart(): Promise<void>;
  stop(): Promise<void>;
}

/**
 * Starts a broker of one process (KRaft) on loopback, on free ports; empty at first, gone with its data at stop.
 * `further` are settings of the broker.
 */
export async function startKafka(further: Record<string, string | number> = {}): Promise<KafkaBroker> {
  const java = await findJava();
  const lib = await kafkaJars();
  const classPath = ['-cp', join(lib, '*')];
  const start = async () => {
    const work = makeWorkDirectory('kafka');
    try {
      const port = await freePort();
      const settings = join(work.path, 'server.properties');
      writeFileSync(settings, serverProperties(port, await freePort(), join(work.path, 'log'), further));
      const base = { command: java, env: process.env, cwd: work.path };
      await runToEnd({
        ...base,
        name: 'Formatting Kafka storage',
        args: [...classPath, 'kafka.tools.StorageTool', 'format', '-t', clusterId(), '-c', settings],
        logFile: join(work.path, 'format.log'),
      });
      const launch = async (logFile: string) => {
        const started = await startChild({
          ...base,
          name: 'Kafka',
          args: [
            ...['-Xms512m', '-Xmx512m', '-XX:+UseSerialGC'],
            `-Dlog4j2.configurationFile=${join(import.meta.dirname, 'log4j2.properties')}`,
            ...[...classPath, 'kafka.Kafka', settings],
          ],
          logFile: join(work.path, logFile),
        });
        await waitForLog(started, /Kafka Server started/, 60_000).catch(async (error: unknown) => {
          await started.stop();
          throw error;
        });
        return started;
      };
      let starts = 1;
      let child = await launch('kafka.log');
      return {
        brokers: `127.0.0.1:${port}`,
        kill: () => child.kill(),
        restart: async () => {
          child = await launch(`kafka-${++starts}.log`);
        },
        stop: async () => {
          await child.stop();
          work.remove();
        },
      };
    } catch (error) {
      work.remove();
      throw error;
    }
  };
  return withFreshPorts(start, portTaken);
}

function clusterId(): string {
  for (;;) {
    const id = randomBytes(16).toString('base64url');
    if (!id.startsWith('-')) return id; // it would be read as a flag
  }
}

function serverProperties(port: number, controllerPort: number, directory: string, further: object): string {
  mkdirSync(directory);
  const settings = {
    'process.roles': 'broker,controller',
    'node.id': 1,
    'controller.quorum.voters': `1@127.0.0.1:${controllerPort}`,
    listeners: `PLAINTEXT://127.0.0.1:${port},CONTROLLER://127.0.0.1:${controllerPort}`,
    'advertised.listeners': `PLAINTEXT://127.0.0.1:${port}`,
    'controller.listener.names': 'CONTROLLER',
    'listener.security.protocol.map': 'PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT',
    'log.dirs': directory.replaceAll('\\', '\\\\'),
    'auto.create.topics.enable': false,
    'offsets.topic.replication.factor': 1,
    'offsets.topic.num.partitions': 4,
    'transaction.state.log.replication.factor': 1,
    'transaction.state.log.min.isr': 1,
    'transaction.state.log.num.partitions': 4,
    'share.coordinator.state.topic.replication.factor': 1,
    'share.coordinator.state.topic.min.isr': 1,
    'share.coordinator.state.topic.num.partitions': 1,
    'group.initial.rebalance.delay.ms': 0,
    'num.network.threads': 2,
    'num.io.threads': 4,
    'background.threads': 2,
    'log.cleaner.dedupe.buffer.size': 16777216,
    'log.index.size.max.bytes': 2097152,
    'log.segment.bytes': 67108864,
    ...further,
  };
  return Object.entries(settings)
    .map(([name, value]) => `${name}=${value}\n`)
    .join('');
}
