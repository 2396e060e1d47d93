import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { runCases } from './cases';
import { type Loop, loopsOf } from './loops';
import { loadRecipes, readRecipe, readRecipes, RecipeFault } from './read';
import { type Recipe, stepOf, stepsOf } from './recipe';

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
  [
    'an unknown key',
    `${head}steps:\n  - wrte: {}\n`,
    /^r\.yaml:4:5: steps\.0: must be a step: video, ask, fetch, assign or write/,
  ],
  [
    'an unknown key in a step',
    `${head}steps:\n  - write: { propertys: {} }\n`,
    /^r\.yaml:4:12: steps\.0\.write: Unrecognized key: "propertys"/,
  ],
  ...(
    [
      ['photo: 5', 'photo', 'must be text, or one of image, video, audio, character and voice'],
      ['photo: { image: { urll: x } }', 'photo.image', 'Unrecognized key: "urll"'],
      ['photo: { image: { url: "https://a.example.com/b", asset_id: x } }', 'photo.image', 'needs one of url and'],
      ['photo: { image: { url: "http://a.example.com/b" } }', 'photo.image.url', 'is no https address'],
      ['clip: { video: { asset_id: a, play_style: twice } }', 'clip.video.play_style', 'must be one of fit_to_scene'],
      ['host: { character: { character_id: a, type: robot } }', 'host.character.type', 'must be one of avatar'],
    ] as const
  ).map(
    ([variable, path, why]) =>
      [
        `a variable filled wrongly: ${variable}`,
        `${head}steps:\n  - video: { template: t, title: t, variables: { ${variable} } }\n`,
        new RegExp(`^r\\.yaml:4:\\d+: steps\\.0\\.video\\.variables\\.${path.replaceAll('.', '\\.')}: .*${why}`),
      ] as [string, string, RegExp],
  ),
  [
    'a size that HeyGen does not take',
    `${head}steps:\n  - video: { template: t, title: t, variables: {}, dimension: { width: 1281, height: 720 } }\n`,
    /steps\.0\.video: dimension\.width must be even/,
  ],
  [
    'no property for a change',
    'recipe: r\ntrigger: { object: deal }\nsteps: []\n',
    /^r\.yaml:2:10: trigger: names no property/,
  ],
  [
    'a date and a change together',
    'recipe: r\ntrigger: { object: deal, property: a, due: { date: b, before: 1d } }\nsteps: []\n',
    /trigger: is due at a date, and so waits for no on, property, becomes or source/,
  ],
  [
    'a date with no distance',
    'recipe: r\ntrigger: { object: deal, due: { date: b } }\nsteps: []\n',
    /^r\.yaml:2:\d+: trigger\.due: needs one of before and after/,
  ],
  [
    'a property of another source',
    'recipe: r\ntrigger: { object: deal, source: shop, property: a }\nsteps: []\n',
    /trigger: is of a source: say what must be so by when/,
  ],
  [
    'a value that is not there',
    `${head}values: { stage: { default: x } }\nsteps:\n  - write: { properties: { a: "\${values.stag}" } }\n`,
    /^r\.yaml:5:\d+: .*There is no value stag\. Name it under values \(there: stage\)/,
  ],
  [
    'a value without one for this environment',
    `${head}values: { stage: { prod: x } }\nsteps:\n  - write: { properties: { a: "\${values.stage}" } }\n`,
    /^r\.yaml:3:\d+: values\.stage: says nothing for the environment default: name it, or default/,
  ],
  [
    'a field of the trigger that it does not take',
    `${head}steps:\n  - write: { properties: { a: "\${steps.trigger.b}" } }\n`,
    /reads steps\.trigger\.b, which is not there: it leaves nothing to read/,
  ],
  ['a write of nothing', `${head}steps:\n  - write: {}\n`, /writes nothing/],
  ['two asks', `${head}steps:\n${ask}${ask.replace('judged', 'again')}`, /more than one video or ask/],
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

it.each([
  ['supported: [budget]', /supported\.0: the answer has no field budget/],
  ['supported: [score]', /supported\.0: score must allow null, which it becomes where it is left out/],
  ['supported: [sure]', /supported\.0: sure is neither number, text nor list/],
  ['unsupported: keep', /unsupported: nothing must be supported/],
  ['mask: { phone: [all] }', /mask\.phone: is not told: name a property, a fact, or notes/],
  ['mask: { company: [iban, blood-type] }', /mask\.company\.1: /],
  ['mask: { emails: [all] }', /mask\.emails: is not told/],
  ['notes: 3\n      context: { notes: 5 }', /context\.notes: says another number of notes than `notes`/],
  ['context: { transcript: [a] }', /context\.transcript: is told nowhere: say how many transcripts/],
  ['context: { tasks: 3 }', /context.*tasks/],
  ['tokens: 100', /tokens: /],
])('refuses what an ask says of its answer or of what it tells: %s', (line, fault) => {
  const fields = '{ score: { type: integer }, sure: { type: boolean } }';
  const step = ask.replace('{ score: { type: integer } }', fields).replace('instruction', `${line}\n      instruction`);
  expect(faultsOf(`${head}steps:\n${step}`)).toEqual([expect.stringMatching(fault)]);
});

it('refuses a schema that no answer can be checked against', () => {
  const [fault] = faultsOf(`${head}steps:\n${ask.replace('{ type: integer }', '{ type: nonsense }')}`);
  expect(fault).toMatch(/^r\.yaml:9:\d+: steps\.0\.ask\.answer: no answer can be checked against it/);
});

const writing = (write: string, trigger = head) => `${trigger}steps:\n  - write:\n      ${write}\n`;

it('takes an action right behind the trigger', () => {
  expect(faultsOf(writing('task: { title: Call }'))).toEqual([]);
});

it.each([
  [
    'a write of nothing',
    'properties: {}',
    /r\.yaml:5:\d+: .*writes nothing: properties or one of stage, task, note, lists/,
  ],
  ['lists that name none', 'lists: {}', /names no list to add to/],
  [
    'a basis without its explanation',
    'consent: { subscription: 1, status: subscribed, basis: NON_GDPR }',
    /needs both/,
  ],
  [
    'a key without a value',
    'upsert: { object: company, by: key, properties: { name: x } }',
    /r\.yaml:5:\d+: .*has no value for/,
  ],
  [
    'companies by their domain',
    'upsert: { object: company, by: domain, properties: { domain: x } }',
    /r\.yaml:5:\d+: .*upsert\.by: HubSpot keeps no two companies .* make a property of unique values/,
  ],
  ['the same by its type id', 'upsert: { object: 0-2, by: domain, properties: { domain: x } }', /no two companies/],
  [
    'records by their id',
    'upsert: { object: deal, by: hs_object_id, properties: { hs_object_id: 1 } }',
    /unique values/,
  ],
  ['an unknown word', 'notes: x', /notes/],
  ['a step that is not there', 'note: "${steps.nobody.x}"', /reads steps\.nobody/],
])('refuses %s', (_, write, said) => {
  expect(faultsOf(writing(write)).join('\n')).toMatch(said);
});

it.each(['consent: { subscription: 1, status: subscribed }', 'sequence: { id: 1, sender: a@example.com, user: 2 }'])(
  'refuses of a deal what only contacts may be given: %s',
  (write) => {
    const deals = 'recipe: r\ntrigger: { object: deal, property: dealstage }\n';
    expect(faultsOf(writing(write, deals))).toEqual([
      expect.stringMatching(/^r\.yaml:5:\d+: .*and the recipe is about a deal/),
    ]);
  },
);

it('reads what actions need of the record, the address for a consent among it', () => {
  const [write] = stepsOf(
    good(`${head}steps:
  - write:
      note: "\${record.firstname} came"
      lists: { add: ["\${record.segment}"] }
      consent: { subscription: 1, status: subscribed }
      upsert: { object: company, by: key, properties: { key: "\${record.company_key}", name: "\${record.company}" } }
`),
    'write',
  );
  expect(write?.reads.sort()).toEqual(['company', 'company_key', 'email', 'firstname', 'segment']);
});

it('refuses a field that the answer does not have', () => {
  const [fault] = faultsOf(`${head}steps:\n${ask}  - write: { properties: { a: "\${steps.judged.scor}" } }\n`);
  expect(fault).toMatch(/^r\.yaml:10:12: .*reads steps\.judged\.scor, which is not there: it has score/);
});

it('lets a write follow the step that it reads, the one before it, or the trigger', () => {
  const { steps } = good(`${head}steps:
  - { name: first, write: { properties: { a: x } } }
${ask}  - { name: third, write: { properties: { b: x } } }
  - { name: fourth, write: { properties: { c: "\${steps.judged.score}" } } }
`);
  expect(steps.map(({ name, after }) => [name, after])).toEqual([
    ['first', undefined],
    ['judged', undefined],
    ['third', 'judged'],
    ['fourth', 'judged'],
  ]);
});

it('knows what must be read of a record, and no more', () => {
  const recipe = good(`${head}steps:
${ask.replace('    ask:', '    when: record.country == "DE"\n    ask:')}  - when: record.email != null
    write: { properties: { a: "\${record.firstname} \${record['lastname']}", b: "\${record.firstname}" }, task: { title: T, owner: "\${record.hubspot_owner_id}" } }
`);
  const [write] = stepsOf(recipe, 'write');
  const asked = stepOf(recipe, 'ask');
  expect(write?.reads.sort()).toEqual(['a', 'b', 'email', 'firstname', 'hubspot_owner_id', 'lastname']);
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
  [
    'itself by another record',
    [
      file('a', 'property: stage', 'x: 1').text.replace(
        '{ properties: { x: 1 } }',
        '{ upsert: { object: contact, by: key, properties: { key: x, stage: y } } }',
      ),
    ].map((text) => ({ file: 'a.yaml', text })),
  ],
  [
    'itself by new records',
    [
      {
        file: 'a.yaml',
        text: 'recipe: a\ntrigger: { object: contact, on: creation }\nsteps:\n  - write: { upsert: { object: contact, by: key, properties: { key: x } } }\n',
      },
    ],
  ],
  ['one another', [file('a', 'property: stage, becomes: [x]', 'score: 1'), file('b', 'property: score', 'stage: x')]],
])('refuses recipes that could set off %s', (_, files) => {
  expect(() => readRecipes(files)).toThrow(/^a\.yaml:1:1: recipe a: could loop onto its own output \(a → .*a\)/);
});

it('tells each loop once, by its shortest way, and only those through the recipes in question', () => {
  const recipeOf = ({ text }: { text: string }) => good(text);
  const a = recipeOf(file('a', 'property: p_a', 'p_b: 1, p_c: 1'));
  const b = recipeOf(file('b', 'property: p_b', 'p_c: 1'));
  const c = recipeOf(file('c', 'property: p_c', 'p_a: 1'));
  const self = recipeOf(file('self', 'property: p_s', 'p_s: 1'));
  const waysOf = (loops: Loop[]) => loops.map(({ says }) => /\((.*)\) by (\w+)/.exec(says)?.slice(1));
  expect(waysOf(loopsOf([a, b, c, self]))).toEqual([
    ['a → c → a', 'p_a'],
    ['b → c → a → b', 'p_b'],
    ['self → self', 'p_s'],
  ]);
  expect(waysOf(loopsOf([a, b, c, self], [self]))).toEqual([['self → self', 'p_s']]);
  expect(loopsOf([a, b, self], [a, b])).toEqual([]);
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

describe('what is no plain YAML', () => {
  const times = (n: number, text: string) => text.repeat(n);
  const bomb = [...'abcdefghi'].map(
    (c, i, all) => `${c}: &${c} [${times(9, i === 0 ? 'x,' : `*${all[i - 1] ?? ''},`)}]`,
  );
  it.each([
    ['an alias of nothing', 'recipe: *gone\n', /^r\.yaml:1:9: there is no &gone before \*gone/],
    ['an alias within itself', 'recipe:\n  - &a\n    - *a\n', /^r\.yaml:3:7: \*a stands within &a/],
    ['aliases that grow beyond all bounds', bomb.join('\n'), /^r\.yaml:5:\d+: it is longer than 100000 characters/],
    ['a key twice', 'recipe: a\nrecipe: b\n', /^r\.yaml:2:1: Map keys must be unique/],
    ['a list as a key', 'recipe: a\n? [b]\n: c\n', /^r\.yaml:2:3: a key must be a text/],
    ['keys in keys', times(60, '? '), /^r\.yaml:1:\d+: /],
    ['two documents', 'recipe: a\n---\nrecipe: b\n', /^r\.yaml:2:1: another document begins/],
    ['a tag that makes code', 'recipe: !!js/function x\n', /^r\.yaml:1:9: Unresolved tag/],
    ['bytes', 'recipe: !!binary aGk=\n', /^r\.yaml:1:9: Unresolved tag/],
    ['merges of old YAML', '%YAML 1.1\n---\n<<: x\n', /^r\.yaml:3:1: Unrecognized key: "<<"|^r\.yaml:3:1: recipe: /],
    ['an empty text', '', /^r\.yaml:1:1: nothing stands there/],
    ['a comment alone', '# soon\n', /^r\.yaml:1:1: nothing stands there/],
    ['a word', 'recipe', /^r\.yaml:1:1: Invalid input: expected object/],
    ['a megabyte', times(100_000, 'recipe: a\n'), /^r\.yaml:10001:1: it is longer than 100000 characters/],
    ['deep lists', `recipe:\n  ${times(40_000, '[')}`, /^r\.yaml:2:\d+: it nests deeper than 100 levels/],
    ['deep maps', times(20_000, '{a: '), /^r\.yaml:1:\d+: it nests deeper/],
    ['deep items on a line', times(40_000, '- '), /^r\.yaml:1:201: it nests deeper/],
    ['deep keys on a line', times(20_000, 'a: '), /^r\.yaml:1:\d+: it nests deeper/],
    [
      'deep lines',
      Array.from({ length: 400 }, (_, i) => `${times(i, ' ')}a:`).join('\n'),
      /^r\.yaml:101:\d+: it nests/,
    ],
    ['closed and never opened', times(50_000, ']'), /^r\.yaml:1:1: /],
  ])('refuses %s, and says where', (_, text, said) => {
    const faults = faultsOf(text);
    expect(faults[0]).toMatch(said);
    expect(faults.every((fault) => /^r\.yaml:\d+:\d+: /.test(fault))).toBe(true);
    expect(faults.length).toBeLessThanOrEqual(50);
  });

  it('takes anchors and aliases that stay within the bounds', () => {
    const [write] = stepsOf(good(`${head}steps: [{ write: { properties: { a: &a x, b: *a } } }]\n`), 'write');
    expect(Object.values(write?.properties ?? {}).map(({ literal }) => literal)).toEqual(['x', 'x']);
  });

  const shipped = readFileSync(join(__dirname, '../../../recipes/lead-qualified.yaml'), 'utf8');
  const cases = readFileSync(join(__dirname, '../../../recipes/lead-qualified.cases.yaml'), 'utf8');
  const marks = [...'[]{}-?:,&*!|>%#\'"\\ \n\t'].concat(
    '${',
    '}',
    '*a',
    '&a',
    '---\n',
    '<<: ',
    'a: ',
    '__proto__: ',
    '!!set ',
  );
  const mutated = (text: string) =>
    fc
      .tuple(
        fc.nat(text.length),
        fc.nat(2_000),
        fc.array(fc.tuple(fc.nat(2_000), fc.constantFrom(...marks)), { maxLength: 8 }),
      )
      .map(([from, length, marked]) =>
        marked
          .reduce((all, [at, mark]) => all.slice(0, at) + mark + all.slice(at), text.slice(from % 200, length))
          .slice(0, 2_000),
      );
  const anything = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 2_000 }),
    fc.array(fc.constantFrom(...marks, 'recipe', 'x'), { maxLength: 700 }).map((all) => all.join('').slice(0, 2_000)),
    mutated(shipped),
    mutated(cases),
  );

  it('any text is a recipe or has faults with a place, as a recipe and as cases', () => {
    const [recipe] = loadRecipes(join(__dirname, '../../../recipes'));
    fc.assert(
      fc.property(anything, (text) => {
        for (const read of [readRecipe(text, 'r.yaml'), recipe && runCases(recipe, text, 'r.yaml')]) {
          for (const fault of read && 'faults' in read ? read.faults : []) expect(fault).toMatch(/^r\.yaml:\d+:\d+: /);
        }
      }),
      { numRuns: 500 },
    );
  });
});

describe('values by environment', () => {
  const text = `${head}values: { template: { default: demo, prod: real }, stage: { default: a } }
steps:
  - video: { template: "t-\${values.template}", title: T, variables: { x: "\${values.template}/\${record.company}" } }
  - write: { properties: { stage: "\${values.stage}" } }
`;
  const readIn = (environment: string) => {
    const read = readRecipe(text, 'r.yaml', environment);
    if ('faults' in read) throw new Error(read.faults.join('\n'));
    return read.recipe;
  };

  it('are those of the environment, else the default ones; the version is the same', () => {
    const [prod, test] = [readIn('prod'), readIn('test')];
    expect(stepOf(prod, 'video')?.template).toBe('t-real');
    expect(stepOf(test, 'video')?.template).toBe('t-demo');
    const bindings = { record: { company: 'C' }, steps: {} };
    expect(stepOf(prod, 'video')?.variables['x']?.evaluate(bindings)).toBe('real/C');
    expect(prod.version).toBe(test.version);
  });

  it('count as written there: a loop through one is found', () => {
    const looping = text.replace('stage: "${values.stage}"', 'lead_score: "${values.stage}"');
    expect(faultsIn(looping)).toEqual([]);
    expect(faultsIn(looping.replace('default: a', 'default: "1"')).join()).toMatch(/could loop onto its own output/);
  });

  const faultsIn = (of: string): string[] => {
    try {
      readRecipes([{ file: 'r.yaml', text: of }]);
      return [];
    } catch (error) {
      return (error as RecipeFault).faults;
    }
  };
});
