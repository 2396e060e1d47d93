import { Client } from 'pg';

/** Longest time for the rows, in milliseconds; the server ends a statement of this length itself. */
const WITHIN_MS = 30_000;

/**
 * Reads the rows of one query from any Postgres database: in a transaction that cannot write, bounded in time and in rows.
 * Rejects where there are more than `most`; its errors name neither the address nor a value.
 */
export async function readForeignRows({
  url,
  query,
  most,
}: {
  url: string;
  query: string;
  most: number;
}): Promise<Record<string, unknown>[]> {
  const client = new Client({
    connectionString: url,
    application_name: 'refrain-tables',
    connectionTimeoutMillis: 10_000,
    query_timeout: WITHIN_MS + 1_000,
  });
  client.on('error', () => undefined);
  try {
    await client.connect();
    await client.query('begin transaction read only');
    await client.query(`set local statement_timeout = ${String(WITHIN_MS)}`);
    // The extended protocol takes one statement: nothing can stand behind it that ends the transaction.
    const declared = { text: `declare refrain_rows no scroll cursor for ${query}`, queryMode: 'extended' };
    await client.query(declared);
    const { rows } = await client.query<Record<string, unknown>>(`fetch forward ${String(most + 1)} from refrain_rows`);
    if (rows.length > most) throw new ForeignRowsRefused(`there are more than ${String(most)} rows`);
    return rows;
  } catch (error) {
    if (error instanceof ForeignRowsRefused) throw error;
    throw new ForeignRowsRefused(`the database gives no rows (${saidBy(error)})`);
  } finally {
    await client.end().catch(() => undefined);
  }
}

/** Why rows of another database are not taken. */
export class ForeignRowsRefused extends Error {
  override readonly name = 'ForeignRowsRefused';
}

/** A code where there is one: the messages of a server may quote values, those of a connection name the address. */
function saidBy(error: unknown): string {
  const { code, message } = error as { code?: string; message?: string };
  // Of a wrong query: what the author wrote is at fault, and no value of a row.
  if (code !== undefined && /^42/.test(code)) return `${code}: ${message ?? ''}`;
  return code ?? 'it does not answer in time';
}
