import type { Pool, PoolClient, QueryResult } from 'pg';
import { sorted } from './errors';

/** Whatever runs a statement: a pool, or one connection within a transaction. */
export type Queries = Pick<PoolClient, 'query'>;

/** Runs one prepared statement; its errors are sorted by what the receiver must do. */
export async function run<R extends object>(
  on: Queries,
  name: string,
  text: string,
  values: unknown[],
): Promise<QueryResult<R>> {
  try {
    return await on.query<R>({ name, text, values });
  } catch (error) {
    throw sorted(error);
  }
}

/** A connection or a pool of them. */
export type Queryable = Pool | PoolClient;

/** Runs one statement and gives its rows; its errors are sorted by what the receiver must do. */
export async function rowsOf<R extends object>(db: Queryable, text: string, values: unknown[]): Promise<R[]> {
  try {
    return (await db.query<R>(text, values)).rows;
  } catch (error) {
    throw sorted(error);
  }
}

/** Runs `work` in one transaction, all or nothing. */
export async function atomically<T>(pool: Pool, work: (tx: PoolClient) => Promise<T>): Promise<T> {
  let client: PoolClient | undefined;
  try {
    client = await pool.connect();
    await client.query('begin');
    const result = await work(client);
    await client.query('commit');
    client.release();
    return result;
  } catch (error) {
    if (client) await giveBack(client);
    throw sorted(error);
  }
}

/** Rolls back and returns a connection; one that cannot even do that is closed. */
export async function giveBack(client: PoolClient): Promise<void> {
  try {
    await client.query('rollback');
    client.release();
  } catch (broken) {
    client.release(broken instanceof Error ? broken : true);
  }
}
