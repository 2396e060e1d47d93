import type { HubspotChange } from '#libs/contracts';
import { writtenTo } from './loop-guard';
import { loopsOf } from './loops';
import { subscriptionsOf } from './needs';
import { recipeOf } from './testing/recipe-of';
import { matching } from './trigger';
import { watchedBy } from './watched';

// A trigger may name several properties, such as a call's notes and its transcript.

const recipe = recipeOf(`
recipe: several
trigger: { object: call, on: [creation, propertyChange], property: [hs_call_body, call_transcript] }
steps: [{ write: { properties: { ai_call_summary: x } } }]
`);
const change = (over: Partial<HubspotChange>): HubspotChange => ({
  ...{ delivery: 'webhook', record: { type: 'call', id: '1' }, identity: '', occurredAt: 0, changeSource: 'CRM_UI' },
  change: 'propertyChange',
  ...over,
});
const contents = (over: Partial<HubspotChange>) =>
  matching([recipe], change(over), '', 'default').map(({ content }) => content);

it('is set off by a change of each, by no other, and once by a creation', () => {
  expect(contents({ property: 'hs_call_body', value: 'a' })).toEqual(['hs_call_body=a']);
  expect(contents({ property: 'call_transcript', value: 'b' })).toEqual(['call_transcript=b']);
  expect(contents({ property: 'hs_call_title', value: 'c' })).toEqual([]);
  expect(contents({ change: 'creation' })).toEqual(['creation']);
});

it('needs a subscription to each, and is found by a sweep of each', () => {
  const needs = subscriptionsOf([recipe]).filter(({ fate }) => !fate);
  expect(needs.map(({ change: what, property }) => [what, property])).toEqual([
    ['creation', undefined],
    ['propertyChange', 'call_transcript'],
    ['propertyChange', 'hs_call_body'],
  ]);
  expect(watchedBy([recipe], 'default')).toMatchObject([{ properties: ['call_transcript', 'hs_call_body'] }]);
});

it('knows what the hub itself wrote to each of them', () => {
  const properties = { hs_call_body: 'a', call_transcript: 'b', other: 'c' };
  const written = writtenTo([recipe], { record: { type: 'call', id: '1' }, tenant: 'default', properties, at: '' });
  expect(written.map(({ value }) => value.property)).toEqual(['hs_call_body', 'call_transcript']);
});

it('is refused where it writes one of them itself', () => {
  const own = recipeOf(`
recipe: own
trigger: { object: call, property: [hs_call_body, call_transcript] }
steps: [{ write: { properties: { call_transcript: x } } }]
`);
  expect(loopsOf([own]).map(({ says }) => says)).toEqual([
    expect.stringContaining('by hs_call_body or call_transcript: let the trigger name'),
  ]);
});
