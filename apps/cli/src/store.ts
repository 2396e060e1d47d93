import { openPool } from '#libs/event-store';
import { loadConfig } from '#libs/platform';
import { storeConfig } from './cli.config';

/** Opens the event store for one command and closes it whatever happens. */
export async function withStore<T>(work: (pool: ReturnType<typeof openPool>) => Promise<T>): Promise<T> {
  const pool = openPool(loadConfig(storeConfig, process.env).DATABASE_URL, 'refrain-cli', 2);
  try {
    return await work(pool);
  } finally {
    await pool.end();
  }
}
