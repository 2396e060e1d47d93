import { createSecretKey } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { runCases, tablesInCases } from './cases';
import { loadRecipes, readRecipe } from './read';
import { tablesNamed } from './reference';
import { recipeOf } from './testing/recipe-of';

const folder = join(__dirname, '../../../recipes');
const recipes = loadRecipes(folder);
const recipe = recipes.find(({ id }) => id === 'deal-won');
if (!recipe) throw new Error('the recipe is gone');

it.each(recipes.map((each) => [each.id, each] as const))('%s does what its cases say', (id, each) => {
  const file = join(folder, `${id}.cases.yaml`);
  expect(existsSync(file)).toBe(true);
  const run = runCases(each, readFileSync(file, 'utf8'), `${id}.cases.yaml`);
  const failed = 'faults' in run ? run.faults : run.results.filter(({ differs }) => differs.length > 0);
  expect(failed).toEqual([]);
});

it('tells which step did what else, and where the case stands', () => {
  const text = '- case: wrong\n  event: { value: nothing-of-it }\n  expect:\n    write: { rejected: missing }\n';
  expect(runCases(recipe, text, 'c.yaml')).toEqual({
    results: [
      {
        name: 'wrong',
        at: 'c.yaml:1:9',
        differs: [{ step: 'write', expected: { rejected: 'missing' }, came: undefined }],
      },
    ],
  });
});

it('says why a step was rejected, and not what nobody asked for', () => {
  const text = `- case: wrong
  record: { dealname: ' ' }
  expect:
    video: { variables: { deal: x } }
- case: wrong too
  record: { dealname: Plan, package: Premium }
  expect:
    video: { variables: { deal: x, package: Premium } }
`;
  const run = runCases(recipe, text, 'c.yaml');
  expect('results' in run && run.results.map(({ differs }) => differs)).toEqual([
    [
      {
        step: 'video',
        expected: { variables: { deal: 'x' } },
        came: { rejected: 'missing' },
        why: 'dealname is missing',
      },
    ],
    [
      {
        step: 'video',
        expected: { variables: { deal: 'x', package: 'Premium' } },
        came: { variables: { deal: 'Plan', package: 'Premium' } },
      },
    ],
  ]);
});

it('names what is wrong with the file', () => {
  expect(runCases(recipe, '- case: x\n  expct: {}\n', 'c.yaml')).toMatchObject({
    faults: expect.arrayContaining([expect.stringMatching(/^c\.yaml:1:\d+: /)]) as never,
  });
});

describe('actions', () => {
  const acting = recipeOf(`recipe: r
trigger: { object: contact, property: lifecyclestage }
steps:
  - write:
      note: "\${record.firstname} is a lead."
      lists: { add: [12, "\${record.segment}"], remove: [13] }
      consent: { subscription: 101, status: subscribed, basis: CONSENT_WITH_NOTICE, explanation: Asked for it. }
      sequence: { id: 7, sender: ada@example.com, user: "7001" }
      upsert: { object: company, by: key, properties: { key: "\${record.company_key}", name: "\${record.company}" } }
`);
  const filled = `firstname: Ada, segment: "14", email: ada@example.com, company_key: k-1`;
  const expectation = `
        note: Ada is a lead.
        lists: { add: ['12', '14'], remove: ['13'] }
        consent:
          subscription: '101'
          status: subscribed
          email: ada@example.com
          basis: CONSENT_WITH_NOTICE
          explanation: Asked for it.
        sequence: { id: '7', sender: ada@example.com, user: '7001' }
        upsert: { object: company, by: key, properties: { key: k-1 } }`;
  const run = (record: string, expected: string) => {
    const ran = runCases(acting, `- case: c\n  record: { ${record} }\n  expect:\n    write: ${expected}\n`, 'c.yaml');
    if ('faults' in ran) throw new Error(ran.faults.join());
    return ran.results.flatMap(({ differs }) => differs);
  };

  it('are told as the recipe names them', () => {
    expect(run(filled, expectation)).toEqual([]);
    expect(run(filled, expectation.replace("'14'], ", "'15'], "))).toEqual([
      expect.objectContaining({
        came: expect.objectContaining({ lists: { add: ['12', '14'], remove: ['13'] } }) as never,
      }),
    ]);
  });

  it.each([
    ['email', /email is missing/],
    ['company_key', /company\.key is missing/],
    ['segment', /the id of the list is missing/],
  ])('are not taken, any of them, without %s', (name, why) => {
    const record = filled.replace(new RegExp(`${name}: [^,]+`), `${name}: ' '`);
    expect(run(record, '{ rejected: missing }')).toEqual([]);
    expect(run(record, expectation)[0]?.why).toMatch(why);
  });
});

it('a case brings its own tables, and one that is not there fails the step', () => {
  const text = `recipe: r
trigger: { object: contact, property: p }
steps:
  - write: { properties: { a: '\${lookup("plans", record.plan, "tier")}', b: '\${token(record.plan)}' } }
`;
  const reference = { tables: tablesNamed(['plans']), tokenKey: createSecretKey('a secret of tests', 'utf8') };
  const read = readRecipe(text, 'r.yaml', undefined, reference);
  if ('faults' in read) throw new Error(read.faults.join('\n'));
  const b = '8f25470a';
  const cases = `- case: its own
  record: { plan: PRO }
  tables: { plans: { pro: { tier: gold } } }
  expect: { write: { properties: { a: gold, b: ${b} } } }
- case: none
  record: { plan: PRO }
  expect: { write: { rejected: expression } }
`;
  expect(tablesInCases(cases)).toEqual(['plans']);
  expect(tablesInCases('- no cases')).toEqual([]);
  const run = runCases(read.recipe, cases, 'c.yaml', reference.tables);
  expect(run).toMatchObject({
    results: [
      { differs: [{ came: { properties: { a: 'gold', b: expect.stringMatching(/^[0-9a-f]{64}$/) as string } } }] },
      { differs: [] },
    ],
  });
});
