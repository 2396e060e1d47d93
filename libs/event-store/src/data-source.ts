import type { DataSource } from 'typeorm';
import { Initial1795219200000 } from './migrations/1795219200000-initial';
import { Replay1795305600000 } from './migrations/1795305600000-replay';
import { Gates1795392000000 } from './migrations/1795392000000-gates';
import { Replicas1795478400000 } from './migrations/1795478400000-replicas';
import { ReadModels1795564800000 } from './migrations/1795564800000-read-models';
import { Keeping1795651200000 } from './migrations/1795651200000-keeping';
import { ReplayPlans1795737600000 } from './migrations/1795737600000-replay-plans';
import { DeadLetters1795824000000 } from './migrations/1795824000000-dead-letters';
import { Writing1795910400000 } from './migrations/1795910400000-writing';
import { Spool1795996800000 } from './migrations/1795996800000-spool';
import { Order1796083200000 } from './migrations/1796083200000-order';
import { Recipes1796169600000 } from './migrations/1796169600000-recipes';
import { Previews1796256000000 } from './migrations/1796256000000-previews';
import { RecipeCases1796342400000 } from './migrations/1796342400000-recipe-cases';
import { Batches1796428800000 } from './migrations/1796428800000-batches';
import { Installations1796515200000 } from './migrations/1796515200000-installations';
import { Probing1796601600000 } from './migrations/1796601600000-probing';
import { Budgets1796688000000 } from './migrations/1796688000000-budgets';
import { SealedCalls1796774400000 } from './migrations/1796774400000-sealed-calls';
import { CheaperClaims1796860800000 } from './migrations/1796860800000-cheaper-claims';
import { Jobs1796947200000 } from './migrations/1796947200000-jobs';
import { JobBudgets1797033600000 } from './migrations/1797033600000-job-budgets';
import { ForgottenQuestions1797120000000 } from './migrations/1797120000000-forgotten-questions';

/**
 * TypeORM's view of the store, for its migrations; everything else speaks to `pg` directly. Loaded only here: a process
 * that migrates nothing has no use for its 30 MiB.
 */
async function storeDataSource(databaseUrl: string): Promise<DataSource> {
  const { DataSource } = await import('typeorm');
  return new DataSource({
    type: 'postgres',
    url: databaseUrl,
    entities: [],
    migrations: [
      Initial1795219200000,
      Replay1795305600000,
      Gates1795392000000,
      Replicas1795478400000,
      ReadModels1795564800000,
      Keeping1795651200000,
      ReplayPlans1795737600000,
      DeadLetters1795824000000,
      Writing1795910400000,
      Spool1795996800000,
      Order1796083200000,
      Recipes1796169600000,
      Previews1796256000000,
      RecipeCases1796342400000,
      Batches1796428800000,
      Installations1796515200000,
      Probing1796601600000,
      Budgets1796688000000,
      SealedCalls1796774400000,
      CheaperClaims1796860800000,
      Jobs1796947200000,
      JobBudgets1797033600000,
      ForgottenQuestions1797120000000,
    ],
    migrationsTableName: 'migration',
    migrationsTransactionMode: 'all',
  });
}

// Any constant does, as long as every migrator takes the same one.
const MIGRATION_LOCK = 7_266_741;

/** The names of the migrations that a database still lacks, in their order; changes nothing. Rejects where none answers. */
export async function pendingMigrations(databaseUrl: string): Promise<string[]> {
  const source = await (await storeDataSource(databaseUrl)).initialize();
  try {
    const isThere = await source.query<{ name: string | null }[]>(`select to_regclass('migration')::text as name`);
    const applied = isThere[0]?.name ? await source.query<{ name: string }[]>('select name from migration') : [];
    const known = new Set(applied.map(({ name }) => name));
    return source.migrations
      .map((migration) => migration.name ?? migration.constructor.name)
      .filter((name) => !known.has(name));
  } finally {
    await source.destroy();
  }
}

/** Brings the schema up to date, all or nothing; several at once wait for each other. Returns the names it applied. */
export async function migrate(databaseUrl: string): Promise<string[]> {
  const source = await (await storeDataSource(databaseUrl)).initialize();
  try {
    const runner = source.createQueryRunner();
    await runner.query('select pg_advisory_lock($1)', [MIGRATION_LOCK]);
    try {
      return (await source.runMigrations()).map((migration) => migration.name);
    } finally {
      await runner.query('select pg_advisory_unlock($1)', [MIGRATION_LOCK]);
      await runner.release();
    }
  } finally {
    await source.destroy();
  }
}
