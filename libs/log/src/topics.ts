import type { TopicSpec } from '#libs/contracts';
import { ConfigResourceTypes, type Admin } from 'kafkajs';
import { LogUnavailable } from './log-unavailable';

/** Options of {@link applyTopics}; without `replicationFactor` the broker's default holds. */
export interface TopicOptions {
  prefix?: string;
  replicationFactor?: number;
}

/** What is not as declared: a topic that is missing, or one with too few partitions or other settings. */
export interface TopicDifference {
  topic: string;
  what: 'missing' | 'partitions' | 'settings';
  wanted: string;
  found: string;
}

const SERVED_WITHIN_MS = 10_000;
const LOOK_EVERY_MS = 100;

/** A request body of 1 MiB is one record, and its headers come on top: twice that always fits. */
const MAX_MESSAGE_BYTES = 2 * 1024 * 1024;

const settingsOf = (spec: TopicSpec): Record<string, string> => ({
  'cleanup.policy': 'delete',
  'max.message.bytes': String(MAX_MESSAGE_BYTES),
  'retention.ms': String(spec.retentionMs),
});

/**
 * Makes the broker's topics as declared: creates missing ones, adds partitions, sets retention. Applying twice changes
 * nothing; partitions are never taken away; settings that are not ours are kept. Returns what it changed.
 */
export async function applyTopics(
  admin: Admin,
  specs: readonly TopicSpec[],
  { prefix = '', replicationFactor = -1 }: TopicOptions = {},
): Promise<TopicDifference[]> {
  const differences = await checkTopics(admin, specs, { prefix });
  const differing = (what: TopicDifference['what']) =>
    specs.filter((spec) => differences.some((d) => d.what === what && d.topic === prefix + spec.name));
  await createMissing(admin, differing('missing'), prefix, replicationFactor);
  const grown = differing('partitions');
  if (grown.length > 0) {
    const topicPartitions = grown.map((spec) => ({ topic: prefix + spec.name, count: spec.partitions }));
    await admin.createPartitions({ topicPartitions });
  }
  const changed = differing('settings');
  for (const spec of changed) await setSettings(admin, prefix + spec.name, settingsOf(spec));
  if (grown.length + changed.length > 0) {
    // A broker says yes before it goes by it; where it never does, the next look tells.
    await soon(async () => (await checkTopics(admin, specs, { prefix })).length === 0);
  }
  return differences;
}

/** Compares the broker's topics with the declared ones; an empty list means that nothing is to be done. */
export async function checkTopics(
  admin: Admin,
  specs: readonly TopicSpec[],
  { prefix = '' }: TopicOptions = {},
): Promise<TopicDifference[]> {
  const existing = new Set(await admin.listTopics());
  const present = specs.filter((spec) => existing.has(prefix + spec.name));
  const differences: TopicDifference[] = specs
    .filter((spec) => !present.includes(spec))
    .map((spec) => ({
      topic: prefix + spec.name,
      what: 'missing',
      wanted: `${spec.partitions} partitions`,
      found: 'none',
    }));
  if (present.length === 0) return differences;
  const { topics } = await admin.fetchTopicMetadata({ topics: present.map((spec) => prefix + spec.name) });
  for (const spec of present) {
    const topic = prefix + spec.name;
    const count = topics.find((t) => t.name === topic)?.partitions.length ?? 0;
    if (count < spec.partitions) {
      differences.push({ topic, what: 'partitions', wanted: String(spec.partitions), found: String(count) });
    }
    const found = await readSettings(admin, topic);
    const wrong = Object.entries(settingsOf(spec)).filter(([name, value]) => found.get(name)?.value !== value);
    if (wrong.length > 0) {
      const wanted = wrong.map(([name, value]) => `${name}=${value}`).join(' ');
      const is = wrong.map(([name]) => `${name}=${found.get(name)?.value}`).join(' ');
      differences.push({ topic, what: 'settings', wanted, found: is });
    }
  }
  return differences;
}

async function createMissing(
  admin: Admin,
  specs: TopicSpec[],
  prefix: string,
  replicationFactor: number,
): Promise<void> {
  if (specs.length === 0) return;
  const topics = specs.map((spec) => ({
    topic: prefix + spec.name,
    numPartitions: spec.partitions,
    replicationFactor,
    configEntries: Object.entries(settingsOf(spec)).map(([name, value]) => ({ name, value })),
  }));
  try {
    await admin.createTopics({ topics, waitForLeaders: false });
  } catch (error) {
    // Another process may have been quicker with some of them: then they are there, or will be at once.
    if (!(await served(admin, topics))) throw error;
    return;
  }
  if (!(await served(admin, topics))) throw new LogUnavailable('broker', 'the new topics have no leaders yet');
}

/**
 * Whether all topics have leaders; the client's own wait gives up at the first answer that does not know one of them.
 */
function served(admin: Admin, wanted: { topic: string }[]): Promise<boolean> {
  const names = wanted.map(({ topic }) => topic);
  return soon(async () => {
    const found = await admin.fetchTopicMetadata({ topics: names }).catch(notYet);
    const partitions = found?.topics.map((topic) => topic.partitions) ?? [];
    return partitions.length === names.length && partitions.flat().every(({ leader }) => leader >= 0);
  });
}

/** Whether it is so within the time that a busy broker may need after it has said yes. */
async function soon(isSo: () => Promise<boolean>): Promise<boolean> {
  for (let waited = 0; waited < SERVED_WITHIN_MS; waited += LOOK_EVERY_MS) {
    if (await isSo()) return true;
    await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
  }
  return false;
}

function notYet(error: unknown): undefined {
  const type = error instanceof Error && 'type' in error ? error.type : undefined;
  if (type !== 'UNKNOWN_TOPIC_OR_PARTITION' && type !== 'LEADER_NOT_AVAILABLE') throw error;
}

/** A topic's settings, each with whether it was set on the topic itself. */
async function readSettings(admin: Admin, topic: string): Promise<Map<string, { value: string; own: boolean }>> {
  const { resources } = await admin.describeConfigs({
    includeSynonyms: false,
    resources: [{ type: ConfigResourceTypes.TOPIC, name: topic }],
  });
  const entries = resources[0]?.configEntries ?? [];
  return new Map(entries.map((e) => [e.configName, { value: e.configValue, own: !e.isDefault && !e.readOnly }]));
}

/** The client's call replaces all settings of a topic, so those that an operator made are given again. */
async function setSettings(admin: Admin, topic: string, wanted: Record<string, string>): Promise<void> {
  const own = [...(await readSettings(admin, topic))].filter(([, setting]) => setting.own);
  const kept = Object.fromEntries(own.map(([name, setting]) => [name, setting.value]));
  const configEntries = Object.entries({ ...kept, ...wanted }).map(([name, value]) => ({ name, value }));
  const resources = [{ type: ConfigResourceTypes.TOPIC, name: topic, configEntries }];
  await admin.alterConfigs({ validateOnly: false, resources });
}
