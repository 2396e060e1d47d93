import type { Pool } from 'pg';
import { run } from '../query';
import { askForBuild, type Builds, buildsOf } from './builds';
import { cardsModel } from './cards';
import { LAST_POSITION } from './horizon';
import { linksModel } from './links';
import type { ReadModel } from './read-model';
import { recordsModel } from './records';

/** Every read model that there is. */
export const readModels: readonly ReadModel[] = [recordsModel, cardsModel, linksModel];

/** How a read model stands, and the newest position of all events: what is between is still to be done. */
export interface ReadModelState extends Builds {
  name: string;
  last: bigint;
}

/** Asks for a read model to be made again from all events; one that is under way goes on. A {@link Projector} does it. */
export const requestRebuild = (pool: Pool, name: string, by: string): Promise<void> => askForBuild(pool, name, by);

/** How a read model stands now. */
export async function readModelState(pool: Pool, name: string): Promise<ReadModelState> {
  const { rows } = await run<{ position: string }>(pool, 'refrain-last-position', LAST_POSITION, []);
  return { name, ...(await buildsOf(pool, name)), last: BigInt(rows[0]?.position ?? 0) };
}

/** Age in milliseconds of the oldest transaction that has written and not ended: readers by position wait for it. */
export async function oldestWriterMs(pool: Pool): Promise<number> {
  const { rows } = await run<{ ms: number | null }>(pool, 'refrain-oldest-writer', OLDEST_WRITER, []);
  return rows[0]?.ms ?? 0;
}

const OLDEST_WRITER = `
  select (extract(epoch from clock_timestamp() - min(xact_start)) * 1000)::float8 as ms from pg_stat_activity
  where datname = current_database() and backend_xid is not null`;
