import { openPool, openReader } from './pool';
import { testDatabase } from './testing/test-database';

it('outlives a connection that is cut while it is in hand, also between two queries', async () => {
  const db = await testDatabase();
  const pool = openPool(db.url, 'cut');
  const client = await pool.connect();
  const { rows } = await client.query<{ pid: number }>('select pg_backend_pid() as pid');
  const closed = new Promise((resolve) => client.once('end', resolve));
  await db.pool.query('select pg_terminate_backend($1)', [rows[0]?.pid]);
  await closed;
  await expect(client.query('select 1')).rejects.toThrow();
  client.release(true);
  await expect(pool.query('select 1 as one')).resolves.toMatchObject({ rows: [{ one: 1 }] });
  await pool.end();
  await db.drop();
});

it('bounds transactions in time, as a whole where the server can', async () => {
  const db = await testDatabase();
  const { rows } = await db.pool.query(
    `select current_setting('statement_timeout') as statement, current_setting('transaction_timeout', true) as whole,
       current_setting('idle_in_transaction_session_timeout') as idle,
       current_setting('server_version_num')::int >= 170000 as can`,
  );
  const [bounds] = rows as { can: boolean }[];
  expect(bounds).toEqual({ statement: '15s', idle: '10s', can: bounds?.can, whole: bounds?.can ? '1min' : null });
  await db.drop();
});

it('a reader writes nothing, and waits for nothing longer than it may', async () => {
  const db = await testDatabase();
  const reader = openReader(db.url, 'reads', { max: 1, limitMs: 200 });
  await expect(reader.query('create table t ()')).rejects.toMatchObject({ code: '25006' });
  await expect(reader.query('select pg_sleep(10)')).rejects.toMatchObject({ code: '57014' });
  const held = await reader.connect();
  await expect(reader.query('select 1')).rejects.toThrow('timeout exceeded when trying to connect');
  held.release();
  await expect(reader.query('select 1 as one')).resolves.toMatchObject({ rows: [{ one: 1 }] });
  await reader.end();
  await db.drop();
});
