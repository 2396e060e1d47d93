import { recipeOf } from './testing/recipe-of';
import { watchedBy } from './watched';

const of = (id: string, trigger: string) =>
  recipeOf(`recipe: ${id}\ntrigger: { ${trigger} }\nsteps: [{ write: { properties: { x: "1" } } }]\n`);

it('names by type what recipes go by, without what other sources tell and what is for other tenants', () => {
  const recipes = [
    of('a', 'object: contact, property: stage'),
    of('b', 'object: contact, due: { date: seen, after: 90d }'),
    of('c', 'object: deal, on: [creation]'),
    of('d', 'object: ticket, source: billing'),
    { ...of('e', 'object: company, property: size'), tenants: ['other'] },
  ];
  expect(watchedBy(recipes, 'default')).toEqual([
    {
      object: 'contact',
      properties: ['seen', 'stage'],
      dues: [{ recipe: 'b', date: 'seen', offsetMs: 90 * 86_400_000 }],
    },
    { object: 'deal', properties: [], dues: [] },
  ]);
});
