import { topics, type TopicSpec } from '#libs/contracts';
import { ConfigResourceTypes, KafkaJSProtocolError } from 'kafkajs';
import { until } from '../../event-store/src/testing/until';
import { type Admin, withAdmin } from './client';
import { testConnection } from './testing/log-fixture';
import { applyTopics, checkTopics } from './topics';

const connection = testConnection('topics');
const prefix = connection.topicPrefix;

it('creates every declared topic once; a second time changes nothing', async () => {
  await withAdmin(connection, async (admin) => {
    const first = await applyTopics(admin, topics, { prefix });
    expect(first.map((d) => [d.topic, d.what])).toEqual(topics.map((t) => [prefix + t.name, 'missing']));
    expect(await checkTopics(admin, topics, { prefix })).toEqual([]);
    expect(await applyTopics(admin, topics, { prefix })).toEqual([]);
  });
});

it('adds partitions and sets retention, and keeps what an operator set', async () => {
  const was: TopicSpec = { name: 'grown', partitions: 1, retentionMs: 3_600_000, says: '' };
  const now: TopicSpec = { ...was, partitions: 3, retentionMs: 7_200_000 };
  const topic = `${prefix}grown`;
  await withAdmin(connection, async (admin) => {
    await applyTopics(admin, [was], { prefix });
    const configEntries = [
      { name: 'retention.ms', value: '1000' },
      { name: 'segment.ms', value: '600000' },
    ];
    await admin.alterConfigs({
      validateOnly: false,
      resources: [{ type: ConfigResourceTypes.TOPIC, name: topic, configEntries }],
    });
    const found = () => checkTopics(admin, [now], { prefix });
    await until(async () => (await found()).some((one) => one.found.includes('retention.ms=1000')));
    expect(await found()).toEqual([
      { topic, what: 'partitions', wanted: '3', found: '1' },
      {
        topic,
        what: 'settings',
        wanted: expect.stringContaining('retention.ms=7200000'),
        found: expect.stringContaining('retention.ms=1000'),
      },
    ]);
    await applyTopics(admin, [now], { prefix });
    expect(await checkTopics(admin, [now], { prefix })).toEqual([]);
    const { resources } = await admin.describeConfigs({
      includeSynonyms: false,
      resources: [{ type: ConfigResourceTypes.TOPIC, name: topic }],
    });
    expect(resources[0]?.configEntries.find((e) => e.configName === 'segment.ms')?.configValue).toBe('600000');
  });
});

it('waits for a broker that has created topics but does not know them yet', async () => {
  const fresh: TopicSpec = { name: 'fresh', partitions: 2, retentionMs: 3_600_000, says: '' };
  await withAdmin(connection, async (admin) => {
    const unknown = new KafkaJSProtocolError({
      type: 'UNKNOWN_TOPIC_OR_PARTITION',
      code: 3,
      message: 'unknown',
    } as never);
    let looks = 0;
    const busy = Object.assign(Object.create(admin) as Admin, {
      fetchTopicMetadata: async (options: { topics: string[] }) => {
        looks += 1;
        if (looks < 3) throw unknown;
        return admin.fetchTopicMetadata(options);
      },
    });
    await applyTopics(busy, [fresh], { prefix });
    expect(looks).toBe(3);
    expect(await checkTopics(admin, [fresh], { prefix })).toEqual([]);
  });
});

it('never takes partitions away', async () => {
  const many: TopicSpec = { name: 'many', partitions: 4, retentionMs: 3_600_000, says: '' };
  await withAdmin(connection, async (admin) => {
    await applyTopics(admin, [many], { prefix });
    expect(await applyTopics(admin, [{ ...many, partitions: 2 }], { prefix })).toEqual([]);
  });
});
