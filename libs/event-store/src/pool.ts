import { type ClientBase, Pool } from 'pg';

export type { Pool } from 'pg';

// Every statement here is prepared, short, and finds its rows by an index: its plan must not hang on what the statistics
// happen to say of a table that was empty a minute ago, and is made once. Postgres 17 and newer bound a transaction as a
// whole; an older one bounds each statement and each pause between two.
const SESSION = `select set_config('jit', 'off', false), set_config('enable_seqscan', 'off', false),
  set_config('plan_cache_mode', 'force_generic_plan', false),
  case when current_setting('server_version_num')::int >= 170000 then set_config('transaction_timeout', '60s', false) end`;

/**
 * Opens a pool of connections to the primary. Transactions are bounded in time (protocol 20): the server ends one that
 * idles for 10 s, has a statement of 15 s or, from Postgres 17 on, lasts 60 s, so a stuck process never holds back the
 * others. One connection is for the replica's session.
 */
export function openPool(databaseUrl: string, name: string, max = 9): Pool {
  const pool = new Pool({
    connectionString: databaseUrl,
    application_name: name,
    max,
    connectionTimeoutMillis: 5_000,
    statement_timeout: 15_000,
    idle_in_transaction_session_timeout: 10_000,
    keepAlive: true,
    // The pool waits for it, though its type does not say so.
    onConnect: ((client: ClientBase) => client.query(SESSION)) as (client: ClientBase) => void,
  });
  // An idle connection that the server closes is replaced at the next use; without a listener it would end the process.
  pool.on('error', () => undefined);
  // The same for one that is cut while somebody has it in hand: their query rejects, which says all there is to say.
  pool.on('connect', (client) => client.on('error', () => undefined));
  return pool;
}

const READER = `${SESSION}, set_config('default_transaction_read_only', 'on', false)`;

/**
 * Opens a small pool that only reads, for answers that somebody waits for: a statement ends after `limitMs`, on the server
 * and, where that says nothing, here; a free connection is waited for half as long.
 */
export function openReader(
  databaseUrl: string,
  name: string,
  { max, limitMs }: { max: number; limitMs: number },
): Pool {
  const pool = new Pool({
    connectionString: databaseUrl,
    application_name: name,
    max,
    connectionTimeoutMillis: limitMs / 2,
    statement_timeout: limitMs,
    query_timeout: Math.ceil(limitMs * 1.1),
    keepAlive: true,
    onConnect: ((client: ClientBase) => client.query(READER)) as (client: ClientBase) => void,
  });
  pool.on('error', () => undefined);
  pool.on('connect', (client) => client.on('error', () => undefined));
  return pool;
}

/** Resolves when the database answers; rejects otherwise. For readiness. */
export async function checkStore(pool: Pool): Promise<void> {
  await pool.query('select 1');
}
