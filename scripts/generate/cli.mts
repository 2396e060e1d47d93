import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Command } from 'commander';
import { root } from '../infra/work-directory.mts';
import { page } from './markdown.mts';

const WIDTH = 100;

/** The help of every command, as `--help` prints it. */
export async function cliPage(): Promise<string> {
  const built = pathToFileURL(join(root, 'dist/apps/cli/src/program.js')).href;
  const { createProgram } = (await import(built)) as { createProgram: () => Command };
  const program = createProgram();
  return page(
    'Command line',
    '`npx refrain <command>`. Every command has `--help`. Exit status: 0 done, 1 failed, 2 wrong usage. Settings are read ' +
      'from the environment, see [settings.md](settings.md).',
    ...commandParts(program, [], program),
  );
}

function commandParts(command: Command, above: string[], program: Command): string[] {
  const path = [...above, command.name()];
  command.configureOutput({ getOutHelpWidth: () => WIDTH, getOutHasColors: () => false });
  const help = ['```text', command.helpInformation().trimEnd(), '```'].join('\n');
  return [`## ${path.join(' ')}`, help, ...command.commands.flatMap((sub) => commandParts(sub, path, program))];
}
