import { KeepingMismatch } from '#libs/event-store';
import { testDatabase, type TestDatabase } from '../../event-store/src/testing/test-database';
import { createTopics, testConnection } from '../../log/src/testing/log-fixture';
import { Keeping } from './keeping';

const DAY = 86_400_000;
const connection = testConnection('keeping');
let db: TestDatabase;
beforeAll(async () => {
  db = await testDatabase();
  await createTopics(connection, [
    { name: 'a', partitions: 1, retentionMs: DAY, says: '' },
    { name: 'b', partitions: 1, retentionMs: 7 * DAY, says: '' },
    { name: 'endless', partitions: 1, retentionMs: -1, says: '' },
  ]);
});
afterAll(() => db.drop());

const keeping = (days: { inbox: number; receipts: number }, topics = ['a', 'b'], over = {}, errors: unknown[] = []) =>
  new Keeping(db.pool, days, 'me', { ...connection, ...over }, topics, (error) => errors.push(error));

it.each([
  ['b keeps records 7.0 days', { inbox: 6, receipts: 90 }, ['a', 'b']],
  ['endless keeps records for ever', { inbox: 14, receipts: 90 }, ['a', 'endless']],
  ['INBOX_DAYS (14) is more than RECEIPT_DAYS (7)', { inbox: 14, receipts: 7 }, ['a']],
])('refuses to start: %s', async (says, days, topics) => {
  const start = keeping(days, topics).start();
  await expect(start).rejects.toThrow(says);
  await expect(start).rejects.toBeInstanceOf(KeepingMismatch);
  await expect(start).rejects.toMatchObject({ code: 'keeping-mismatch' });
});

it('starts where the topics keep records no longer than that', async () => {
  const errors: unknown[] = [];
  const kept = keeping({ inbox: 7, receipts: 7 }, ['a', 'b'], {}, errors);
  await kept.start();
  await kept.stop();
  expect(errors).toEqual([]);
});

it('starts while the broker is away, and says so', async () => {
  const errors: unknown[] = [];
  const kept = keeping({ inbox: 6, receipts: 90 }, ['a', 'b'], { brokers: ['127.0.0.1:1'] }, errors);
  await kept.start();
  await kept.stop();
  expect(errors.length).toBeGreaterThan(0);
});
