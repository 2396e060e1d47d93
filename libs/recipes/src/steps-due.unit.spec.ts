import { join } from 'node:path';
import { stepsDue } from './steps-due';
import { loadRecipes } from './read';
import { recipeOf } from './testing/recipe-of';

const recipes = loadRecipes(join(__dirname, '../../../recipes')).filter(({ id }) => id === 'lead-qualified');
const envelope = {
  id: 'e1',
  source: '/hubspot/default',
  type: 'refrain.hubspot-change.received.v1',
  subject: 'contact:123',
  time: '2026-11-21T10:00:00.000Z',
  tenant: 'default',
  correlationid: 'e1',
};
const qualified = {
  eventId: 100,
  portalId: 33,
  occurredAt: 1787843156000,
  subscriptionType: 'contact.propertyChange',
  objectId: 123,
  propertyName: 'lifecyclestage',
  propertyValue: 'marketingqualifiedlead',
};
const triggersOf = (value: object) => {
  const read = stepsDue({ envelope, value, hash: '' }, recipes, '1');
  return 'error' in read ? read.error : read.due.length;
};

it('nothing is set off by the test button', () => {
  expect(triggersOf({ ...qualified, changeSource: 'CRM' })).toBe(0);
  expect(triggersOf({ ...qualified, changeSource: 'CRM_UI' })).toBe(2);
});

it('a recipe of other tenants is not set off', () => {
  const of = (tenant: string) => {
    const own = recipes.map((recipe) => ({ ...recipe, tenants: ['default', 'second'] }));
    const read = stepsDue({ envelope: { ...envelope, tenant }, value: qualified, hash: '' }, own, '1');
    return 'error' in read ? read.error : [...new Set(read.due.map((trigger) => trigger.tenant))];
  };
  expect(of('second')).toEqual(['second']);
  expect(of('third')).toEqual([]);
});

it('an owner that was found lets the steps behind it begin, about the record, with what was left so far', () => {
  const recipe = recipeOf(`recipe: r
trigger: { object: contact, property: p, take: { plan: event.value } }
steps:
  - name: seller
    assign: { rota: emea, among: ["1"] }
  - write: { properties: { hubspot_owner_id: "\${steps.seller.owner}", plan: "\${steps.trigger.plan}" } }
`);
  const at = '2026-11-20T09:00:00.000Z';
  const data = {
    recipe: 'r',
    recipeVersion: recipe.version,
    step: 'seller',
    rootCause: 'e0',
    time: at,
    guard: { at, number: 0, rank: 3 },
    results: { trigger: { plan: 'pro' } },
    content: 'p=pro',
    rota: 'emea',
    owner: '1',
  };
  const told = { ...envelope, type: 'refrain.owner.assigned.v1', correlationid: 'e0' };
  const read = stepsDue({ envelope: told, value: data, hash: '' }, [recipe], '1');
  const results = { trigger: { plan: 'pro' }, seller: { owner: '1', rota: 'emea' } };
  expect(read).toMatchObject({
    due: [
      {
        step: { name: 'write' },
        record: { type: 'contact', id: '123' },
        results,
        at,
        content: 'p=pro',
        rootCause: 'e0',
      },
    ],
  });
  expect(stepsDue({ envelope: told, value: { ...data, step: 'other' }, hash: '' }, [recipe], '1')).toMatchObject({
    due: [],
  });
});
