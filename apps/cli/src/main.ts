#!/usr/bin/env node
import { Command, CommanderError } from 'commander';
import { ConfigError, version } from '#libs/platform';
import { addDlq } from './commands/dlq';
import { addInitHubspot } from './commands/init-hubspot';
import { addMigrate } from './commands/migrate';
import { addReplay } from './commands/replay';
import { addTopics } from './commands/topics';
import { UsageError } from './output';

const program = new Command('refrain')
  .description('operate a Refrain hub')
  .version(version)
  .exitOverride()
  .configureHelp({ showGlobalOptions: true });

addMigrate(program);
addTopics(program);
addReplay(program);
addDlq(program);
addInitHubspot(program);

/** Exit status: 0 done, 1 failed, 2 wrong usage. */
async function main(): Promise<number> {
  try {
    await program.parseAsync();
    return Number(process.exitCode ?? 0);
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
    process.stderr.write(`refrain: ${sentence(error)}\n`);
    return error instanceof UsageError ? 2 : 1;
  }
}

// A vendor SDK's message can hold bodies and headers; its first line says enough.
const sentence = (error: unknown): string =>
  error instanceof ConfigError
    ? error.message
    : error instanceof Error
      ? (error.message.split('\n')[0] ?? error.name)
      : String(error);

void main().then((status) => process.exit(status));
