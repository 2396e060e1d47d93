import { Pool } from 'pg';

export type { Pool } from 'pg';

/**
 * Opens a pool of connections to the primary. Transactions are bounded in time (protocol 20): the server ends one that
 * idles or runs too long, so a stuck process never holds back the others. One connection is for the replica's session.
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
  });
  // An idle connection that the server closes is replaced at the next use; without a listener it would end the process.
  pool.on('error', () => undefined);
  // The same for one that is cut while somebody has it in hand: their query rejects, which says all there is to say.
  pool.on('connect', (client) => client.on('error', () => undefined));
  return pool;
}

/** Resolves when the database answers; rejects otherwise. For readiness. */
export async function checkStore(pool: Pool): Promise<void> {
  await pool.query('select 1');
}
