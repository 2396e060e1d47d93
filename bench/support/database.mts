import { randomBytes } from 'node:crypto';
import pg from 'pg';
import { migrate } from '#libs/event-store';

/** Makes a migrated database of its own beside the one that was given; `drop` removes it. */
export async function freshDatabase(
  given: string,
  migrated = true,
): Promise<{ url: string; drop: () => Promise<void> }> {
  const name = `bench_${randomBytes(6).toString('hex')}`;
  const admin = async (statement: string) => {
    const client = new pg.Client({ connectionString: given });
    await client.connect();
    await client.query(statement);
    await client.end();
  };
  await admin(`create database ${name}`);
  const url = new URL(given);
  url.pathname = `/${name}`;
  if (migrated) await migrate(url.href);
  return { url: url.href, drop: () => admin(`drop database ${name} with (force)`) };
}
