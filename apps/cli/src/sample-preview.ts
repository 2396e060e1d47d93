import { existsSync, readFileSync } from 'node:fs';
import {
  compareCases,
  elsewhere,
  isSame,
  liveIn,
  readRecipe,
  readTogether,
  type Recipe,
  RecipeFault,
  type Sample,
  tablesInCases,
} from '#libs/recipes';
import { UsageError } from './output';
import { recipeFiles } from './recipe-files';
import { referenceIn } from './reference';
import { historiesIn, withRegistry } from './registry';

/** What a recipe would do otherwise than the live one about the cases of a file. */
export interface SamplePreview {
  recipe: string;
  /** The live version; absent where none is. */
  before?: string;
  after: string;
  same: number;
  changed: Sample[];
  /** Cases of which a step is rejected that was not: a value is missing, a condition or an expression fails. */
  newlyRejected: number;
}

/** Compares the recipes of a file or folder with those that are live, about the cases of a file. Nothing is called or kept. */
export async function previewSample(
  path: string,
  { sample, environment, ...folders }: { sample: string; environment: string; tables?: string; asks?: string },
): Promise<SamplePreview[]> {
  if (!existsSync(sample)) throw new UsageError(`there is no file ${sample}`);
  const text = readFileSync(sample, 'utf8');
  const reference = referenceIn(path, folders, tablesInCases(text));
  const { good, faults } = readTogether(recipeFiles(path), environment, reference);
  if (faults.length > 0) throw new RecipeFault(faults);
  const histories = await withRegistry((pool) => historiesIn(pool, environment));
  return good.map(({ recipe }) => {
    const live = liveIn(histories.get(recipe.id) ?? []);
    const before = live && liveRecipe(live, environment);
    const compared = compareCases(before, recipe, text, sample, reference.tables);
    if ('faults' in compared) throw new RecipeFault(compared.faults);
    const changed = compared.samples.filter((one) => !isSame(one));
    return {
      recipe: recipe.id,
      ...(live ? { before: live.version } : {}),
      after: recipe.version,
      same: compared.samples.length - changed.length,
      changed,
      newlyRejected: changed.filter(({ before: was, after }) => rejects(after) && !rejects(was)).length,
    };
  });
}

function liveRecipe({ text, recipe, version }: { text: string; recipe: string; version: string }, environment: string) {
  const read = readRecipe(text, `${recipe} ${version}`, environment, elsewhere);
  return 'recipe' in read ? (read.recipe satisfies Recipe) : undefined;
}

const rejects = (outcomes: Sample['after']): boolean =>
  Object.values(outcomes ?? {}).some(
    (outcome) => typeof outcome === 'object' && outcome !== null && 'rejected' in outcome,
  );

/** A preview of cases as lines for people. */
export const sampleText = ({ recipe, before, after, same, changed, newlyRejected }: SamplePreview): string[] => [
  `${recipe}: ${after} beside ${before ?? 'nothing live'}`,
  `  ${String(same)} cases as now, ${String(changed.length)} otherwise (${String(newlyRejected)} newly rejected)`,
  ...changed.flatMap((one) => [
    `  ${String((one.after ?? one.before)?.['case'])}`,
    `    - ${shown(one.before)}`,
    `    + ${shown(one.after)}`,
  ]),
];

function shown(outcomes: Sample['after']): string {
  const { case: _, ...steps } = outcomes ?? {};
  return (
    Object.entries(steps)
      .map(([step, outcome]) => `${step} ${JSON.stringify(outcome)}`)
      .join(', ') || 'nothing'
  );
}
