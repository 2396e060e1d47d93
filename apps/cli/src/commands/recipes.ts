import type { Command } from 'commander';
import { approval, refusal } from '#libs/recipes';
import { environmentName, environmentOption } from '../environment';
import { byOption } from '../operator';
import { addFields } from './recipes-fields';
import { asksOption, tablesOption } from '../reference';
import { diff, history, ls } from './recipes-look';
import { addPreview } from './recipes-preview';
import { change, promote, publish, rollback, type Said, withdraw } from './recipes-publish';
import { addRecipesTest } from './recipes-test';

function addPublish(recipes: Command): void {
  saying(
    inEnvironment(
      recipes
        .command('publish <path>')
        .description(
          'make the recipes of a file or folder live; nothing of it where one of them has a fault, or HeyGen’s template (asked by HEYGEN_API_KEY) other variables than it is given',
        )
        .addOption(tablesOption())
        .addOption(asksOption())
        .option('--any-template', 'also where a template is not there, or has other variables', false),
    ),
  ).action(publish);
}

/** `refrain recipes`: what is live where, who made it so, and how it becomes something else. */
export function addRecipes(program: Command): void {
  const recipes = program
    .command('recipes')
    .description(
      'publish recipes to environments, and see what is live there; running services take it up by themselves',
    );
  addRecipesTest(recipes);
  inEnvironment(recipes.command('ls').description('list what is live and what waits for approval')).action(ls);
  inEnvironment(recipes.command('history [id]').description('list who published what, why and when')).action(history);
  inEnvironment(
    recipes
      .command('diff <file-or-id>')
      .description(
        'compare a file with what is live, or two versions, and say what that does to what is sent and written',
      ),
  )
    .option('--from <version>', 'of a recipe that is named by its id: the former version; what is live unless said')
    .option('--to <version>', 'of a recipe that is named by its id: the later version; what is live unless said')
    .addOption(tablesOption())
    .addOption(asksOption())
    .action(diff);
  addPreview(recipes);
  addFields(recipes);
  addPublish(recipes);
  saying(recipes.command('promote <id>').description('make the very version live that is live in another environment'))
    .requiredOption('--from <environment>', 'where it is live', environmentName)
    .requiredOption('--to <environment>', 'where it is to be live', environmentName)
    .action(promote);
  saying(
    inEnvironment(recipes.command('rollback <id>').description('make a version live again that was live there before')),
  )
    .option('--to <version>', 'which one; the one before the live one unless said')
    .action(rollback);
  saying(
    inEnvironment(recipes.command('withdraw <id>').description('take a recipe out: no change sets it off any more')),
  ).action(withdraw);
  inEnvironment(
    recipes.command('approve <id>').description("make a waiting version live, as its author's second person"),
  )
    .requiredOption('--version <version>', 'the version that waits')
    .addOption(byOption())
    .action((id: string, { environment, version, by, json }: Said & { version: string }) =>
      change(id, environment, json, (past) => approval(past, id, version, by)),
    );
  inEnvironment(recipes.command('refuse <id>').description('refuse a waiting version; what is live stays'))
    .requiredOption('--version <version>', 'the version that waits')
    .requiredOption('--why <text>', 'why')
    .addOption(byOption())
    .action((id: string, { environment, version, by, why, json }: Said & { version: string }) =>
      change(id, environment, json, (past) => refusal(past, id, version, by, why)),
    );
}

const inEnvironment = (command: Command): Command =>
  command.addOption(environmentOption()).option('--json', 'print as JSON', false);

const saying = (command: Command): Command => {
  command
    .addOption(byOption())
    .requiredOption('--why <text>', 'why, for whoever reads the history')
    .option('--ticket <id>', 'where it was agreed')
    .option('--dry-run', 'only say what would be', false);
  return command.options.some(({ long }) => long === '--json')
    ? command
    : command.option('--json', 'print as JSON', false);
};
