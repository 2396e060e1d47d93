import { HubspotAccounts } from '#libs/vendors/hubspot';
import { recipeOf } from '../../../libs/recipes/src/testing/recipe-of';
import { recordEffects } from './record.effects';

it.each([
  ['', 0],
  ['note: x, lists: { add: [12, 13], remove: [14] }', 4],
  ['upsert: { object: company, by: key, properties: { key: x } }', 1],
  ['task: { title: x }, upsert: { object: contact, by: email, properties: { email: x } }', 4],
])('bounds what may follow from reading for a step with %j by %i calls beside the write', (actions, calls) => {
  const recipe = recipeOf(`recipe: r
trigger: { object: contact, property: stage }
steps:
  - { name: first, write: { note: x } }
  - { name: second, write: { properties: { a: x }, ${actions} } }
`);
  const read = recordEffects(() => [recipe], new HubspotAccounts([]))['hubspot.read'];
  expect(read?.plan?.follows(undefined as never, 'replay')).toEqual({ apiCalls: 1 + Math.max(1, calls) });
});
