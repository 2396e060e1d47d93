import { agreementOf, type Label, labelFault, labelFrom } from './agreement';

const properties = {
  budget: { type: ['integer', 'null'] },
  score: { type: 'integer', minimum: 0, maximum: 100 },
  mood: { type: 'number', minimum: 0, maximum: 1 },
  amount: { type: 'number' },
  urgency: { type: 'string', enum: ['low', 'high'] },
  sure: { type: 'boolean' },
  names: { type: 'array', items: { type: 'string' } },
  summary: { type: 'string' },
  timeline: { anyOf: [{ type: 'string' }, { type: 'null' }] },
};
type Field = keyof typeof properties;

it.each<[Field, Label, unknown, number | undefined]>([
  ['budget', 50_000, 50_000, 1],
  ['budget', 50_000, 50_001, 0],
  ['budget', null, null, 1],
  ['budget', null, 0, 0],
  ['budget', 50_000, null, 0],
  ['budget', 50_000, undefined, 0],
  ['budget', null, undefined, 0],
  ['score', { is: 80, within: 10 }, 90, 1],
  ['score', { is: 80, within: 10 }, 91, 0],
  ['mood', 0.3, 0.4, 1],
  ['mood', 0.3, 0.41, 0],
  ['amount', 200, 219.9, 1],
  ['amount', 200, 221, 0],
  ['urgency', 'high', 'high', 1],
  ['urgency', 'high', 'low', 0],
  ['sure', true, false, 0],
  ['names', ['A', 'b '], ['B', 'a'], 1],
  ['names', ['A', 'B'], ['B', 'C'], 1 / 3],
  ['names', [], [], 1],
  ['names', [], ['A'], 0],
  ['names', ['A'], undefined, 0],
  ['names', { contains: ['offer', 'call'] }, ['We send the Offer'], 0.5],
  ['summary', 'Wants a demo.', 'Something else.', undefined],
  ['summary', 'Wants a demo.', undefined, undefined],
  ['summary', { contains: ['a DEMO', 'this  week'] }, 'Wants a demo this\nweek.', 1],
  ['summary', { contains: ['a demo', 'next week'] }, 'Wants a demo this week.', 0],
  ['summary', { contains: 'demo' }, undefined, 0],
  ['timeline', null, null, 1],
  ['timeline', null, 'soon', 0],
  ['timeline', 'soon', 'at once', undefined],
])('%s: of the label %j an answer %j agrees by %p', (field, label, value, agrees) => {
  expect(agreementOf(properties[field], label, value)).toBe(agrees);
});

it.each<[string, Label, RegExp]>([
  ['constructor', 1, /no field constructor/],
  ['bugdet', 1, /no field bugdet: it has budget, /],
  ['budget', 1.5, /a whole number/],
  ['budget', 'many', /a whole number/],
  ['mood', 'good', /a number/],
  ['score', null, /never null/],
  ['score', { contains: 'x' }, /neither text nor list/],
  ['summary', { is: 1, within: 1 }, /no number/],
  ['summary', 1, /is a text/],
  ['urgency', 'medium', /is one of low, high/],
  ['sure', 'yes', /true or false/],
  ['names', 'A', /is a list/],
  ['budget', [1], /a whole number/],
])('a label of %s that is %j is refused', (field, label, why) => {
  expect(labelFault({ type: 'object', properties }, field, label)).toMatch(why);
});

it.each<[Field, Label]>([
  ['budget', null],
  ['timeline', null],
  ['timeline', 'soon'],
  ['mood', 1],
  ['names', []],
  ['urgency', 'low'],
])('a label of %s may be %j', (field, label) => {
  expect(labelFault({ type: 'object', properties }, field, label)).toBeUndefined();
});

const parts = { type: 'array', items: { type: 'object' } };

it.each<[unknown, unknown, Label | undefined]>([
  [properties.score, 80, { is: 80, within: 10 }],
  [{ type: 'integer', minimum: 1, maximum: 5 }, 3, { is: 3, within: 0.4 }],
  [properties.budget, 50_000, 50_000],
  [properties.budget, null, null],
  [properties.mood, 0.3, 0.3],
  [properties.names, ['A', 1], ['A', 1]],
  [parts, [{ a: 'B' }], ['{"a":"B"}']],
  [{ type: 'object' }, { contains: 'x' }, undefined],
  [properties.score, undefined, undefined],
])('of %j the answer %j stands as the label %j', (schema, value, label) => {
  expect(labelFrom(schema, value)).toEqual(label);
  if (label !== undefined) expect(agreementOf(schema, label, value)).toBe(1);
});
