import { Pool } from 'pg';
import { append, eventsOf } from '../testing/appending';
import { owe, effects } from '../testing/owing';
import { seen, seenModel } from '../testing/seen-model';
import { testDatabase, type TestDatabase } from '../testing/test-database';
import { until } from '../testing/until';
import { Projector } from './projector';
import type { ReadModel } from './read-model';
import { readModelState, requestRebuild } from './rebuild';

let db: TestDatabase;
const running: Projector[] = [];
const errors: unknown[] = [];
beforeEach(async () => {
  db = await testDatabase();
});
afterEach(async () => {
  await Promise.all(running.splice(0).map((p) => p.stop()));
  expect(errors.splice(0)).toEqual([]);
  await db.drop();
});

let owners = 0;
function start(model: ReadModel, pool: Pool = db.pool): Projector {
  const projector = new Projector(pool, model, `owner-${String((owners += 1))}`, (error) => errors.push(error), 5);
  projector.start();
  running.push(projector);
  return projector;
}

const streams = async () => ((await seen(db.pool)) ?? []).map((row) => row.stream);
const count = async () => (await seen(db.pool))?.length ?? -1;
const state = () => readModelState(db.pool, 'seen');
const caughtUp = () =>
  until(async () => {
    const { live, next, last } = await state();
    return next === undefined && live !== undefined && live.position >= last;
  });

it('waits for an event that was drawn earlier and commits later; one that is rolled back holds nobody up', async () => {
  start(seenModel());
  const late = Promise.withResolvers<undefined>();
  const drawn = Promise.withResolvers<undefined>();
  const first = append(db.pool, eventsOf('late', 1, 1), {
    before: async () => {
      drawn.resolve(undefined);
      await late.promise;
    },
  });
  await drawn.promise;
  await append(db.pool, eventsOf('undone', 1, 1), { before: () => Promise.reject(new Error('undo')) }).catch(
    () => undefined,
  );
  await append(db.pool, eventsOf('early', 1, 1));
  // The model is complete up to where it may read: before the late one.
  await until(async () => (await state()).live !== undefined);
  const { rows } = await db.pool.query<{ n: number }>('select count(*)::int as n from read_model');
  expect(rows).toEqual([{ n: 1 }]);
  expect(await streams()).toEqual([]);
  late.resolve(undefined);
  await first;
  await caughtUp();
  expect(await streams()).toEqual(['late@1', 'early@1']);
});

it('does not wait for writing transactions in other databases of the server', async () => {
  const other = await testDatabase();
  const release = Promise.withResolvers<undefined>();
  const drawn = Promise.withResolvers<undefined>();
  const open = append(other.pool, eventsOf('other', 1, 1), {
    before: async () => {
      drawn.resolve(undefined);
      await release.promise;
    },
  });
  await drawn.promise;
  await append(db.pool, eventsOf('here', 1, 1));
  start(seenModel());
  await caughtUp();
  expect(await streams()).toEqual(['here@1']);
  release.resolve(undefined);
  await open;
  await other.drop();
});

it('is built beside the old one, which is read until the new one has caught up, and then no more', async () => {
  await append(db.pool, eventsOf('s', 1, 2_500));
  const old = start(seenModel(1));
  await caughtUp();
  await old.stop();
  // The new version stops half way through its events.
  const half = Promise.withResolvers<undefined>();
  const model = seenModel(2);
  const stuck: ReadModel = {
    ...model,
    apply: (events) => {
      if (events.some((event) => event.version === 1_500)) {
        half.resolve(undefined);
        throw new Error('stuck');
      }
      return model.apply(events);
    },
  };
  const stopped = start(stuck);
  await half.promise;
  expect(new Set((await seen(db.pool))?.map((row) => row.by))).toEqual(new Set([1]));
  expect((await state()).next).toMatchObject({ version: 2, events: 1_000 });
  await stopped.stop();
  expect(errors.splice(0).length).toBeGreaterThan(0);
  // Another process goes on from there: nothing is applied twice.
  let applied = 0;
  start({
    ...model,
    apply: (events) => {
      applied += events.length;
      return model.apply(events);
    },
  });
  await caughtUp();
  const rows = (await seen(db.pool)) ?? [];
  expect(applied).toBe(1_500);
  expect(rows.map((row) => row.stream)).toEqual(eventsOf('s', 1, 2_500).map((e) => `s@${String(e.version)}`));
  expect(new Set(rows.map((row) => row.by))).toEqual(new Set([2]));
  await until(async () => (await schemas()).join() === 'seen');
});

it('follows with the old tables while it is built anew on request, and touches nothing else', async () => {
  await append(db.pool, eventsOf('s', 1, 1_500));
  await owe(db.pool, effects(3));
  start(seenModel());
  await caughtUp();
  const before = await everythingElse();
  await requestRebuild(db.pool, 'seen', 'operator');
  await requestRebuild(db.pool, 'seen', 'another');
  expect((await state()).next).toMatchObject({ askedBy: 'operator' });
  await until(async () => (await state()).next === undefined);
  expect(await everythingElse()).toEqual(before);
  expect(await count()).toBe(1_500);
  await append(db.pool, eventsOf('s', 1_501, 1));
  await caughtUp();
  expect(await count()).toBe(1_501);
});

it('applies every event once, also with two projectors that both believe to hold the lease', async () => {
  const all = eventsOf('s', 1, 3_000);
  await append(db.pool, all.slice(0, 2_500));
  const pools = [1, 2].map(() => new Pool({ connectionString: db.url }));
  const without = pools.map((pool) => withoutLeases(pool));
  const two = without.map((pool) => start(seenModel(), pool));
  for (const event of all.slice(2_500)) await append(db.pool, [event]);
  await caughtUp();
  await Promise.all(two.map((p) => p.stop()));
  expect(await streams()).toEqual(all.map((e) => `s@${String(e.version)}`));
  // Whoever was second finds tables and rows changed under it, and looks again.
  errors.splice(0);
  await Promise.all(pools.map((pool) => pool.end()));
});

it('leaves the tables of a newer version alone', async () => {
  await append(db.pool, eventsOf('s', 1, 1));
  const newer = start(seenModel(2));
  await caughtUp();
  await newer.stop();
  let looks = 0;
  const older = start({
    ...seenModel(1),
    apply: () => {
      looks += 1;
      return [];
    },
  });
  await append(db.pool, eventsOf('s', 2, 1));
  await until(async () => (await leaseHolder()) !== undefined);
  await older.stop();
  expect(looks).toBe(0);
  expect(await state()).toMatchObject({ live: { version: 2, events: 1 }, next: undefined });
});

const schemas = async () =>
  (
    await db.pool.query<{ name: string }>(
      `select nspname as name from pg_namespace where nspname like 'seen%' order by 1`,
    )
  ).rows.map((row) => row.name);

const leaseHolder = async () =>
  (await db.pool.query<{ owner: string }>(`select owner from lease where name = 'read-model/seen'`)).rows[0]?.owner;

const everythingElse = async () =>
  (
    await db.pool.query<Record<string, unknown>>(
      `select (select json_agg(e order by position) from event e)::text as events,
         (select json_agg(e order by seq) from effect e)::text as effects,
         (select json_agg(m order by id) from mailbox m)::text as mail,
         (select json_agg(u order by position) from unpublished u)::text as unpublished,
         (select last_value from event_position) as position`,
    )
  ).rows;

/** A pool on which every lease is granted. */
const withoutLeases = (pool: Pool): Pool =>
  new Proxy(pool, {
    get(target, name: keyof Pool) {
      if (name !== 'query') return (target[name] as unknown as (...args: unknown[]) => unknown).bind(target);
      return (query: { name?: string; values?: unknown[] }) =>
        query.name === 'refrain-lease'
          ? Promise.resolve({ rows: [{ name: 'read-model/seen' }] })
          : target.query(query as never);
    },
  });
