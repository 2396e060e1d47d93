import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { z } from 'zod';
import { askFolder, asksBeside, withWholeAsks } from './asks';
import { compileRecipe } from './compile';
import { loopsOf } from './loops';
import type { Recipe } from './recipe';
import { recipeSchema } from './recipe.schema';
import type { Reference } from './reference';
import { RecipeSource } from './source';

/** Says, with file, line and column, why recipes cannot be used. */
export class RecipeFault extends Error {
  constructor(readonly faults: string[]) {
    super(faults.join('\n'));
    this.name = 'RecipeFault';
  }
}

/** Files beside recipes that say what they should do. */
export const CASES = /\.cases\.ya?ml$/;

/** The environment of a recipe that is read for none: its values are those of `default`. */
const NO_ENVIRONMENT = 'default';

/**
 * Reads all recipes of a folder, all or none; throws one {@link RecipeFault} that names every fault. The asks that they use
 * are those of the reference, else those beside the folder.
 */
export function loadRecipes(folder: string, environment?: string, reference: Reference = {}): Recipe[] {
  const files = readdirSync(folder)
    .filter((file) => /\.ya?ml$/.test(file) && !CASES.test(file))
    .sort();
  return readRecipes(
    files.map((file) => ({ file, text: readFileSync(join(folder, file), 'utf8') })),
    environment,
    { asks: askFolder(asksBeside(folder)), ...reference },
  );
}

/** Reads recipes that are to run together, all or none; throws one {@link RecipeFault} that names every fault. */
export function readRecipes(
  files: readonly { file: string; text: string }[],
  environment?: string,
  reference?: Reference,
): Recipe[] {
  const { good, faults } = readTogether(files, environment, reference);
  if (faults.length > 0) throw new RecipeFault(faults);
  return good.map(({ recipe }) => recipe);
}

/** Reads recipes that are to run together: those that are good by themselves, and every fault of all of them. */
export function readTogether<File extends { file: string; text: string }>(
  files: readonly File[],
  environment?: string,
  reference?: Reference,
): { good: (File & { recipe: Recipe })[]; faults: string[] } {
  const faults: string[] = [];
  const good: (File & { recipe: Recipe })[] = [];
  for (const one of files) {
    const { file, text } = one;
    const read = readRecipe(text, file, environment, reference);
    if ('faults' in read) faults.push(...read.faults);
    else if (good.some(({ recipe }) => recipe.id === read.recipe.id))
      faults.push(`${file}:1:1: recipe ${read.recipe.id} stands in another file too: name one of them otherwise`);
    else good.push({ ...one, recipe: read.recipe });
  }
  const loops = loopsOf(good.map(({ recipe }) => recipe));
  const fileOf = (id: string) => good.find(({ recipe }) => recipe.id === id)?.file ?? id;
  faults.push(...loops.map(({ recipe, says }) => `${fileOf(recipe.id)}:1:1: ${says}`));
  // Of an ask that several of them use, its faults are told once.
  return { good, faults: [...new Set(faults)] };
}

type Issue = z.core.$ZodIssue;

/** Of what has several forms, what is wrong with the one that it is meant to be. */
function told(issue: Issue): Pick<Issue, 'path' | 'message'>[] {
  if (issue.code !== 'invalid_union') return [issue];
  const meant = [isOfKind, knowsAllWords].flatMap((fits) => {
    const kinds = issue.errors.filter(fits);
    return kinds.length === 1 ? kinds : [];
  });
  if (!meant[0]) return [issue];
  return meant[0].flatMap((inner) => told({ ...inner, path: [...issue.path, ...inner.path] }));
}

const isOfKind = (errors: Issue[]): boolean => !errors.some((issue) => issue.path.length <= 1 && isAbsent(issue));

const isAbsent = (issue: Issue): boolean =>
  issue.code === 'invalid_type' ||
  (issue.code === 'invalid_union' &&
    issue.errors.every((errors) => errors.some((one) => one.path.length === 0 && isAbsent(one))));

const knowsAllWords = (errors: Issue[]): boolean =>
  !errors.some(({ code, path }) => code === 'unrecognized_keys' && path.length === 0);

/** Reads one recipe from its text, with the values of an environment and what it may refer to; `file` is named in faults. */
export function readRecipe(
  text: string,
  file: string,
  environment = NO_ENVIRONMENT,
  reference: Reference = {},
): { recipe: Recipe } | { faults: string[] } {
  const source = new RecipeSource(text, file);
  if (source.faults.length > 0) return { faults: source.faults };
  const parsed = recipeSchema.safeParse(source.value);
  if (!parsed.success) {
    return { faults: parsed.error.issues.flatMap(told).map(({ path, message }) => source.fault(path, message)) };
  }
  const whole = withWholeAsks(parsed.data, reference.asks);
  if ('faults' in whole) {
    return { faults: [...whole.ofAsks, ...whole.faults.map(({ path, message }) => source.fault(path, message))] };
  }
  const compiled = compileRecipe(whole.recipe, environment, reference);
  if ('faults' in compiled) {
    return {
      faults: compiled.faults.map(({ path, message, offset }) => source.fault(path, message, offset)),
    };
  }
  // The asks of files count as if they stood here: of a published text, where they do, the version is the same.
  const content = { ...parsed.data, ...(Object.keys(whole.used).length > 0 ? { asks: whole.used } : {}) };
  const version = createHash('sha256').update(JSON.stringify(content)).digest('hex').slice(0, 12);
  return { recipe: { ...compiled.recipe, version } };
}
