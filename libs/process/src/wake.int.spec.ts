import { testDatabase, type TestDatabase } from '../../event-store/src/testing/test-database';
import { until } from '../../event-store/src/testing/until';
import { Process } from './process';
import { Published, TOY_TOPIC, toyCall, toyProcess, wordRecord } from './testing/toy';

const MINUTES = 600_000;
const LEASES = 9; // eight shards and the mailbox

let db: TestDatabase;
const running: Process<never, never, never>[] = [];

beforeAll(async () => {
  db = await testDatabase();
  // So that no lease runs out, however slow the machine is.
  await db.stopClock();
});
afterEach(async () => {
  await Promise.all(running.splice(0).map((p) => p.stop()));
});
afterAll(async () => {
  await db.drop();
});

function start(service: string) {
  const published = new Published();
  const process = new Process(toyProcess(service), {
    pool: db.pool,
    produce: published.produce,
    deadLetter: () => Promise.resolve(),
    effects: toyCall(() => Promise.resolve({ outcome: 'done', value: 'yes' })),
    concurrency: 10,
    pollMs: MINUTES,
    onError: () => undefined,
    onParked: () => undefined,
  });
  process.start();
  running.push(process as never);
  return { handle: process.handlerFor(TOY_TOPIC), published };
}

/** Two replicas that hardly ever look by themselves; the first one holds every lease. */
async function replicas(service: string) {
  const holder = start(service);
  await untilRows(`select 1 from lease where name like '%${service}%'`, LEASES);
  const other = start(service);
  await untilRows(`select 1 from replica_slot where service = '${service}' and dirty`, 2);
  return { holder, other };
}

const untilRows = (query: string, rows: number) => until(async () => (await db.pool.query(query)).rowCount === rows);

it('publishes at once what another replica committed, and decides the outcomes that it settled', async () => {
  const { holder, other } = await replicas('wake-toy');
  for (let n = 1; n <= 5; n += 1) {
    await other.handle([wordRecord('contact:1', { word: `word-${String(n)}` })]);
    await holder.published.until(() => holder.published.of('contact:1').length === 2 * n);
  }
  expect(other.published.records).toEqual([]);
});

it('hears again after its session was cut', async () => {
  const { holder, other } = await replicas('wake-cut');
  const sessions = `select pid from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()
    and query not like 'select 1 %'
    and (query like 'listen %' or query like '%pg_notify%' or query like '%replica_slot%')`;
  const { rowCount } = await db.pool.query(`select pg_terminate_backend(pid) from (${sessions}) as s`);
  expect(rowCount).toBe(2);
  await other.handle([wordRecord('contact:2', { word: 'hello' })]);
  await holder.published.until(() => holder.published.of('contact:2').length === 2);
  expect(other.published.records).toEqual([]);
});
