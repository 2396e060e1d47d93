import { join } from 'node:path';
import { loadRecipes, readRecipe, readRecipes, RecipeFault } from './read';
import type { Recipe } from './recipe';

const head = 'recipe: r\ntrigger: { object: contact, property: lead_score, becomes: ["1"] }\n';
const faultsOf = (text: string): string[] => {
  const read = readRecipe(text, 'r.yaml');
  return 'faults' in read ? read.faults : [];
};
const good = (text: string): Recipe => {
  const read = readRecipe(text, 'r.yaml');
  if ('faults' in read) throw new Error(read.faults.join('\n'));
  return read.recipe;
};
const ask = `  - name: judged
    ask:
      model: m
      properties: [company]
      instruction: Judge.
      answer: { type: object, properties: { score: { type: integer } } }
`;

it('reads every recipe that ships', () => {
  expect(loadRecipes(join(__dirname, '../../../recipes')).length).toBeGreaterThan(0);
});

it.each([
  ['no YAML', 'recipe: [', /^r\.yaml:1:\d+: /],
  ['an unknown key', `${head}steps:\n  - wrte: {}\n`, /^r\.yaml:4:5: steps\.0: must be a step: video, ask or write/],
  [
    'an unknown key in a step',
    `${head}steps:\n  - write: { propertys: {} }\n`,
    /^r\.yaml:4:12: steps\.0\.write: Unrecognized key: "propertys"/,
  ],
  [
    'no property for a change',
    'recipe: r\ntrigger: { object: deal }\nsteps: []\n',
    /^r\.yaml:2:10: trigger: names no property/,
  ],
  ['a write of nothing', `${head}steps:\n  - write: {}\n`, /writes nothing/],
  ['two asks', `${head}steps:\n${ask}${ask.replace('judged', 'again')}`, /more than one step of a kind/],
  [
    'two steps of a name',
    `${head}steps:\n${ask}  - name: judged\n    write: { properties: { a: x } }\n`,
    /^r\.yaml:10:5: .*step judged already/,
  ],
])('refuses %s, and says where', (_, text, said) => {
  expect(faultsOf(text).join('\n')).toMatch(said);
});

it.each([
  [
    'an unknown function',
    'a: "x ${lowr(record.name)}"',
    /^r\.yaml:6:17: steps\.0\.write\.properties\.a: There is no function lowr/,
  ],
  ['an unknown variable', 'a: ${recrd.name}', /^r\.yaml:6:14: .*Did you mean record\?/],
  ['what is not closed', 'a: "${record.name"', /It is not closed/],
  ['the whole record', 'a: ${flatten(record)}', /must be known beforehand/],
  ['a table that is not there', 'a: ${lookup("segments", record.segment)}', /there is no reference table segments/],
  ['a step that is not there', 'a: ${steps.nobody.score}', /reads steps\.nobody, and no step before it is named so/],
])('refuses %s in a mapping at its line and column', (_, line, said) => {
  const [fault] = faultsOf(`${head}steps:\n  - write:\n      properties:\n        ${line}\n`);
  expect(fault).toMatch(said);
});

it('refuses a field that the answer does not have', () => {
  const [fault] = faultsOf(`${head}steps:\n${ask}  - write: { properties: { a: "\${steps.judged.scor}" } }\n`);
  expect(fault).toMatch(/^r\.yaml:10:12: .*reads steps\.judged\.scor, which is not there: it has score/);
});

it('lets a write follow the step that it reads, the one before it, or the trigger', () => {
  const { writes } = good(`${head}steps:
  - { name: first, write: { properties: { a: x } } }
${ask}  - { name: third, write: { properties: { b: x } } }
  - { name: fourth, write: { properties: { c: "\${steps.judged.score}" } } }
`);
  expect(writes.map(({ name, after }) => [name, after])).toEqual([
    ['first', undefined],
    ['third', 'judged'],
    ['fourth', 'judged'],
  ]);
});

it('knows what must be read of a record, and no more', () => {
  const { writes, ask: asked } = good(`${head}steps:
${ask.replace('    ask:', '    when: record.country == "DE"\n    ask:')}  - when: record.email != null
    write: { properties: { a: "\${record.firstname} \${record['lastname']}", b: "\${record.firstname}" }, task: { title: T, owner: "\${record.hubspot_owner_id}" } }
`);
  expect(writes[0]?.reads.sort()).toEqual(['email', 'firstname', 'hubspot_owner_id', 'lastname']);
  expect(asked?.reads.sort()).toEqual(['company', 'country']);
});

it('names equal content by an equal version, whatever its comments and blanks', () => {
  const text = `${head}steps:\n${ask}`;
  expect(good(`# a comment\n${text}\n`).version).toBe(good(text).version);
  expect(good(text.replace('Judge.', 'Judge well.')).version).not.toBe(good(text).version);
});

const file = (id: string, trigger: string, write: string) => ({
  file: `${id}.yaml`,
  text: `recipe: ${id}\ntrigger: { object: contact, ${trigger} }\nsteps:\n  - write: { properties: { ${write} } }\n`,
});

it.each([
  ['itself', [file('a', 'property: stage', 'stage: x')]],
  ['itself by a value that is computed', [file('a', 'property: stage, becomes: [x]', 'stage: "${record.next}"')]],
  ['one another', [file('a', 'property: stage, becomes: [x]', 'score: 1'), file('b', 'property: score', 'stage: x')]],
])('refuses recipes that could set off %s', (_, files) => {
  expect(() => readRecipes(files)).toThrow(/could loop onto its own output \(a → .*a\)/);
});

it('takes recipes that write what they do not wait for', () => {
  const files = [
    file('a', 'property: stage, becomes: [x]', 'stage: y'),
    file('b', 'property: stage, becomes: [z]', 'score: 1'),
  ];
  expect(readRecipes(files).map(({ id }) => id)).toEqual(['a', 'b']);
});

it('names all faults of all files at once', () => {
  const files = [
    { file: 'a.yaml', text: 'recipe: A' },
    { file: 'b.yaml', text: 'recipe: [' },
  ];
  expect(() => readRecipes(files)).toThrow(RecipeFault);
  expect(() => readRecipes(files)).toThrow(/a\.yaml:1:\d+[^]*b\.yaml:1:\d+/);
});
