import { readRecipe } from './read';
import { stepsOf } from './recipe';
import { recipeOf } from './testing/recipe-of';
import { prepareWrite } from './write';

const moving = (write: string, object = 'deal') => `recipe: r
trigger: { object: ${object}, property: amount }
steps:
  - write: ${write}
`;
const stages = { 'At risk': '4711', Won: 'closedwon' };

function prepared(write: string, record: Record<string, string | null> = {}, known: Record<string, string> = stages) {
  const [step] = stepsOf(recipeOf(moving(write)), 'write');
  if (!step) throw new Error('there is none');
  return { step, made: prepareWrite(step, { record, steps: {}, time: '2026-11-21T10:00:00Z', stages: known }) };
}

it('moves a record to the stage of that name in its own pipeline, or of that id', () => {
  const byName = prepared('{ stage: At risk }');
  expect(byName.step).toMatchObject({ reads: ['pipeline', 'dealstage'], readsStages: true });
  expect(byName.made).toMatchObject({ properties: { dealstage: '4711' } });
  expect(prepared('{ stage: closedwon }').made).toMatchObject({ properties: { dealstage: 'closedwon' } });
});

it('says which stages there are where the one is not among them', () => {
  expect(prepared('{ stage: Risk }').made).toEqual({
    rejected: { code: 'no-such-stage', reason: `the record's pipeline has no stage "Risk"; it has At risk, Won` },
  });
  expect(prepared('{ stage: Risk }', {}, {}).made).toMatchObject({ rejected: { code: 'no-such-stage' } });
});

it('lets conditions and values ask for the id of a stage', () => {
  const write = '{ properties: { risk_stage: "${stages[\'At risk\']}" } }';
  const { step, made } = prepared(write);
  expect(step.readsStages).toBe(true);
  expect(made).toMatchObject({ properties: { risk_stage: '4711' } });
});

it('leaves a record where it is whose stage is said to be nothing', () => {
  expect(
    prepared('{ stage: "${record.next_stage}", properties: { note: x } }', { next_stage: null }).made,
  ).toMatchObject({
    properties: { note: 'x' },
  });
});

it('reads no stages where none are asked for', () => {
  expect(prepared('{ properties: { dealstage: closedwon } }').step).toMatchObject({ reads: [], readsStages: false });
});

it('is refused for records that move through no pipeline', () => {
  const read = readRecipe(moving('{ stage: Risk }', 'contact'), 'r.yaml');
  expect(read).toEqual({ faults: [expect.stringContaining('contact records have no stages')] });
});

it('ties another record to others, and tells the timeline, by values that are there', () => {
  const associate = 'associate: [{ object: company, by: erp_id, value: "${record.erp_id}" }]';
  const upsert = `{ upsert: { object: contact, by: email, properties: { email: a@example.com }, ${associate} }, event: { type: won, properties: { amount: 12 } } }`;
  expect(prepared(upsert, { erp_id: ' e-1 ' }).made).toEqual({
    properties: {},
    actions: [
      {
        kind: 'upsert',
        object: 'contact',
        by: 'email',
        properties: { email: 'a@example.com' },
        associate: [{ object: 'company', by: 'erp_id', value: 'e-1' }],
      },
      { kind: 'event', type: 'won', properties: { amount: '12' }, at: '2026-11-21T10:00:00Z' },
    ],
  });
  expect(prepared(upsert, { erp_id: null }).made).toEqual({
    rejected: { code: 'missing', reason: 'company.erp_id is missing' },
  });
});

it('is refused where a record is to be tied to one that its property does not tell from others', () => {
  const write =
    '{ upsert: { object: contact, by: email, properties: { email: a@example.com }, associate: [{ object: company, by: domain, value: x }] } }';
  expect(readRecipe(moving(write), 'r.yaml')).toEqual({
    faults: [expect.stringContaining('associate.0.by: HubSpot keeps no two companies')],
  });
});
