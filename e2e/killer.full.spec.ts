import { moveReplay, parkedKeys, replayItems, replayOf, requestRelease, requestReplay } from '#libs/event-store';
import { LogProducer } from '#libs/log';
import { testDatabase, type TestDatabase } from '../libs/event-store/src/testing/test-database';
import { createTopics, testConnection, testRecord, TopicReader } from '../libs/log/src/testing/log-fixture';
import { Child, Watchdog } from './testing/children';
import { until } from './testing/until';

// After each death the group waits for the dead member's session to run out.
jest.setTimeout(300_000);
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
async function deadly(word: string) {
  const db = await testDatabase();
  databases.push(db);
  const connection = testConnection(`killer-${String(databases.length)}`);
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
  return { db, connection, start };
}

/** Restarts a service that died, until `holds`; resolves to its deaths. The dead one's lease is not waited for. */
async function deathsUntil(db: TestDatabase, start: () => Child, holds: () => Promise<boolean>): Promise<number> {
  let child = start();
  for (let deaths = 0; ; deaths += 1) {
    await until('a death or an end', async () => child.hasEnded || (await holds()), 150_000);
    if (!child.hasEnded) return deaths;
    await child.ended;
    await db.pool.query('delete from lease');
    child = start();
  }
}

// One that took it unawares, and three with care. Where the database has not yet noticed a death, the next process takes
// another slot, which is clean: then one more is taken unawares, and leaves that slot dirty too. A producer that had to
// try again may have written a record more than once: where each copy is known by its place, each takes its own deaths.
function isBounded(deaths: number, least: number, copies = 1) {
  expect(deaths).toBeGreaterThanOrEqual(least);
  expect(deaths).toBeLessThanOrEqual((least + 4) * copies);
}

/** The notes that are left about a replay, or about records of a topic. */
const notesOf = async (db: TestDatabase, prefix: string) =>
  (await db.pool.query<{ key: string }>('select key from suspect where starts_with(key, $1)', [prefix])).rows;

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

it.concurrent('gives up a record whose route ended the process three times, and its partition goes on', async () => {
  const { db, connection, start } = await deadly('route kill');
  const reader = new TopicReader(connection, 'word-service.dlq');
  const sayings = new TopicReader(connection, 'word.sayings.v1');
  try {
    const all = () => heard(db).then((words) => Object.values(words).flat().length === 20 * 3 - 1);
    const deaths = await deathsUntil(db, start, all);
    const copies = (await sayings.until(20 * 3)).filter(({ value }) => value.includes('route kill')).length;
    isBounded(deaths, 4, copies);
    const [letter] = await reader.until(copies);
    expect(letter?.value.toString()).toBe('{"word":"route kill"}');
    expect(letter?.key).toBe(`default:${DEADLY}`);
    expect(letter?.headers).toMatchObject({
      refrain_original_topic: 'word.sayings.v1',
      refrain_error_code: 'killer',
      refrain_error_class: 'Killer',
      refrain_attempts: '3',
    });
    // Announced at least once each: on a slow machine a partition may go to another consumer before its offset is noted.
    const announced = reader.records.map(({ headers }) => headers['refrain_original_offset']);
    expect(new Set(announced).size).toBe(copies);
    for (const { value } of reader.records) expect(value.toString()).toBe('{"word":"route kill"}');
    expect(await parkedKeys(db.pool)).toEqual([]);
    expect((await heard(db))[DEADLY]).toEqual(['first', 'third']);
    expect(await notesOf(db, 'word.sayings.v1/')).toEqual([]);
  } finally {
    await Promise.all([reader.close(), sayings.close()]);
  }
});

describe('a replay', () => {
  const fails = 'its handling ended the process 3 times';

  /** A service that decided all its words while it was sound, and of which a replay is then asked. */
  async function replaying(word: string, filter?: string) {
    const { db, start } = await deadly(word);
    const sound = start({ DECIDES: 'safely' });
    const decided = async () => (await db.pool.query('select 1 from event')).rows.length === 2 * 20 * 3;
    await until('all words, and the answers of all calls', decided, 60_000);
    await sound.stop();
    const asked = { service: 'word-service', topic: 'word.sayings.v1', selection: { filter }, by: 'test' };
    const id = await requestReplay(db.pool, asked);
    const is = (state: string) => async () => (await replayOf(db.pool, id))?.state === state;
    /** Of each record that was not applied, once where the broker has it twice: what is said of it. */
    const left = async () => {
      const items = (await replayItems(db.pool, id, { limit: 200 })).filter(({ state }) => state !== 'applied');
      const says = items.map(({ subject, state, reason, plan }) => {
        const { fails, code } = plan as { fails?: string; code?: string };
        return JSON.stringify({ subject, state, reason, fails, code });
      });
      return [...new Set(says)].map((text) => JSON.parse(text) as unknown);
    };
    return { db, id, is, left, sound, start };
  }

  const killer = { subject: `default:${DEADLY}`, code: 'killer', fails };
  const held = { ...killer, state: 'held', reason: `killer: ${fails}` };

  it.concurrent.each(['kill', 'route hang'])('shows a record whose planning ends the process by a %s', async (word) => {
    const { db, id, is, left, start } = await replaying(word);
    isBounded(await deathsUntil(db, start, is('planned')), 4);
    expect(await left()).toContainEqual({ ...killer, state: 'planned' });
    await moveReplay(db.pool, id, ['planned'], 'applying');
    await until('the replay done', is('done'), 60_000);
    expect(await left()).toEqual([held]);
    expect(await notesOf(db, id)).toEqual([]);
  });

  it.concurrent('holds a record whose applying ends the process, and applies the others', async () => {
    const { db, id, is, left, sound, start } = await replaying('hang');
    sound.start();
    await until('a plan', is('planned'));
    await sound.stop();
    await moveReplay(db.pool, id, ['planned'], 'applying');
    isBounded(await deathsUntil(db, start, is('done')), 4);
    expect(await left()).toEqual([held]);
    expect(await notesOf(db, id)).toEqual([]);
  });

  it.concurrent('fails where its own filter ends the process', async () => {
    const { db, id, is, start } = await replaying(`${'a'.repeat(40)}!`, 'value.word.matches("^(a+)+$")');
    // Its partitions may be met in another order each time: what was planned before is counted anew behind it.
    const deaths = await deathsUntil(db, start, is('failed'));
    expect(deaths).toBeGreaterThanOrEqual(5);
    expect(deaths).toBeLessThanOrEqual(3 * 4 + 5);
    expect((await replayOf(db.pool, id))?.error).toMatch(
      /^killer: the process ended again and again before record \d+/,
    );
    expect(await notesOf(db, id)).toEqual([]);
  });
});
