import { join } from 'node:path';
import { readEvent, renderEvents } from '#libs/contracts';
import { loadRecipes } from '#libs/recipes';
import { given as givenOf } from '../../../libs/process/src/testing/given';
import { requestHash } from '../../../libs/process/src/slot';
import { renderDecider } from './render.decider';

// What yesterday's code ordered of the shipped recipes, as it stands in ledgers: a replay of yesterday's topic by today's
// code finds its receipts by these, and plans no second video.

const recipes = loadRecipes(join(__dirname, '../../../recipes'));
const recipe = recipes.find(({ id }) => id === 'lead-qualified');
const streamId = 'render-default:contact:7:lead-qualified';
const at = '2026-11-21T10:00:00.000Z';
const about = { recipe: 'lead-qualified', recipeVersion: '8c2fb682715b', render: 1, triggeredAt: at };
const variables = { first_name: 'Ada', company: 'Example Works', recent_event: 'your interest' };
const ORDER = '48cbfc643287dba4349e7cac8b4c39732b145db682434b0e7bb30eed65ac4986';

const requested = { ...about, rootCause: 'cause-1', content: 'lifecyclestage=marketingqualifiedlead' };
const yesterday = [
  readEvent(renderEvents, 'refrain.render.requested.v1', requested),
  readEvent(renderEvents, 'refrain.render.prepared.v1', {
    ...about,
    template: 'demo-outreach',
    variables,
    title: 'Outreach for Ada',
    recordModifiedAt: at,
  }),
];

it('keeps the versions of recipes that say nothing new', () => {
  const versions = Object.fromEntries(recipes.map(({ id, version }) => [id, version]));
  expect(versions).toMatchObject({
    'contract-renewal': 'bdad36e408c2',
    'deal-won': '059a1ac2195c',
    'win-back': 'fdbb3bbfc933',
  });
});

it.each(['prepared again', 'placed once more'])('the same order, %s, has the hash that the ledger holds', (how) => {
  if (!recipe) throw new Error('the recipe is gone');
  const properties = { firstname: 'Ada', company: 'Example Works', recent_conversion_event_name: null };
  const failed = { ...about, generation: 1, code: 'RENDER_FAILED', reason: 'broke', waitsFor: 'retry' as const };
  const decided =
    how === 'prepared again'
      ? givenOf(
          renderDecider(),
          ...yesterday,
        )({
          ...{ type: 'read', rootCause: 'cause-1', recipe, streamId, purpose: 'read', at },
          ended: { state: 'done', answer: { properties, modifiedAt: at } },
        })
      : givenOf(renderDecider(), ...yesterday, { type: 'RenderPostponed', data: failed })({
          ...{ type: 'again', render: 1, generation: 1, streamId },
        });
  const [order] = decided.effects ?? [];
  expect(requestHash(order?.request)).toBe(ORDER);
});
