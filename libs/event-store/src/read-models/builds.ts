import type { PoolClient } from 'pg';
import { type Queries, run } from '../query';
import type { ReadModel } from './read-model';

/** One set of a read model's tables: the one that is read, or the next one while it is being built. */
export interface Build {
  name: string;
  build: 'live' | 'next';
  /** Of the read model; undefined while the build was only asked for. */
  version: number | undefined;
  /** Every event up to here is in its tables. */
  position: bigint;
  /** How many events were applied. */
  events: number;
  askedBy: string;
  /** Tells it from builds of other times; undefined while it was only asked for. */
  id: string | undefined;
}

/** Both builds of a read model, as far as there are such. */
export interface Builds {
  live: Build | undefined;
  next: Build | undefined;
}

/** The schemas of a read model. The old one is what was live before; it goes away as soon as nobody reads it. */
export const schemasOf = (name: string): { live: string; next: string; old: string } => {
  if (!/^[a-z_]{1,50}$/.test(name)) throw new Error(`${name} is no name for a read model`);
  return { live: `"${name}"`, next: `"${name}_next"`, old: `"${name}_old"` };
};

/** Reads the builds of a read model. */
export async function buildsOf(db: Queries, name: string): Promise<Builds> {
  const { rows } = await run<BuildRow>(db, 'refrain-builds', 'select * from read_model where name = $1', [name]);
  const builds = rows.map((row): Build => ({
    name: row.name,
    build: row.build,
    version: row.version ?? undefined,
    position: BigInt(row.position),
    events: Number(row.events),
    askedBy: row.asked_by,
    id: row.id ?? undefined,
  }));
  return { live: builds.find((b) => b.build === 'live'), next: builds.find((b) => b.build === 'next') };
}

/** Asks for a build; one that was asked for already, or is under way, is joined. */
export async function askForBuild(db: Queries, name: string, by: string): Promise<void> {
  await run(db, 'refrain-ask-build', ASK, [name, by]);
}

/** Makes empty tables for the next build, in the caller's transaction; those of a build that was begun are dropped. */
export async function beginBuild(tx: PoolClient, model: ReadModel): Promise<void> {
  const { next } = schemasOf(model.name);
  await run(tx, 'refrain-begin-build', BEGIN, [model.name, model.version]);
  await tx.query(`drop schema if exists ${next} cascade`);
  await tx.query(`create schema ${next}`);
  await tx.query(`set local search_path to ${next}, public`);
  for (const table of model.tables) await tx.query(table);
}

/**
 * Notes how far a build has come, in the transaction that brings it there; resolves to false where someone else was
 * quicker and nothing may be written.
 */
export async function notePosition(tx: Queries, build: Build, position: bigint, events: number): Promise<boolean> {
  const { rowCount } = await run(tx, 'refrain-note-position', NOTE, [
    build.name,
    build.build,
    String(build.position),
    build.id,
    String(position),
    events,
  ]);
  return rowCount === 1;
}

/**
 * Makes the next build the live one, in the caller's transaction. Schemas change their names, which locks no table:
 * readers have the old tables until the commit, and the new ones from then on.
 */
export async function switchBuilds(tx: PoolClient, name: string, hasLive: boolean): Promise<void> {
  const { live, next, old } = schemasOf(name);
  if (hasLive) await tx.query(`alter schema ${live} rename to ${old}`);
  await tx.query(`alter schema ${next} rename to ${live}`);
  await run(tx, 'refrain-drop-live', `delete from read_model where name = $1 and build = 'live'`, [name]);
  await run(tx, 'refrain-next-is-live', `update read_model set build = 'live' where name = $1`, [name]);
}

/** Drops what was live before. Gives up soon where somebody still reads it; to be tried again then. */
export async function dropOldBuild(tx: PoolClient, name: string): Promise<void> {
  await tx.query(`set local lock_timeout = '1s'`);
  await tx.query(`drop schema if exists ${schemasOf(name).old} cascade`);
}

interface BuildRow {
  name: string;
  build: 'live' | 'next';
  version: number | null;
  position: string;
  events: string;
  asked_by: string;
  id: string | null;
}

const ASK = `insert into read_model (name, build, asked_by) values ($1, 'next', $2) on conflict do nothing`;

const BEGIN = `
  update read_model set version = $2, position = 0, events = 0, id = gen_random_uuid()
  where name = $1 and build = 'next'`;

const NOTE = `
  update read_model set position = $5::bigint, events = events + $6::int
  where name = $1 and build = $2 and position = $3::bigint and id = $4`;
