import { recipeOf } from './testing/recipe-of';
import { usesOf } from './uses';

const uses = (text: string) => usesOf([recipeOf(text)], 'default');

it('tells what is waited for, read and written of each property, and what is known of the values', () => {
  const text = `recipe: r
trigger: { object: contact, property: stage, becomes: [a, b] }
steps:
  - name: lead
    ask:
      model: m
      properties: [company]
      instruction: Judge.
      answer:
        type: object
        properties: { score: { type: integer }, budget: { type: [number, 'null'] }, mood: { enum: [good, bad] }, why: {} }
  - write:
      properties: { a: 5, b: "\${steps.lead.score}", c: "\${steps.lead.budget}", d: "\${steps.lead.mood}", e: "\${steps.lead.why}", f: "\${time}", g: "x \${steps.lead.score}", h: "" }
`;
  const about = { object: 'contact', recipe: 'r' };
  const { properties, models } = uses(text);
  expect(properties.filter(({ how }) => how !== 'reads')).toEqual([
    { ...about, property: 'stage', how: 'waits', values: ['a', 'b'] },
    { ...about, property: 'a', how: 'writes', values: ['5'] },
    { ...about, property: 'b', how: 'writes', kind: 'number' },
    { ...about, property: 'c', how: 'writes', kind: 'number' },
    { ...about, property: 'd', how: 'writes', values: ['good', 'bad'] },
    { ...about, property: 'e', how: 'writes' },
    { ...about, property: 'f', how: 'writes', kind: 'time' },
    { ...about, property: 'g', how: 'writes' },
    { ...about, property: 'h', how: 'writes' },
  ]);
  expect(properties).toContainEqual({ ...about, property: 'company', how: 'reads' });
  expect(models).toEqual([{ model: 'm', recipe: 'r' }]);
});

it('counts what the hub itself says of a video, on whichever type of record', () => {
  const text = `recipe: v\ntrigger: { object: deal, property: p }\nsteps: [{ video: { template: t, title: x, variables: { deal: x } } }]\n`;
  const { properties, templates } = uses(text);
  const written = properties
    .filter(({ how }) => how === 'writes')
    .map(({ object, property }) => `${object}.${property}`);
  expect(written.sort()).toEqual(
    ['error', 'status']
      .map((one) => `deal.heygen_render_${one}`)
      .concat('deal.heygen_video_url', 'deal.heygen_job_id')
      .sort(),
  );
  expect(templates).toEqual([{ template: 't', recipe: 'v', variables: { deal: 'text' }, subtitled: false }]);
});

it('tells the stages that are named: those of the pipeline by name or id, those of the property by id', () => {
  const text = `recipe: s
values: { where: { default: Risk } }
trigger: { object: deal, property: dealstage, becomes: [won] }
steps:
  - write: { stage: "\${values.where}", properties: { pipeline: renewals } }
`;
  const about = { object: 'deal', recipe: 's' };
  expect(uses(text).stages).toEqual([
    { ...about, of: 'stage', named: 'Risk', by: 'name or id' },
    { ...about, of: 'stage', named: 'won', by: 'id' },
    { ...about, of: 'pipeline', named: 'renewals', by: 'id' },
  ]);
});

it('tells by which properties other records are found', () => {
  const text = `recipe: u
trigger: { object: contact, property: p }
steps:
  - write:
      upsert:
        object: company
        by: number
        properties: { number: 1 }
        associate: [{ object: deal, by: code, value: x }]
`;
  const finds = uses(text).properties.filter(({ how }) => how === 'finds');
  expect(finds.map(({ object, property }) => `${object}.${property}`)).toEqual(['company.number', 'deal.code']);
});
