import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { LogProducer, withAdmin } from '#libs/log';
import { testDatabase, type TestDatabase } from '../libs/event-store/src/testing/test-database';
import { createTopics, testConnection, testRecord, TopicReader } from '../libs/log/src/testing/log-fixture';
import { Child, root, Watchdog } from './testing/children';
import { until } from './testing/until';

const SAYINGS = 'word.sayings.v1';
const EVENTS = 'word.events.v1';
const connection = testConnection('reset');
const group = `${connection.topicPrefix}word-service`;
const topic = connection.topicPrefix + SAYINGS;

const watchdog = new Watchdog();
const producer = new LogProducer(connection);
let db: TestDatabase;
let reader: TopicReader;
let child: Child;
beforeAll(async () => {
  db = await testDatabase();
  const spec = (name: string) => ({ name, partitions: 3, retentionMs: 3_600_000, says: '' });
  await createTopics(connection, [SAYINGS, EVENTS, 'word-service.dlq'].map(spec));
  reader = new TopicReader(connection, EVENTS, 'word-service.dlq');
  const env = { KAFKA_BROKERS: connection.brokers.join(','), DATABASE_URL: db.url };
  child = new Child(
    'word-service',
    ['--disable-warning=ExperimentalWarning', 'e2e/testing/word-service.mts'],
    { ...env, TOPIC_PREFIX: connection.topicPrefix },
    watchdog,
  ).start();
});
afterAll(async () => {
  await child.stop();
  await Promise.all([reader.close(), producer.close(), watchdog.stop()]);
  await db.drop();
});

const contacts = Array.from({ length: 20 }, (_, n) => `contact:${String(n)}`);
const say = (word: string) =>
  producer.publish(
    contacts.map((subject) => ({
      ...testRecord(SAYINGS, `default:${subject}`, JSON.stringify({ word })),
      envelope: { ...testRecord('', '', '').envelope, subject },
    })),
  );
const calls = () => child.output.match(/^called .*$/gm) ?? [];
const bytesOnTheTopic = () => reader.records.map(({ key, value }) => `${key} ${value.toString()}`).sort();

/** Each contact's word twice: heard, and answered. */
const expected = (...words: string[]) =>
  contacts
    .flatMap((contact) => words.map((word) => `default:${contact} ${JSON.stringify({ word })}`))
    .flatMap((line) => [line, line])
    .sort();

it("decides, calls and publishes nothing twice after Kafka's own tool has set the offsets back to the start", async () => {
  await say('one');
  await say('two');
  await reader.until(contacts.length * 4);
  await child.stop();

  const { stdout } = await promisify(execFile)(
    process.execPath,
    [
      'scripts/infra/kafka/tool/main.mts',
      'org.apache.kafka.tools.consumer.group.ConsumerGroupCommand',
      ...['--bootstrap-server', connection.brokers.join(','), '--group', group, '--topic', topic],
      ...['--reset-offsets', '--to-earliest', '--execute'],
    ],
    { cwd: root },
  );
  const moved = stdout.split('\n').filter((line) => line.startsWith(group));
  expect(moved.map((line) => line.trim().split(/\s+/).slice(1, 4))).toEqual(
    expect.arrayContaining([0, 1, 2].map((partition) => [topic, String(partition), '0'])),
  );

  child.start();
  await say('three');
  await reader.until(contacts.length * 6);
  const handled = () =>
    withAdmin(connection, async (admin) => {
      const ends = new Map((await admin.fetchTopicOffsets(topic)).map(({ partition, high }) => [partition, high]));
      const [of] = await admin.fetchOffsets({ groupId: group, topics: [topic] });
      return of?.partitions.every(({ partition, offset }) => ends.get(partition) === offset);
    });
  await until('every record handled again', handled);
  await child.stop();
  expect(bytesOnTheTopic()).toEqual(expected('one', 'two', 'three'));
  expect(calls()).toHaveLength(contacts.length * 3);
  expect(new Set(calls()).size).toBe(contacts.length * 3);
});
