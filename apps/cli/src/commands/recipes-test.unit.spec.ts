import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { UsageError } from '../output';
import { createProgram } from '../program';

const recipe = `recipe: grade
trigger: { object: contact, property: lead_score, becomes: ['90'] }
steps:
  - when: record.country != null
    write:
      properties: { grade: a, place: "\${record.country}" }
`;
const good = `- case: of a country
  record: { country: DE }
  expect:
    write: { properties: { grade: a, place: DE } }
- case: of none
  expect:
    write: { rejected: not-met }
`;
const bad = good.replace('place: DE', 'place: FR').replace('rejected: not-met', 'properties: { grade: a }');

let folder: string;
let out: string;
let err: string;
const spies: jest.SpyInstance[] = [];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'recipes-test-'));
  out = err = '';
  spies.push(
    jest.spyOn(process.stdout, 'write').mockImplementation((text) => (out += String(text)) !== ''),
    jest.spyOn(process.stderr, 'write').mockImplementation((text) => (err += String(text)) !== ''),
  );
});
afterEach(() => {
  for (const spy of spies.splice(0)) spy.mockRestore();
  process.exitCode = undefined;
  rmSync(folder, { recursive: true });
});

const write = (name: string, text: string): string => {
  writeFileSync(join(folder, name), text);
  return join(folder, name);
};
/** Runs the command without any setting; resolves to its exit status. */
async function test(...args: string[]): Promise<number> {
  const environment = jest.replaceProperty(process, 'env', {});
  try {
    await createProgram().parseAsync(['node', 'refrain', 'recipes', 'test', ...args]);
  } finally {
    environment.restore();
  }
  return Number(process.exitCode ?? 0);
}

it('says how many cases of each recipe pass', async () => {
  const file = write('grade.yaml', recipe);
  write('grade.cases.yaml', good);
  expect(await test(folder)).toBe(0);
  expect(out).toBe('grade: 2 of 2 cases pass\n');
  expect(await test(file)).toBe(0);
  expect(err).toBe('');
});

it('takes the folder "recipes" unless told another, and what ships passes with cases for each', async () => {
  expect(await test('--require-cases')).toBe(0);
  expect(out).toMatch(/^lead-qualified: 5 of 5 cases pass$/m);
});

it('shows line by line what was expected and what came, and why', async () => {
  write('grade.yaml', recipe);
  const cases = write('grade.cases.yaml', bad);
  expect(await test(folder)).toBe(1);
  expect(out).toBe(`grade: 0 of 2 cases pass
  ${cases}:1:9: of a country
    step write
      - expected properties.place: "FR"
      + came     properties.place: "DE"
  ${cases}:5:9: of none
    step write
      - expected properties.grade: "a"
      + came     rejected: "not-met"
      it is not so: record.country != null
`);
});

it('shows a step that did nothing, and one that nobody expected', async () => {
  write('grade.yaml', recipe);
  write(
    'grade.cases.yaml',
    good.replace('  record: { country: DE }', '  event: { value: "1" }').replace(/expect:\n.*not-met }/, 'expect: {}'),
  );
  expect(await test(folder)).toBe(1);
  expect(out).toContain(
    '- expected properties.grade: "a"\n      - expected properties.place: "DE"\n      + came     nothing',
  );
  expect(out).toContain('- expected nothing\n      + came     rejected: "not-met"');
});

it('prints all of it as one JSON value', async () => {
  const file = write('grade.yaml', recipe);
  const cases = write('grade.cases.yaml', bad.replace('FR', 'DE'));
  expect(await test(folder, '--json')).toBe(1);
  expect(JSON.parse(out)).toEqual({
    passed: false,
    recipes: [
      {
        recipe: 'grade',
        file,
        cases,
        passed: 1,
        failed: [
          {
            name: 'of none',
            at: `${cases}:5:9`,
            differs: [
              {
                step: 'write',
                expected: { properties: { grade: 'a' } },
                came: { rejected: 'not-met' },
                why: 'it is not so: record.country != null',
              },
            ],
          },
        ],
      },
    ],
    withoutCases: [],
    faults: [],
  });
});

it('warns of a recipe without cases, and fails where they are required', async () => {
  const file = write('grade.yaml', recipe);
  expect(await test(folder)).toBe(0);
  expect(err).toBe(`warning: ${file}:1:1: has no cases (${join(folder, 'grade.cases.yaml')})\n`);
  expect(out).toBe('grade: no cases\n');
  expect(await test(folder, '--require-cases')).toBe(1);
});

it('tells every fault of every file with its place: recipes, loops among them, cases, and cases of nobody', async () => {
  const cases = write('grade.cases.yaml', '- case: x\n  expct: {}\n');
  write('grade.yaml', recipe);
  const loop = recipe.replace('recipe: grade', 'recipe: loop').replace('grade: a,', 'lead_score: "90",');
  const looping = write('loop.yaml', loop);
  const other = write('other.yaml', recipe.replace('write:', 'wrte:'));
  const none = write('none.yaml', '');
  const lost = write('lost.cases.yaml', good);
  expect(await test(folder)).toBe(1);
  expect(err.replace(/^warning: .*\n/m, '').split('\n')).toEqual([
    expect.stringContaining(`${none}:1:1: nothing stands there`),
    expect.stringContaining(`${other}:4:5: steps.0: `),
    expect.stringContaining(`${looping}:1:1: recipe loop: could loop onto its own output (loop → loop) by lead_score`),
    expect.stringContaining(`${cases}:1:3: 0`),
    expect.stringContaining(`${cases}:1:3: 0`),
    `${lost}:1:1: there is no recipe of that name in ${folder}`,
    '',
  ]);
});

it('is used wrongly where there is nothing of the name, no recipe in it, or cases alone are named', async () => {
  await expect(test(join(folder, 'none'))).rejects.toThrow(UsageError);
  await expect(test(folder)).rejects.toThrow(UsageError);
  await expect(test(write('grade.cases.yaml', good))).rejects.toThrow(UsageError);
  await expect(test(folder, '--nonsense')).rejects.toThrow('unknown option');
});

it('has an example for a CI in its help', async () => {
  await expect(test('--help')).rejects.toThrow('outputHelp');
  expect(out).toContain('npx refrain recipes test recipes --require-cases');
});

describe('of a recipe that looks into a table', () => {
  const looking = recipe.replace('record.country}', "lookup('places', record.country, 'name')}");
  const cases = (tables: string) =>
    `- case: of a country\n  record: { country: DE }\n${tables}  expect:\n    write: { properties: { grade: a, place: Germany } }\n`;

  it('goes by the folder that is given, or by the tables that its cases bring', async () => {
    const file = write('grade.yaml', looking);
    write('grade.cases.yaml', cases(''));
    mkdirSync(join(folder, 'tables'));
    write('tables/places.csv', 'country,name\nDE,Germany\n');
    expect(await test(file)).toBe(1);
    expect(err).toContain(`there is no reference table places: no folder of tables is given (TABLES_DIR`);
    process.exitCode = undefined;
    expect(await test(file, '--tables', join(folder, 'tables'))).toBe(0);
    write('grade.cases.yaml', cases('  tables: { places: { DE: { name: Germany } } }\n'));
    expect(await test(file)).toBe(0);
  });

  it('is told of a table with a fault, and of a folder that is none', async () => {
    const file = write('grade.yaml', looking);
    mkdirSync(join(folder, 'tables'));
    write('tables/places.csv', 'country,name\nDE\n');
    await expect(test(file, '--tables', join(folder, 'tables'))).rejects.toThrow(/places\.csv:2: it has 1 fields/);
    await expect(test(file, '--tables', join(folder, 'none'))).rejects.toThrow(UsageError);
  });
});
