import type { Command } from 'commander';
import { type AskFile, askNamed, type Asks, type Recipe, stepOfAsk, stepsOf } from '#libs/recipes';
import { askOf, asksIn, asksOption, recipesOver } from '../asks';
import { recipesOption } from '../live-recipes';
import { print } from '../output';
import { addAsksEval } from './asks-eval';

interface Options {
  asks?: string;
  recipes?: string;
  json: boolean;
}

/** `refrain asks`: the asks that stand in files, who uses them, and how well they are answered. */
export function addAsks(program: Command): void {
  const asks = program
    .command('asks')
    .description('questions to a language model that stand in files of their own: list them, show one, try one');
  looking(
    asks
      .command('ls', { isDefault: true })
      .description('list them with versions, models and the recipes that use them'),
  ).action(ls);
  looking(
    asks.command('show <ask>').description('show one, by its name (the newest version) or as name@version'),
  ).action(show);
  addAsksEval(asks);
}

const looking = (command: Command): Command =>
  command.addOption(asksOption()).addOption(recipesOption()).option('--json', 'print as JSON', false);

/** One version of an ask, and the recipes that use it. */
interface Listed {
  ask: string;
  description: string;
  model: string;
  recipes: string[];
}

async function ls({ asks: folder, recipes: path, json }: Options): Promise<void> {
  const asks = asksIn(folder);
  const live = await recipesOver(asks, path);
  const faults: string[] = [];
  const listed = asks.names().flatMap((name): Listed[] => {
    const read = asks.get(name);
    if (!read || 'faults' in read) {
      faults.push(...(read?.faults ?? []));
      return [];
    }
    const { ask, description, model } = read.ask;
    return [{ ask, description, model, recipes: usersOf(ask, live.recipes) }];
  });
  tell([...faults, ...live.faults]);
  const lines = [...Map.groupBy(listed, ({ ask }) => askNamed(ask).name)].flatMap(([name, versions]) => [
    name,
    ...versions.map(({ ask, model, recipes }) => `  @${String(askNamed(ask).version)}  ${model}  ${used(recipes)}`),
  ]);
  print(json, { asks: listed, faults }, lines.join('\n') || `There is no ask in ${asks.where}.`);
  if (faults.length > 0) process.exitCode = 1;
}

const used = (recipes: readonly string[]): string =>
  recipes.length > 0 ? `used by ${recipes.join(', ')}` : 'not used';

const usersOf = (ask: string, recipes: readonly Recipe[]): string[] =>
  recipes.filter((recipe) => stepsOf(recipe, 'ask').some(({ use }) => use === ask)).map(({ id }) => id);

function tell(faults: readonly string[]): void {
  if (faults.length > 0) process.stderr.write(`${faults.join('\n')}\n`);
}

async function show(named: string, { asks: folder, recipes: path, json }: Options): Promise<void> {
  const asks = asksIn(folder);
  const ask = askOf(asks, named);
  const live = await recipesOver(asks, path);
  tell(live.faults);
  const recipes = usersOf(ask.ask, live.recipes);
  const told = stepOfAsk(ask, {}).instruction;
  print(json, { ...ask, recipes, versions: versionsOf(asks, ask), told }, linesOf(ask, recipes, told).join('\n'));
}

const versionsOf = (asks: Asks, { ask }: AskFile): string[] =>
  asks.names().filter((one) => askNamed(one).name === askNamed(ask).name);

function linesOf(ask: AskFile, recipes: readonly string[], told: string): string[] {
  const { properties, notes, facts, mask = {}, thresholds = {}, supported = [], unsupported = 'leave-out' } = ask;
  return [
    `${ask.ask}: ${ask.description}`,
    `  model       ${ask.model}${ask.effort === undefined ? '' : `, effort ${ask.effort}`}`,
    `  told        ${[...properties, ...(notes > 0 ? [`${String(notes)} notes`] : [])].join(', ')}`,
    ...Object.entries(facts).map(([name, is]) => `  fact        ${name}: ${is}`),
    ...Object.entries(mask).map(([name, masks]) => `  hidden      ${masks.join(', ')} in ${name}`),
    ...Object.entries(ask.answer.properties).map(
      ([field, schema]) => `  answer      ${field}: ${JSON.stringify(schema)}`,
    ),
    ...(supported.length > 0 ? [`  supported   ${supported.join(', ')}; else ${unsupported}`] : []),
    ...Object.entries(thresholds).map(([name, value]) => `  threshold   ${name}: ${String(value)}`),
    `  ${used(recipes)}`,
    '',
    told,
  ];
}
