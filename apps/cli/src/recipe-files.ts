import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { CASES } from '#libs/recipes';
import { UsageError } from './output';

/** The recipes of a file or folder, by name; the cases beside them are none. Throws {@link UsageError} where there is none. */
export function recipeFiles(path: string): { file: string; text: string }[] {
  return pathsOf(path).map((file) => ({ file, text: readFileSync(file, 'utf8') }));
}

/** The cases beside a recipe's file; undefined where there are none. */
export function casesBeside(recipe: string): { file: string; text: string } | undefined {
  const file = casesNames(recipe).find((name) => existsSync(name));
  return file === undefined ? undefined : { file, text: readFileSync(file, 'utf8') };
}

/** What a file of cases beside a recipe may be called. */
export const casesNames = (recipe: string): [string, string] => [
  recipe.replace(/\.ya?ml$/, '.cases.yaml'),
  recipe.replace(/\.ya?ml$/, '.cases.yml'),
];

function pathsOf(path: string): string[] {
  if (!existsSync(path)) throw new UsageError(`there is no file or folder ${path}`);
  if (!statSync(path).isDirectory()) {
    if (CASES.test(path)) throw new UsageError(`${path} holds cases: name the recipe beside it, or the folder`);
    return [path];
  }
  const files = readdirSync(path).filter((file) => /\.ya?ml$/.test(file) && !CASES.test(file));
  if (files.length === 0) throw new UsageError(`there is no recipe (*.yaml) in ${path}`);
  return files.sort().map((file) => join(path, file));
}
