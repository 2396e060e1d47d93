import { randomBytes } from 'node:crypto';
import { Client, type Pool } from 'pg';
import { migrate } from '../data-source';
import { openPool } from '../pool';

/** A database of its own for one test file, migrated, and dropped at the end. */
export interface TestDatabase {
  url: string;
  pool: Pool;
  /** Moves the store's clock forward, for leases and due times (protocol 19). */
  moveClock(ms: number): Promise<void>;
  /** Stops the store's clock: from now on only {@link moveClock} moves it, however slow the machine is. */
  stopClock(): Promise<void>;
  drop(): Promise<void>;
}

/** Creates a database beside the one that the test run was given. */
export async function testDatabase(): Promise<TestDatabase> {
  const name = `test_${randomBytes(6).toString('hex')}`;
  const given = process.env['DATABASE_URL'] ?? '';
  await asAdmin(given, `create database ${name}`);
  const url = new URL(given);
  url.pathname = `/${name}`;
  await migrate(url.href);
  const pool = openPool(url.href, 'test');
  return {
    url: url.href,
    pool,
    async moveClock(ms) {
      await pool.query(`update clock set moved_by = moved_by + make_interval(secs => $1::float8 / 1000)`, [ms]);
    },
    async stopClock() {
      await pool.query(`update clock set stopped_at = statement_timestamp()`);
    },
    async drop() {
      await pool.end();
      await asAdmin(given, `drop database ${name} with (force)`);
    },
  };
}

async function asAdmin(url: string, statement: string): Promise<void> {
  const client = new Client({ connectionString: url });
  await client.connect();
  await client.query(statement);
  await client.end();
}
