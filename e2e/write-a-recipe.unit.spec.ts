import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Ajv } from 'ajv';
import { parse } from 'yaml';
import { readRecipe, type Recipe, runCases, TableFolder } from '#libs/recipes';

const root = join(__dirname, '..');
const page = readFileSync(join(root, 'docs/how-to/write-a-recipe.md'), 'utf8');
const isTable = (block: string): boolean => /^query:/m.test(block);
const blocks = [...page.matchAll(/```yaml\n(.*?)```/gs)]
  .map(([, yaml = '']) => yaml)
  .filter((block) => !isTable(block));
const areCases = (block: string): boolean => /^- case:/m.test(block);

/** The tables that the page names, in a folder of their own. */
const tables = ((): TableFolder => {
  const folder = mkdtempSync(join(tmpdir(), 'tables-'));
  const shown = [...page.matchAll(/`tables\/([\w.-]+)`[^`]*:\n\n```(?:csv|yaml)\n(.*?)```/gs)];
  for (const [, file = '', text = ''] of shown) writeFileSync(join(folder, file), text);
  const lines = { info: () => undefined, warn: () => undefined };
  const opened = TableFolder.open(folder, { lines });
  rmSync(folder, { recursive: true });
  return opened;
})();

/** A block shows what it is about; the rest of a recipe stands around it. */
const whole = (block: string): string =>
  [
    /^recipe:/m.test(block) ? '' : 'recipe: shown\n',
    /^trigger:/m.test(block) ? '' : 'trigger: { object: contact, property: shown }\n',
    block,
    /^steps:/m.test(block) ? '' : 'steps: [{ write: { properties: { shown: x } } }]\n',
  ].join('');

const recipeOf = (block: string): Recipe => {
  const read = readRecipe(whole(block), 'write-a-recipe.md', undefined, { tables });
  if ('faults' in read) throw new Error(`${read.faults.join('\n')}\n${block}`);
  return read.recipe;
};

it('every recipe that the guide shows is read, and does what the cases below it say', () => {
  const read = blocks.filter((block) => !areCases(block)).map(recipeOf);
  expect(read.length).toBeGreaterThan(0);
  const ran = blocks.flatMap((block, i) => {
    if (!areCases(block)) return [];
    const run = runCases(recipeOf(blocks[i - 1] ?? ''), block, 'write-a-recipe.md', tables);
    if ('faults' in run) throw new Error(`${run.faults.join('\n')}\n${block}`);
    return run.results;
  });
  expect(ran.length).toBeGreaterThan(0);
  expect(ran.filter(({ differs }) => differs.length > 0)).toEqual([]);
});

it('the recipe that the guide to other systems shows does what its cases say', () => {
  const guide = readFileSync(join(root, 'docs/how-to/fetch-from-other-systems.md'), 'utf8');
  const [recipe = '', cases = ''] = [...guide.matchAll(/```yml\n(.*?)```/gs)].map(([, yaml = '']) => yaml);
  const run = runCases(recipeOf(recipe), cases, 'fetch-from-other-systems.md');
  if ('faults' in run) throw new Error(run.faults.join('\n'));
  expect(run.results.map(({ differs }) => differs)).toEqual([[], []]);
});

it('the tables that the guide shows are read', () => {
  expect(tables.names()).toEqual(['accounts', 'territories']);
});

it.each(['video', 'ask', 'write', 'task', 'note', 'lists', 'consent', 'sequence', 'upsert', 'assign'])(
  'the guide shows a step with %s',
  (kind) => {
    expect(blocks.some((block) => new RegExp(`^ +(- )?${kind}:( [|>]-)?$`, 'm').test(block))).toBe(true);
  },
);

it('what the guide shows fits the schemas that it gives to editors', () => {
  const named = new Set(blocks.flatMap((block) => /\$schema=\.\.\/(\S+)/.exec(block)?.[1] ?? []));
  expect([...named].sort()).toEqual(['docs/reference/recipe-cases.schema.json', 'docs/reference/recipe.schema.json']);
  const [fitsCases, fitsRecipe] = [...named]
    .sort()
    .map((file) =>
      new Ajv({ strict: false, validateFormats: false }).compile(
        JSON.parse(readFileSync(join(root, file), 'utf8')) as object,
      ),
    );
  for (const block of blocks) {
    const fits = areCases(block) ? fitsCases : fitsRecipe;
    const value: unknown = parse(areCases(block) ? block : whole(block));
    expect([fits?.(value), fits?.errors ?? []]).toEqual([true, []]);
  }
});
