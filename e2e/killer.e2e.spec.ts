import { parkedKeys, requestRelease } from '#libs/event-store';
import { LogProducer } from '#libs/log';
import { testDatabase, type TestDatabase } from '../libs/event-store/src/testing/test-database';
import { createTopics, testConnection, testRecord } from '../libs/log/src/testing/log-fixture';
import { Child, Watchdog } from './testing/children';
import { until } from './testing/until';

// After each death the group waits for the dead member's session to run out.
jest.setTimeout(180_000);
const DEADLY = 'contact:13';

const watchdog = new Watchdog();
const databases: TestDatabase[] = [];
const children: Child[] = [];
afterAll(async () => {
  await Promise.all(children.map((child) => child.stop()));
  await Promise.all(databases.map((db) => db.drop()));
  await watchdog.stop();
});

/** A service of its own whose records are 20 contacts' words, one of them deadly. */
async function deadly(word: 'kill' | 'hang') {
  const db = await testDatabase();
  databases.push(db);
  const connection = testConnection(word);
  const { brokers, topicPrefix } = connection;
  const topic = (name: string) => ({ name, partitions: 3, retentionMs: 3_600_000, says: '' });
  await createTopics(connection, ['word.sayings.v1', 'word.events.v1', 'word-service.dlq'].map(topic));
  const producer = new LogProducer(connection);
  const say = (subject: string, said: string) => ({
    ...testRecord('word.sayings.v1', `default:${subject}`, JSON.stringify({ word: said })),
    envelope: { ...testRecord('', '', '').envelope, subject },
  });
  await producer.publish(
    Array.from({ length: 20 }, (_, n) => `contact:${String(n)}`).flatMap((subject) => [
      say(subject, 'first'),
      say(subject, subject === DEADLY ? word : 'second'),
      say(subject, 'third'),
    ]),
  );
  await producer.close();
  const env = { KAFKA_BROKERS: brokers.join(','), DATABASE_URL: db.url, TOPIC_PREFIX: topicPrefix };
  const args = ['--disable-warning=ExperimentalWarning', 'e2e/testing/word-service.mts'];
  const start = (further = {}) => {
    const child = new Child(word, args, { ...env, ...further }, watchdog).start();
    children.push(child);
    return child;
  };
  return { db, start };
}

/** Which words of each contact were decided, in order. */
async function heard(db: TestDatabase): Promise<Record<string, string[]>> {
  const { rows } = await db.pool.query<{ subject: string; word: string }>(
    `select subject, data->>'word' as word from event where type = 'refrain.word.heard.v1' order by stream_id, version`,
  );
  const of = Map.groupBy(rows, (row) => row.subject);
  return Object.fromEntries([...of].map(([subject, events]) => [subject, events.map((event) => event.word)]));
}

it.concurrent.each(['kill', 'hang'] as const)(
  'parks an input that ended its process three times by a %s',
  async (word) => {
    const { db, start } = await deadly(word);
    let child = start();
    const deathsUntilParked = async () => {
      const parked = async () => (await parkedKeys(db.pool)).some(({ releasedBy }) => releasedBy === undefined);
      for (let deaths = 0; ; deaths += 1) {
        await until(`a death or a parking by ${word}`, async () => child.hasEnded || (await parked()), 60_000);
        if (!child.hasEnded) return deaths;
        await child.ended;
        expect(child.output).toContain('ended (SIGKILL)');
        if (word === 'hang') expect(child.output).toContain('a decision took longer than 1000 ms');
        child = start();
      }
    };
    // One that took it unawares, and three with care. Where the database has not yet noticed a death, the next process
    // takes another slot, which is clean: then one more is taken unawares, and leaves that slot dirty too.
    const isBounded = (deaths: number, least: number) => {
      expect(deaths).toBeGreaterThanOrEqual(least);
      expect(deaths).toBeLessThanOrEqual(least + 4);
    };
    isBounded(await deathsUntilParked(), 4);
    expect(await parkedKeys(db.pool)).toMatchObject([{ inputKey: `default:${DEADLY}`, code: 'Killer' }]);
    const others = () => heard(db).then((words) => Object.entries(words).filter(([subject]) => subject !== DEADLY));
    await until('all other words', async () => (await others()).flatMap(([, words]) => words).length === 19 * 3);
    for (const [, words] of await others()) expect(words).toEqual(['first', 'second', 'third']);
    expect((await heard(db))[DEADLY]).toEqual(['first']);

    // Released unmended, it is parked again in the same way.
    await requestRelease(db.pool, {}, 'operator');
    isBounded(await deathsUntilParked(), 3);
    expect(await parkedKeys(db.pool)).toMatchObject([{ inputKey: `default:${DEADLY}`, code: 'Killer', waiting: 2 }]);

    // Mended: what waited is decided in order, once.
    await child.stop();
    start({ DECIDES: 'safely' });
    await requestRelease(db.pool, {}, 'operator');
    await until('what waited', async () => (await heard(db))[DEADLY]?.length === 3);
    expect((await heard(db))[DEADLY]).toEqual(['first', word, 'third']);
  },
);
