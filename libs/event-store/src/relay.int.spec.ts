import { emptyOutcome } from './batch-statements';
import { Relay } from './relay';
import { append, eventsOf } from './testing/appending';
import { testDatabase, type TestDatabase } from './testing/test-database';
import { transact } from './transaction';

let db: TestDatabase;
beforeAll(async () => {
  db = await testDatabase();
});
afterAll(() => db.drop());

it('publishes an event that commits late before what follows it in its stream, also amid a backlog of pages', async () => {
  const written = Promise.withResolvers<void>();
  const commit = Promise.withResolvers<void>();
  const late = transact(db.pool, 'toy-service', ['late'], async (tx) => {
    await tx.write({ ...emptyOutcome(), events: eventsOf('late', 1, 1) });
    written.resolve();
    await commit.promise;
  });
  await written.promise;
  await append(db.pool, eventsOf('backlog', 1, 2_500));

  const published: string[] = [];
  const relay = new Relay(
    db.pool,
    'toy-service',
    'test',
    async (events) => {
      published.push(...events.map(({ streamId, version }) => `${streamId}@${String(version)}`));
      if (published.length > 1_000) return;
      commit.resolve();
      await late;
      await append(db.pool, eventsOf('late', 2, 1));
    },
    () => undefined,
  );
  while (await relay.step());
  await relay.step();
  expect(published.filter((id) => id.startsWith('late'))).toEqual(['late@1', 'late@2']);
  expect(new Set(published).size).toBe(2_502);
});
