import { INPUTS_FREED } from '#libs/contracts';
import { parkedKeys, parkedMail, requestRelease } from '#libs/event-store';
import { testDatabase, type TestDatabase } from '../../event-store/src/testing/test-database';
import { until } from '../../event-store/src/testing/until';
import { discardParked } from './key-release';
import { Process } from './process';
import { Published, TOY_TOPIC, toyCall, toyProcess, wordRecord } from './testing/toy';

let db: TestDatabase;
const running: Process<never, never, never>[] = [];
const errors: unknown[] = [];

beforeAll(async () => {
  db = await testDatabase();
});
afterEach(async () => {
  await Promise.all(running.splice(0).map((p) => p.stop()));
  expect(errors.splice(0)).toEqual([]);
});
afterAll(async () => {
  await db.drop();
});

function start(service: string, { fixed }: { fixed: boolean }) {
  const published = new Published();
  const process = new Process(toyProcess(service, fixed), {
    pool: db.pool,
    produce: published.produce,
    deadLetter: () => Promise.resolve(),
    effects: toyCall(() => Promise.resolve({ outcome: 'done', value: 'yes' })),
    concurrency: 10,
    onError: (error) => errors.push(error),
    onParked: () => undefined,
  });
  process.start();
  running.push(process as never);
  return { handle: process.handlerFor(TOY_TOPIC), published };
}

const say = (subject: string, word: string) => wordRecord(subject, { word }, { id: `${subject} ${word}` });
const key = (subject: string) => `default:${subject}`;

async function park(service: string, subject: string) {
  const { handle, published } = start(service, { fixed: false });
  await handle(['before', 'bug', 'after', 'later'].map((word) => say(subject, word)));
  await published.until(() => published.of(subject).length >= 2);
  return { handle, published };
}

async function heardWords(service: string, subject: string): Promise<string[]> {
  const { rows } = await db.pool.query<{ word: string }>(
    `select data->>'word' as word from event
     where service = $1 and stream_id = $2 and type like '%heard%' order by version`,
    [service, `toy-${key(subject)}`],
  );
  return rows.map((row) => row.word);
}

const untilFree = (service: string) => until(async () => (await parkedKeys(db.pool, { service })).length === 0);

it('lists what is parked, why, and how much waits', async () => {
  await park('dl-list', 'contact:1');
  const [parked] = await parkedKeys(db.pool, { service: 'dl-list' });
  expect(parked).toMatchObject({
    service: 'dl-list',
    inputKey: 'default:contact:1',
    code: 'TypeError',
    reason: 'a bug in decide',
    releasedBy: undefined,
  });
  const waiting = await parkedMail(db.pool, 'dl-list', key('contact:1'), 10);
  expect(waiting.filter((m) => m.kind === 'record').map((m) => m.key)).toEqual([
    'contact:1 bug',
    'contact:1 after',
    'contact:1 later',
  ]);
  expect(await parkedKeys(db.pool, { service: 'dl-list', code: 'RangeError' })).toEqual([]);
});

it('releases in order once the bug is fixed; what comes meanwhile follows, nothing twice', async () => {
  await park('dl-release', 'contact:2');
  await running.pop()?.stop();
  const { handle, published } = start('dl-release', { fixed: true });
  await handle([say('contact:2', 'new')]);
  expect(await heardWords('dl-release', 'contact:2')).toEqual(['before']);
  expect(await requestRelease(db.pool, { service: 'dl-release' }, 'operator')).toBe(1);
  await untilFree('dl-release');
  await handle(['bug', 'after', 'new', 'newest'].map((word) => say('contact:2', word)));
  expect(await heardWords('dl-release', 'contact:2')).toEqual(['before', 'bug', 'after', 'later', 'new', 'newest']);
  await published.until(() => published.records.some((r) => r.envelope.type === INPUTS_FREED));
  const freed = published.records.find((r) => r.envelope.type === INPUTS_FREED);
  expect(freed?.topic).toBe('dl-release.dlq');
  expect(JSON.parse(freed?.value.toString() ?? '')).toMatchObject({ how: 'released', by: 'operator' });
});

it('stays parked at the right input when the release fails again', async () => {
  const { handle } = await park('dl-again', 'contact:3');
  await requestRelease(db.pool, { service: 'dl-again' }, 'operator');
  await until(async () => (await parkedKeys(db.pool, { service: 'dl-again' }))[0]?.releasedBy === undefined);
  await handle([say('contact:3', 'new')]);
  expect(await heardWords('dl-again', 'contact:3')).toEqual(['before']);
  const waiting = await parkedMail(db.pool, 'dl-again', key('contact:3'), 10);
  expect(waiting.filter((m) => m.kind === 'record').map((m) => m.key.split(' ')[1])).toEqual([
    'bug',
    'after',
    'later',
    'new',
  ]);
});

it('goes on after the bad input when that is discarded, and says so on the dead letter topic', async () => {
  const { published } = await park('dl-discard', 'contact:4');
  expect(await discardParked(db.pool, 'dl-discard', key('contact:4'), 'first', 'operator')).toEqual(['contact:4 bug']);
  await requestRelease(db.pool, { inputKey: key('contact:4') }, 'operator');
  await untilFree('dl-discard');
  expect(await heardWords('dl-discard', 'contact:4')).toEqual(['before', 'after', 'later']);
  await published.until(() => published.records.filter((r) => r.envelope.type === INPUTS_FREED).length === 2);
  const freed = published.records.filter((r) => r.envelope.type === INPUTS_FREED);
  expect(freed.map((r) => JSON.parse(r.value.toString()) as unknown)).toEqual([
    {
      service: 'dl-discard',
      inputKey: key('contact:4'),
      how: 'discarded',
      inputs: ['contact:4 bug'],
      by: 'operator',
    },
    { service: 'dl-discard', inputKey: key('contact:4'), how: 'released', inputs: [], by: 'operator' },
  ]);
});

it('loses nothing when releases, new inputs and two replicas meet', async () => {
  await park('dl-storm', 'contact:5');
  await running.pop()?.stop();
  const replicas = [start('dl-storm', { fixed: true }), start('dl-storm', { fixed: true })];
  const words = Array.from({ length: 30 }, (_, i) => `w${String(i)}`);
  const flow = words.map(async (word, i) => replicas[i % 2]?.handle([say('contact:5', word)]));
  await requestRelease(db.pool, { service: 'dl-storm' }, 'operator');
  await Promise.all(flow);
  await requestRelease(db.pool, { service: 'dl-storm' }, 'operator');
  await untilFree('dl-storm');
  const heard = await heardWords('dl-storm', 'contact:5');
  expect([...heard].sort()).toEqual(['before', 'bug', 'after', 'later', ...words].sort());
  expect(heard.slice(0, 4)).toEqual(['before', 'bug', 'after', 'later']);
});
