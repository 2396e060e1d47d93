import { join } from 'node:path';
import { stepsDue } from './steps-due';
import { loadRecipes } from './read';

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
