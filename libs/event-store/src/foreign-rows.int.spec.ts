import { readForeignRows } from './foreign-rows';
import { testDatabase, type TestDatabase } from './testing/test-database';

let db: TestDatabase;
beforeAll(async () => {
  db = await testDatabase();
  await db.pool.query('create table accounts (id int, tier text)');
  await db.pool.query("insert into accounts select n, 'tier ' || n from generate_series(1, 5) n");
});
afterAll(() => db.drop());

const read = (query: string, most = 5) => readForeignRows({ url: db.url, query, most });
const reason = (query: string, most?: number): Promise<string> =>
  read(query, most).then(
    () => 'rows',
    (error: unknown) => (error instanceof Error ? error.message : ''),
  );

it('reads the rows of a query, within a bound', async () => {
  expect(await read('select id, tier from accounts where id < 3 order by id')).toEqual([
    { id: 1, tier: 'tier 1' },
    { id: 2, tier: 'tier 2' },
  ]);
  expect(await read('select id from accounts')).toHaveLength(5);
  expect(await reason('select id from accounts', 4)).toBe('there are more than 4 rows');
});

it('can write nothing, whatever the query says', async () => {
  await db.pool.query(
    `create function adding() returns int language sql as $$ insert into accounts values (9, 'x') returning id $$`,
  );
  expect(await reason('select adding()')).toBe('the database gives no rows (25006)');
  expect(await reason('select 1; commit; delete from accounts')).toMatch(/42601/);
  expect(await reason('delete from accounts returning id')).toMatch(/42601/);
  expect(await read('select id from accounts')).toHaveLength(5);
});

it('tells why there are no rows, and neither the address nor a value', async () => {
  expect(await reason('select nothing from accounts')).toBe(
    'the database gives no rows (42703: column "nothing" does not exist)',
  );
  expect(await reason("select ('secret ' || tier)::int from accounts")).toBe('the database gives no rows (22P02)');
  const nobody = readForeignRows({ url: 'postgres://me:hidden@127.0.0.1:1/x', query: 'select 1', most: 1 });
  await expect(nobody).rejects.toThrow(/^the database gives no rows \(ECONNREFUSED\)$/);
});
