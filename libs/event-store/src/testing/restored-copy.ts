import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync, readdirSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { Client } from 'pg';
import { migrate } from '../data-source';

/** A way to copy a database into a new one beside it; resolves to the new one's address. */
export interface Copying {
  how: string;
  copy(url: string, schemas: Record<string, readonly string[]>): Promise<string>;
}

/**
 * By `pg_dump` and `pg_restore` where they are as new as the server, found as scripts/infra finds it; else, since the
 * packaged Postgres comes without them, row by row into a migrated database with its sequences set. Either way every row
 * is written by a new transaction. `schemas` are the tables that no migration makes.
 */
export async function restoring(url: string): Promise<Copying> {
  const client = new Client({ connectionString: url });
  await client.connect();
  const { rows } = await client.query<{ version: string }>(`select current_setting('server_version_num') as version`);
  await client.end();
  const major = Math.floor(Number(rows[0]?.version) / 10_000);
  const parent = '/usr/lib/postgresql';
  const versions = existsSync(parent) ? readdirSync(parent).filter((version) => Number(version) >= major) : [];
  const onPath = (process.env['PATH'] ?? '').split(delimiter).filter((folder) => folder.includes(String(major)));
  const folder = [...versions.map((version) => join(parent, version, 'bin')), ...onPath].find((each) =>
    ['pg_dump', 'pg_restore'].every((program) => existsSync(join(each, program))),
  );
  return folder === undefined
    ? { how: 'row by row', copy: copyRows }
    : { how: 'pg_dump and pg_restore', copy: (from) => dumpAndRestore(from, folder) };
}

async function newDatabase(url: string): Promise<string> {
  const copy = new URL(url);
  copy.pathname = `/test_${randomBytes(6).toString('hex')}`;
  const admin = new Client({ connectionString: url });
  await admin.connect();
  await admin.query(`create database ${copy.pathname.slice(1)}`).finally(() => admin.end());
  return copy.href;
}

async function dumpAndRestore(url: string, folder: string): Promise<string> {
  const copy = await newDatabase(url);
  const dump = spawn(join(folder, 'pg_dump'), ['--format=custom', '--dbname', url], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const restore = spawn(join(folder, 'pg_restore'), ['--exit-on-error', '--dbname', copy], {
    stdio: ['pipe', 'inherit', 'inherit'],
  });
  dump.stdout.pipe(restore.stdin);
  const ends = [dump, restore].map(
    (child) =>
      new Promise<void>((resolve, reject) => {
        child.once('error', reject);
        child.once('close', (code) => (code === 0 ? resolve() : reject(new Error(`ended with ${String(code)}`))));
      }),
  );
  await Promise.all(ends);
  return copy;
}

async function copyRows(url: string, schemas: Record<string, readonly string[]>): Promise<string> {
  const copy = await newDatabase(url);
  await migrate(copy);
  const [from, to] = [new Client({ connectionString: url }), new Client({ connectionString: copy })];
  await Promise.all([from.connect(), to.connect()]);
  for (const [schema, tables] of Object.entries(schemas)) {
    await to.query(`create schema ${schema}; set search_path to ${schema}; ${tables.join(';')}; reset search_path`);
  }
  await from.query('begin isolation level repeatable read');
  const { rows: tables } = await from.query<{ name: string }>(
    `select format('%I.%I', schemaname, tablename) as name from pg_tables
     where schemaname = 'public' and tablename not in ('migration', 'clock') and tablename not like 'inbox_%'
       or schemaname = any ($1::text[])`,
    [Object.keys(schemas)],
  );
  for (const { name } of tables) {
    const { rows } = await from.query<{ all: string | null }>(`select json_agg(t)::text as all from ${name} t`);
    await to.query(`delete from ${name}`);
    await to.query(
      `insert into ${name} overriding system value select * from json_populate_recordset(null::${name}, $1::json)`,
      [rows[0]?.all ?? '[]'],
    );
  }
  const { rows: sequences } = await from.query<{ name: string; value: string }>(
    `select format('%I.%I', schemaname, sequencename) as name, last_value as value from pg_sequences
     where last_value is not null`,
  );
  for (const { name, value } of sequences) await to.query('select setval($1::regclass, $2::bigint)', [name, value]);
  await Promise.all([from.end(), to.end()]);
  return copy;
}
