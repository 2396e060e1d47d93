#!/usr/bin/env node
import { CommanderError } from 'commander';
import { ConfigError } from '#libs/platform';
import { RecipeFault } from '#libs/recipes';
import { UsageError } from './output';
import { createProgram } from './program';

/** Exit status: 0 done, 1 failed, 2 wrong usage. */
async function main(): Promise<number> {
  try {
    await createProgram().parseAsync();
    return Number(process.exitCode ?? 0);
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
    process.stderr.write(`refrain: ${sentence(error)}\n`);
    return error instanceof UsageError ? 2 : 1;
  }
}

// A vendor SDK's message can hold bodies and headers; its first line says enough.
const sentence = (error: unknown): string =>
  error instanceof ConfigError || error instanceof RecipeFault
    ? error.message
    : error instanceof Error
      ? (error.message.split('\n')[0] ?? error.name)
      : String(error);

void main().then((status) => process.exit(status));
