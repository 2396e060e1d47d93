import type { Command } from 'commander';
import { migrate } from '#libs/event-store';
import { loadConfig } from '#libs/platform';
import { storeConfig } from '../cli.config';
import { print } from '../output';

/** `refrain migrate`: brings the event store's schema up to date. */
export function addMigrate(program: Command): void {
  program
    .command('migrate')
    .description("bring the event store's schema up to date; several at once wait for each other")
    .option('--json', 'print the applied migrations as JSON', false)
    .action(async ({ json }: { json: boolean }) => {
      const { DATABASE_URL } = loadConfig(storeConfig, process.env);
      const applied = await migrate(DATABASE_URL);
      print(json, { applied }, applied.length === 0 ? 'The schema is up to date.' : `Applied ${applied.join(', ')}.`);
    });
}
