import { GENERIC_RECEIVED, HUBSPOT_RECEIVED } from '#libs/contracts';
import { FieldTally } from './fields';
import type { LogRecord } from './steps-due';
import { recipeOf } from './testing/recipe-of';

const envelope = {
  id: 'e1',
  source: '/hubspot/default',
  type: HUBSPOT_RECEIVED,
  subject: 'contact:7',
  time: '2026-11-21T10:00:00.000Z',
  tenant: 'default',
  correlationid: 'e1',
};
const change = (propertyName: string, propertyValue: string, time = envelope.time): LogRecord => ({
  envelope: { ...envelope, time },
  value: {
    eventId: 7,
    portalId: 3,
    occurredAt: 1,
    subscriptionType: 'contact.propertyChange',
    objectId: 7,
    propertyName,
    propertyValue,
  },
  hash: '',
});
const event = (value: unknown): LogRecord => ({
  envelope: { ...envelope, type: GENERIC_RECEIVED, source: '/billing/main', subject: 'company:7' },
  eventType: 'invoice.paid',
  value,
  hash: '',
});
const tally = (...records: LogRecord[]) => {
  const all = new FieldTally();
  for (const [i, record] of records.entries()) all.add(record, `t/0/${String(i)}`);
  return all;
};

it('tells when a property was seen first and last, how often, and what its values look like', () => {
  const later = '2026-11-21T12:00:00.000Z';
  expect(tally(change('score', '7', later), change('score', '8.5'), change('score', '')).result()).toEqual([
    {
      of: 'hubspot contact',
      field: 'score',
      types: { number: 2, empty: 1 },
      count: 3,
      firstSeen: envelope.time,
      lastSeen: later,
      recipes: [],
    },
  ]);
});

it('shows where a value stands whose type is not that of the others', () => {
  const [field] = tally(change('score', '7'), change('score', 'high'), change('score', '8')).result();
  expect(field).toMatchObject({ types: { number: 2, text: 1 }, conflict: 't/0/1' });
});

it('tells the fields of other sources by their paths, a list as one', () => {
  const lines = [{ sku: 'a' }, { sku: 7 }];
  const found = tally(event({ amount: 1, customer: { vip: true, note: null }, lines })).result();
  expect(found.map(({ field, types }) => [field, types])).toEqual([
    ['amount', { number: 1 }],
    ['customer', { object: 1 }],
    ['customer.note', { empty: 1 }],
    ['customer.vip', { boolean: 1 }],
    ['lines', { list: 1 }],
    ['lines[]', { object: 2 }],
    ['lines[].sku', { text: 1, number: 1 }],
  ]);
  expect(found.every(({ of }) => of === 'billing invoice.paid')).toBe(true);
});

it('says which recipes wait for a field', () => {
  const steps = 'steps: [{ write: { properties: { a: x } } }]';
  const recipes = [
    recipeOf(`recipe: scored\ntrigger: { object: contact, property: score }\n${steps}`),
    recipeOf(
      `recipe: paid\ntrigger: { source: billing, object: company, take: { a: event.body.customer.vip } }\n${steps}`,
    ),
  ];
  const found = tally(change('score', '1'), change('other', '1'), event({ customer: { vip: true }, amount: 2 })).result(
    recipes,
  );
  expect(found.filter(({ recipes: of }) => of.length > 0).map(({ field, recipes: of }) => [field, of])).toEqual([
    ['customer.vip', ['paid']],
    ['score', ['scored']],
  ]);
});

it('never shows a value', () => {
  const secret = 'Ada-Lovelace';
  const all = tally(change('firstname', secret), event({ name: secret, list: [secret] })).result();
  expect(JSON.stringify(all)).not.toContain(secret);
});

it('passes over what cannot be read, and follows no sender without end', () => {
  const broken: LogRecord = {
    ...change('a', '1'),
    get value(): unknown {
      throw new Error('no JSON');
    },
  };
  expect(tally(broken, { ...change('a', '1'), value: 7 }).result()).toEqual([]);
  const many = Object.fromEntries(Array.from({ length: 10_500 }, (_, i) => [`k${String(i)}`, i]));
  const found = tally(event(many));
  expect(found.result()).toHaveLength(10_000);
  expect(found.beyond).toBe(500);
  let deep: unknown = 1;
  for (let i = 0; i < 5_000; i += 1) deep = { d: deep };
  expect(tally(event(deep)).result()).toHaveLength(6);
});
