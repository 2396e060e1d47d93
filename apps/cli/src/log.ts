import { boundsOf, type IncomingRecord, type LogConnection, readRange } from '#libs/log';
import { loadConfig } from '#libs/platform';
import { logConfig } from './cli.config';

/** How a command reaches the log; throws a ConfigError where the settings for it are missing. */
export function logConnection(): LogConnection {
  const { KAFKA_BROKERS, TOPIC_PREFIX } = loadConfig(logConfig, process.env);
  return { brokers: KAFKA_BROKERS, topicPrefix: TOPIC_PREFIX, clientId: 'refrain-cli' };
}

/** Reads one record by its place, topic/partition/offset; undefined where retention has taken it. */
export async function recordAt(connection: LogConnection, place: string): Promise<IncomingRecord | undefined> {
  const [topic = '', partition = '', offset = ''] = place.split('/');
  const end = String(BigInt(offset) + 1n);
  const bounds = await boundsOf(connection, { topic, offsets: { [partition]: [offset, end] } });
  let found: IncomingRecord | undefined;
  await readRange(connection, topic, bounds, (records) => {
    found = records.find((record) => record.offset === offset);
    return Promise.resolve();
  });
  return found;
}
