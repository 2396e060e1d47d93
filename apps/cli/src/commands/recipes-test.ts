import { readdirSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Command } from 'commander';
import {
  CASES,
  type CaseResult,
  readTogether,
  type Recipe,
  type Reference,
  runCases,
  tablesInCases,
} from '#libs/recipes';
import { print } from '../output';
import { casesBeside, casesNames, recipeFiles } from '../recipe-files';
import { asksOption, referenceIn, tablesOption } from '../reference';

const example = `
Example, as a step of your own CI; it fails where a recipe does something else than its cases say:

  npx refrain recipes test recipes --require-cases
`;

/** `refrain recipes test`: what recipes do in the cases beside them. Needs no settings; nobody is called. */
export function addRecipesTest(recipes: Command): void {
  recipes
    .command('test [path]')
    .description(
      'run the cases (*.cases.yaml) beside the recipes of a file or folder ("recipes" unless said); needs no broker, ' +
        'no database and no settings',
    )
    .option('--environment <name>', 'whose values the recipes have; those of default unless said')
    .addOption(tablesOption())
    .addOption(asksOption())
    .option('--require-cases', 'fail where a recipe has no cases', false)
    .option('--json', 'print as JSON', false)
    .addHelpText('after', example)
    .action(test);
}

interface Options {
  environment?: string;
  tables?: string;
  asks?: string;
  requireCases: boolean;
  json: boolean;
}

/** What came of one recipe's cases; `cases` is the file that they stand in. */
interface Tested {
  recipe: string;
  file: string;
  cases?: string;
  results: CaseResult[];
}

function test(path = 'recipes', { environment, requireCases, json, ...folders }: Options): void {
  const files = recipeFiles(path);
  const reference = referenceIn(path, folders, files.flatMap(tablesInCasesOf));
  const { good, faults } = readTogether(files, environment, reference);
  const tested: Tested[] = [];
  for (const { recipe, file } of good) {
    const run = testOf(recipe, file, reference);
    if ('faults' in run) faults.push(...run.faults);
    else tested.push(run);
  }
  faults.push(...orphans(path, files));
  const bare = tested.flatMap(({ file, cases }) => (cases === undefined ? [file] : []));
  const differing = tested.filter(({ results }) => results.some(differs));
  const passed = faults.length + differing.length + (requireCases ? bare.length : 0) === 0;

  const warnings = bare.map(
    (file) => `${requireCases ? '' : 'warning: '}${file}:1:1: has no cases (${casesNames(file)[0]})`,
  );
  const told = [...faults, ...warnings];
  if (told.length > 0) process.stderr.write(`${told.join('\n')}\n`);
  const lines = tested.flatMap(linesOf);
  if (json || lines.length > 0)
    print(json, { passed, recipes: tested.map(shown), withoutCases: bare, faults }, lines.join('\n'));
  if (!passed) process.exitCode = 1;
}

/** Tables that cases give need no folder. */
const tablesInCasesOf = ({ file }: { file: string }): string[] => tablesInCases(casesBeside(file)?.text ?? '');

function testOf(recipe: Recipe, file: string, { tables }: Reference): Tested | { faults: string[] } {
  const cases = casesBeside(file);
  if (!cases) return { recipe: recipe.id, file, results: [] };
  const run = runCases(recipe, cases.text, cases.file, tables);
  return 'faults' in run ? run : { recipe: recipe.id, file, cases: cases.file, results: run.results };
}

/** Cases that would never run, such as those of a recipe that was called otherwise since. */
function orphans(path: string, recipes: readonly { file: string }[]): string[] {
  if (!statSync(path).isDirectory()) return [];
  return readdirSync(path)
    .filter((name) => CASES.test(name))
    .map((name) => join(path, name))
    .filter((cases) => !recipes.some(({ file }) => casesNames(file).includes(cases)))
    .map((cases) => `${cases}:1:1: there is no recipe of that name in ${dirname(cases)}`);
}

const differs = (result: CaseResult): boolean => result.differs.length > 0;

const shown = ({ results, ...tested }: Tested) => ({
  ...tested,
  passed: results.filter((result) => !differs(result)).length,
  failed: results.filter(differs),
});

function linesOf({ recipe, cases, results }: Tested): string[] {
  if (cases === undefined) return [`${recipe}: no cases`];
  const failed = results.filter(differs);
  const passed = results.length - failed.length;
  return [
    `${recipe}: ${String(passed)} of ${String(results.length)} cases pass`,
    ...failed.flatMap(({ at, name, differs: steps }) => [`  ${at}: ${name}`, ...steps.flatMap(stepLines)]),
  ];
}

function stepLines({ step, expected, came, why }: CaseResult['differs'][number]): string[] {
  const [wanted, is] = [valuesOf(expected), valuesOf(came)];
  const lines = [...new Set([...wanted.keys(), ...is.keys()])].flatMap((name) => {
    const [before, after] = [wanted.get(name), is.get(name)];
    if (before === after) return [];
    return [...sided('- expected', name, before), ...sided('+ came    ', name, after)];
  });
  return [`    step ${step}`, ...lines.map((line) => `      ${line}`), ...(why === undefined ? [] : [`      ${why}`])];
}

const sided = (side: string, name: string, value: string | undefined): string[] =>
  value === undefined ? [] : [`${side} ${name}${value}`];

/** Every value by its path, such as `properties.lead_score`; of a step that is not come to, that it is not. */
function valuesOf(value: unknown, path = ''): Map<string, string> {
  if (value === undefined) return new Map([['nothing', '']]);
  if (typeof value !== 'object' || value === null) return new Map([[path, `: ${JSON.stringify(value)}`]]);
  const inner = Object.entries(value).filter(([, each]) => each !== undefined);
  if (inner.length === 0) return path === '' ? new Map<string, string>() : new Map([[path, ': none']]);
  return new Map(inner.flatMap(([name, each]) => [...valuesOf(each, path === '' ? name : `${path}.${name}`)]));
}
