import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Ajv } from 'ajv';
import { parse } from 'yaml';
import { askFolder, readRecipe, readRows } from '#libs/recipes';

const root = join(__dirname, '..');
const page = readFileSync(join(root, 'docs/how-to/ask-a-language-model.md'), 'utf8');
const [ask = '', recipe = '', rows = ''] = [...page.matchAll(/```yaml\n(.*?)```/gs)].map(([, yaml = '']) => yaml);
const folder = mkdtempSync(join(tmpdir(), 'guide-'));
afterAll(() => {
  rmSync(folder, { recursive: true });
});

it('the ask, the recipe and the rows that the guide shows are read', () => {
  writeFileSync(join(folder, 'grade@1.yaml'), ask);
  const asks = askFolder(folder);
  const read = asks.get('grade@1');
  if (!read || 'faults' in read) throw new Error(read?.faults.join('\n'));
  expect(readRecipe(recipe, 'ask-a-language-model.md', undefined, { asks })).toMatchObject({
    recipe: { id: 'graded', steps: [{}, { use: 'grade@1' }, {}, {}] },
  });
  expect(readRows(rows, 'grade.rows.yaml', read.ask)).toMatchObject({ rows: [{}, {}] });
});

it.each([
  ['ask', ask],
  ['recipe', recipe],
  ['ask-rows', rows],
])('what it shows fits the schema of %s that it gives to editors', (name, text) => {
  expect(text).toContain(`# yaml-language-server: $schema=../docs/reference/${name}.schema.json`);
  const schema = JSON.parse(readFileSync(join(root, `docs/reference/${name}.schema.json`), 'utf8')) as object;
  const fits = new Ajv({ strict: false, validateFormats: false }).compile(schema);
  expect([fits(parse(text)), fits.errors ?? []]).toEqual([true, []]);
});
