import { needsOf } from './needs';
import { recipeOf } from './testing/recipe-of';

const scopes = (text: string) =>
  needsOf([recipeOf(text)], 'default').scopes.map(({ scope, setup }) => `${scope}${setup ? ' (setup)' : ''}`);
const subscriptions = (...texts: string[]) =>
  needsOf(texts.map(recipeOf), 'default').subscriptions.map(({ object, change, property = '', fate }) =>
    [fate ? 'fate' : 'sets off', object, change, property].join(' ').trim(),
  );

const writing = (object: string, write: string, id = 'r') =>
  `recipe: ${id}\ntrigger: { object: ${object}, property: p }\nsteps: [{ write: ${write} }]\n`;

it('asks for nothing where there is no recipe, nor for recipes of other tenants', () => {
  expect(needsOf([], 'default')).toEqual({ scopes: [], subscriptions: [] });
  const other = recipeOf(`tenants: [acme]\n${writing('deal', '{ properties: { a: b } }')}`);
  expect(needsOf([other], 'default')).toEqual({ scopes: [], subscriptions: [] });
  expect(needsOf([other], 'acme').scopes).not.toEqual([]);
});

const init = ['crm.schemas.contacts.read (setup)', 'crm.schemas.contacts.write (setup)'];

it.each([
  [
    'deal',
    '{ properties: { a: b } }',
    ['crm.objects.deals.read', 'crm.objects.deals.write', ...init, 'crm.schemas.deals.read (setup)'],
  ],
  ['ticket', '{ properties: { a: b } }', [...init, 'tickets']],
  [
    '2-123',
    '{ properties: { a: b } }',
    ['crm.objects.custom.read', 'crm.objects.custom.write', ...init, 'crm.schemas.custom.read (setup)'],
  ],
  ['call', '{ properties: { a: b } }', ['crm.objects.contacts.read', 'crm.objects.contacts.write', ...init]],
  // A task is guarded as contacts are, whatever record it is for.
  [
    'company',
    '{ task: { title: x } }',
    [
      'crm.objects.companies.read',
      'crm.objects.contacts.read',
      'crm.objects.contacts.write',
      'crm.schemas.companies.read (setup)',
      ...init,
    ],
  ],
  ['contact', '{ lists: { add: [1] } }', ['crm.lists.write', 'crm.objects.contacts.read', ...init]],
  [
    'contact',
    '{ consent: { subscription: 1, status: subscribed } }',
    ['communication_preferences.read', 'communication_preferences.read_write', 'crm.objects.contacts.read', ...init],
  ],
  [
    'contact',
    '{ sequence: { id: 1, sender: a@example.com, user: 1 } }',
    ['automation.sequences.enrollments.write', 'automation.sequences.read', 'crm.objects.contacts.read', ...init],
  ],
  [
    'contact',
    '{ upsert: { object: company, by: number, properties: { number: 1 } } }',
    [
      'crm.objects.companies.read',
      'crm.objects.companies.write',
      'crm.objects.contacts.read',
      'crm.schemas.companies.read (setup)',
      ...init,
    ],
  ],
])('a %s recipe that writes %s needs no scope more than it uses', (object, write, expected) => {
  expect(scopes(writing(object, write))).toEqual(expected);
});

it('needs the scope of timelines only where they are written by events, and those of notes only where by notes', () => {
  const recipe = recipeOf(writing('company', '{ event: { type: x } }'));
  const runs = (timeline?: 'notes' | 'events') =>
    needsOf([recipe], 'default', timeline)
      .scopes.filter(({ setup }) => !setup)
      .map(({ scope }) => scope);
  const company = 'crm.objects.companies.read';
  expect(runs('events')).toEqual([company, 'timeline']);
  expect(runs('notes')).toEqual([company, 'crm.objects.contacts.read', 'crm.objects.contacts.write']);
  expect(runs()).toEqual(runs('notes'));
});

it('names who needs a scope, and counts it as needed where one of them runs by it', () => {
  const texts = [
    writing('contact', '{ properties: { a: b } }', 'one'),
    writing('contact', '{ properties: { a: b } }', 'two'),
  ];
  const { scopes: found } = needsOf(texts.map(recipeOf), 'default');
  expect(found.find(({ scope }) => scope === 'crm.objects.contacts.write')).toEqual({
    scope: 'crm.objects.contacts.write',
    for: ['one', 'two'],
    setup: false,
  });
});

it('waits for what triggers name, once each, and for what becomes of their records', () => {
  const due =
    'recipe: d\ntrigger: { object: deal, due: { date: ends, before: 1d } }\nsteps: [{ write: { note: x } }]\n';
  const both =
    'recipe: b\ntrigger: { object: contact, on: [creation, propertyChange], property: p }\nsteps: [{ write: { note: x } }]\n';
  expect(subscriptions(writing('contact', '{ note: x }'), both, due)).toEqual([
    'sets off contact creation',
    'fate contact deletion',
    'fate contact merge',
    'fate contact privacyDeletion',
    'sets off contact propertyChange p',
    'fate contact restore',
    'fate deal deletion',
    'fate deal merge',
    'sets off deal propertyChange ends',
    'fate deal restore',
  ]);
});

it('needs a fate that also sets something off, and of another source only the fates', () => {
  const deleted = 'recipe: d\ntrigger: { object: call, on: deletion }\nsteps: [{ write: { note: x } }]\n';
  expect(subscriptions(deleted)).toEqual(['sets off call deletion', 'fate call restore']);
  const sourced = 'recipe: s\ntrigger: { object: deal, source: billing }\nsteps: [{ write: { note: x } }]\n';
  expect(subscriptions(sourced)).toEqual(['fate deal deletion', 'fate deal merge', 'fate deal restore']);
});

it('asks for what the context of a question needs, and for no more', () => {
  const asking = (context: string) => `recipe: r
trigger: { object: deal, property: p }
steps:
  - ask:
      properties: [dealname]
      ${context}
      instruction: Judge.
      answer: { type: object, properties: { score: { type: integer } } }
`;
  const without = scopes(asking('tokens: 8000'));
  const more = (context: string) => scopes(asking(context)).filter((scope) => !without.includes(scope));
  expect(more('context: { calls: 1, transcripts: 1 }')).toEqual(['crm.objects.contacts.read']);
  expect(more('context: { emails: 1 }')).toEqual(['crm.objects.contacts.read', 'sales-email-read']);
  expect(more('context: { tickets: 1 }')).toEqual(['tickets']);
});
