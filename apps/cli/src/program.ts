import { Command } from 'commander';
import { version } from '#libs/platform';
import { addAsks } from './commands/asks';
import { addBackfill } from './commands/backfill';
import { addBatches } from './commands/batches';
import { addBudgets } from './commands/budgets';
import { addDlq } from './commands/dlq';
import { addDoctor } from './commands/doctor';
import { addDrift } from './commands/drift';
import { addErase } from './commands/erase';
import { addExplain } from './commands/explain';
import { addInit } from './commands/init';
import { addInstallations } from './commands/installations';
import { addLimits } from './commands/limits';
import { addMigrate } from './commands/migrate';
import { addReasoning } from './commands/reasoning';
import { addRebuild } from './commands/rebuild';
import { addRecipes } from './commands/recipes';
import { addReconcile } from './commands/reconcile';
import { addRecords } from './commands/records';
import { addReplay } from './commands/replay';
import { addTopics } from './commands/topics';

/** `refrain` with all its commands; reads no setting before one of them runs. */
export function createProgram(): Command {
  const program = new Command('refrain')
    .description('operate a Refrain hub')
    .version(version)
    .exitOverride()
    .enablePositionalOptions()
    .configureHelp({ showGlobalOptions: true });

  addMigrate(program);
  addTopics(program);
  addExplain(program);
  addReplay(program);
  addBackfill(program);
  addReconcile(program);
  addDrift(program);
  addDlq(program);
  addDoctor(program);
  addErase(program);
  addLimits(program);
  addBudgets(program);
  addBatches(program);
  addRecipes(program);
  addAsks(program);
  addRecords(program);
  addReasoning(program);
  addRebuild(program);
  addInit(program);
  addInstallations(program);
  return program;
}
