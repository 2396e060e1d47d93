import { drainSpool, spool, SpoolFull, type SpooledRecord, spoolState } from './spool';
import { testDatabase, type TestDatabase } from './testing/test-database';

let db: TestDatabase;
beforeEach(async () => {
  db = await testDatabase();
});
afterEach(() => db.drop());

const MIB = 1024 * 1024;
const record = (n: number): SpooledRecord => ({
  topic: 'ingress.toy.v1',
  key: `default:contact:${n}`,
  value: Buffer.from([0, 0xff, n]),
  envelope: {
    id: `id-${n}`,
    source: '/toy',
    type: 'refrain.toy.received.v1',
    subject: `contact:${n}`,
    time: '2026-11-21T05:00:00.000Z',
    tenant: 'default',
    correlationid: `id-${n}`,
  },
  headers: { refrain_verified: 'a "quoted" \\ note' },
});
const records = (from: number, count: number) => Array.from({ length: count }, (_, i) => record(from + i));

it('gives back the same records in the order in which they were kept, and holds them no longer', async () => {
  await spool(db.pool, records(1, 3), MIB);
  await spool(db.pool, records(4, 2), MIB);
  const published: SpooledRecord[] = [];
  const publish = (page: SpooledRecord[]) => Promise.resolve(void published.push(...page));
  expect((await spoolState(db.pool)).records).toBe(5);
  expect([await drainSpool(db.pool, 4, publish), await drainSpool(db.pool, 4, publish)]).toEqual([4, 1]);
  expect(published).toEqual(records(1, 5));
  expect([await drainSpool(db.pool, 4, publish), await spoolState(db.pool)]).toEqual([0, { records: 0 }]);
});

it('keeps what could not be published', async () => {
  await spool(db.pool, records(1, 3), MIB);
  await expect(drainSpool(db.pool, 10, () => Promise.reject(new Error('away')))).rejects.toThrow('away');
  expect((await spoolState(db.pool)).records).toBe(3);
});

it('lets one drain at a time, so that a page never overtakes the one before it', async () => {
  await spool(db.pool, records(1, 3), MIB);
  const first = Promise.withResolvers<void>();
  const begun = Promise.withResolvers<void>();
  const draining = drainSpool(db.pool, 2, () => {
    begun.resolve();
    return first.promise;
  });
  await begun.promise;
  const never = () => Promise.reject(new Error('must not publish'));
  expect(await drainSpool(db.pool, 2, never)).toBeUndefined();
  first.resolve();
  expect(await draining).toBe(2);
});

it('keeps nothing beyond its limit', async () => {
  const large = { ...record(1), value: Buffer.alloc(MIB / 4, 'x') };
  await spool(db.pool, [large], MIB);
  await expect(spool(db.pool, [record(2), record(3)], 8_192)).rejects.toThrow(SpoolFull);
  expect((await spoolState(db.pool)).records).toBe(1);
});
