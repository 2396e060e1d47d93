import type { Pool } from 'pg';
import { sorted } from './errors';

/**
 * Takes or renews leases by the database's clock; resolves to the names that `owner` holds now. A holder that sleeps
 * past its lease may overlap with the next one: what is done under a lease must bear being done twice.
 */
export async function holdLeases(pool: Pool, names: string[], owner: string, forMs: number): Promise<string[]> {
  try {
    const { rows } = await pool.query<{ name: string }>({
      name: 'refrain-lease',
      text: `insert into lease as l (name, owner, until)
             select name, $2, refrain_now() + make_interval(secs => $3::float8 / 1000)
             from unnest($1::text[]) as n (name) order by name
             on conflict (name) do update set owner = excluded.owner, until = excluded.until
               where l.owner = excluded.owner or l.until < refrain_now()
             returning l.name`,
      values: [names, owner, forMs],
    });
    return rows.map((row) => row.name);
  } catch (error) {
    throw sorted(error);
  }
}

/** Gives leases back early, so that another takes over without waiting. Never rejects: they run out by themselves too. */
export async function dropLeases(pool: Pool, names: string[], owner: string): Promise<void> {
  try {
    await pool.query('delete from lease where name = any ($1::text[]) and owner = $2', [names, owner]);
  } catch {
    // The database is away: the leases run out.
  }
}
