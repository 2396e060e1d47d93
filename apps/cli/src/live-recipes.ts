import { ConfigError, loadConfig } from '#libs/platform';
import { type Asks, elsewhere, liveIn, readTogether, type Recipe } from '#libs/recipes';
import { Option } from 'commander';
import { recipesConfig } from './cli.config';
import { recipeFiles } from './recipe-files';
import { asksFor } from './reference';
import { historiesIn } from './registry';
import { withStore } from './store';

/** The recipes that run somewhere, and why others that should do so cannot be read. */
export interface LiveRecipes {
  recipes: Recipe[];
  faults: string[];
}

/** The recipes that a command is about, where they are not those that are live. */
export const recipesOption = (): Option =>
  new Option(
    '--recipes <path>',
    'the recipes of this file or folder, instead of those of RECIPES_DIR or what is published in RECIPES_ENVIRONMENT',
  );

/** The recipes that the services take: those of a path, of RECIPES_DIR, or published ones. Whatever they refer to is taken to be there. */
export function liveRecipes(path?: string, asks?: Asks): Promise<LiveRecipes> {
  const { RECIPES_DIR, RECIPES_ENVIRONMENT, ASKS_DIR } = loadConfig(recipesConfig, process.env);
  const folder = path ?? RECIPES_DIR;
  if (folder === undefined) return publishedRecipes(RECIPES_ENVIRONMENT);
  return Promise.resolve(readAll(recipeFiles(folder), RECIPES_ENVIRONMENT, asks ?? asksFor(folder, ASKS_DIR)));
}

/** The same, and none where neither the settings nor a path say which. */
export async function recipesIfKnown(path?: string): Promise<LiveRecipes> {
  try {
    return await liveRecipes(path);
  } catch (error) {
    if (path === undefined && error instanceof ConfigError) return { recipes: [], faults: [] };
    throw error;
  }
}

/** The recipes that are published in an environment. */
export async function publishedRecipes(environment: string): Promise<LiveRecipes> {
  const histories = await withStore((pool) => historiesIn(pool, environment));
  const texts = [...histories.values()].flatMap((history) => {
    const live = liveIn(history);
    return live ? [{ file: live.recipe, text: live.text }] : [];
  });
  return readAll(texts, environment);
}

function readAll(files: readonly { file: string; text: string }[], environment: string, asks?: Asks): LiveRecipes {
  const { good, faults } = readTogether(files, environment, { ...elsewhere, ...(asks ? { asks } : {}) });
  return { recipes: good.map(({ recipe }) => recipe), faults };
}
