import type { ItemPlan } from '#libs/process';
import { comparisonText, PlanComparison } from './preview';

const item = (source: string, over: Partial<ItemPlan> = {}) => ({
  source,
  subject: `contact:${source}`,
  plan: { then: 'same', events: [], effects: [], ...over } satisfies ItemPlan,
});
const update = (hash: string, verdict: 'new' | 'skipped') => ({
  effects: [{ kind: 'hubspot.update', slot: 's', verdict, requestHash: hash, cost: { apiCalls: 1 } }],
});
const rejected = { events: ['refrain.render.rejected.v1'] };

function compared(most = 10) {
  const comparison = new PlanComparison(most);
  comparison.now([
    item('a', update('1', 'skipped')),
    item('b', update('1', 'new')),
    item('gone', update('1', 'new')),
    item('d'),
  ]);
  comparison.then([
    item('a', update('1', 'skipped')),
    item('b', update('2', 'new')),
    item('new', { ...update('3', 'new'), assumed: 'openai.ask' }),
    item('d', rejected),
  ]);
  return comparison.result();
}

it('tells the records that would go otherwise from those that would not', () => {
  expect(compared()).toMatchObject({
    rows: 5,
    same: 1,
    changed: 4,
    newlySetOff: 2,
    noLongerSetOff: 1,
    newlyRejected: 1,
    assumed: 1,
    cost: { now: { apiCalls: 2 }, then: { apiCalls: 2 } },
  });
});

it('shows each of them with what is done now and what would be', () => {
  const text = comparisonText(compared()).join('\n');
  expect(text).toContain('  b  contact:b\n    - hubspot.update new (1)\n    + hubspot.update new (2)');
  expect(text).toContain('  gone  contact:gone\n    - hubspot.update new (1)\n    + nothing');
  expect(text).not.toContain('contact:a');
});

it('shows no more than was asked for, and says how many there are', () => {
  const found = compared(1);
  expect(found.examples).toHaveLength(1);
  expect(comparisonText(found).at(-1)).toBe('  … and 3 more');
});
