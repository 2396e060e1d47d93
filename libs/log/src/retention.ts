import { ConfigResourceTypes } from 'kafkajs';
import { type LogConnection, withAdmin, within } from './client';
import { LogUnavailable } from './log-unavailable';

const LIMIT_MS = 5_000;

/** How long the broker really keeps records of topics, in milliseconds by name; `Infinity` where it has no limit. */
export async function retentionOf(connection: LogConnection, topics: string[]): Promise<Map<string, number>> {
  const prefix = connection.topicPrefix ?? '';
  const asked = withAdmin(connection, (admin) =>
    admin.describeConfigs({
      includeSynonyms: false,
      resources: topics.map((topic) => ({
        type: ConfigResourceTypes.TOPIC,
        name: prefix + topic,
        configNames: ['retention.ms'],
      })),
    }),
  );
  const { resources } = await within(LIMIT_MS, asked, () => new LogUnavailable('broker', 'it does not answer'));
  return new Map(
    resources.map(({ resourceName, configEntries }) => {
      const ms = Number(configEntries.find((entry) => entry.configName === 'retention.ms')?.configValue);
      return [resourceName.slice(prefix.length), ms < 0 ? Infinity : ms];
    }),
  );
}
