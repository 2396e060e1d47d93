import { existsSync } from 'node:fs';
import { Option } from 'commander';
import { ConfigError, loadConfig } from '#libs/platform';
import { askFolder, type AskFile, askNamed, type Asks, asksBeside, RecipeFault } from '#libs/recipes';
import { recipesConfig } from './cli.config';
import { type LiveRecipes, liveRecipes } from './live-recipes';
import { UsageError } from './output';

/** Where recipes stand unless a setting says. */
const RECIPES = 'recipes';

/** The folder of the asks that a command is about. */
export const asksOption = (): Option =>
  new Option(
    '--asks <folder>',
    'the asks that recipes use; those of ASKS_DIR, or of `asks` beside RECIPES_DIR, unless said',
  );

/** The asks of a folder, or those that the services have by their settings. Throws {@link UsageError} where there is no folder. */
export function asksIn(folder: string | undefined): Asks {
  const { ASKS_DIR, RECIPES_DIR = RECIPES } = loadConfig(recipesConfig, process.env);
  const named = folder ?? ASKS_DIR ?? asksBeside(RECIPES_DIR);
  if (!existsSync(named)) throw new UsageError(`there is no folder ${named}: name that of the asks by --asks`);
  return askFolder(named);
}

/** The ask of a name, of its newest version unless one is named. Throws {@link UsageError} or a RecipeFault where it cannot be. */
export function askOf(asks: Asks, named: string): AskFile {
  const { name, version } = askNamed(named);
  const versions = asks.names().filter((one) => askNamed(one).name === name && one.includes('@'));
  const wanted = version === undefined ? versions.at(-1) : versions.find((one) => one === named);
  if (wanted === undefined) {
    const there = (versions.length > 0 ? versions : asks.names()).join(', ') || 'none';
    throw new UsageError(`there is no ask ${named} in ${asks.where}; there are: ${there}`);
  }
  const read = asks.get(wanted);
  if (!read || 'faults' in read) throw new RecipeFault(read?.faults ?? []);
  return read.ask;
}

/** The recipes that may use asks: those that the services take, or, where no setting says which, those of `recipes`. */
export async function recipesOver(asks: Asks, path: string | undefined): Promise<LiveRecipes> {
  try {
    return await liveRecipes(path, asks);
  } catch (error) {
    if (path !== undefined || !(error instanceof ConfigError)) throw error;
    return existsSync(RECIPES) ? liveRecipes(RECIPES, asks) : { recipes: [], faults: [] };
  }
}
