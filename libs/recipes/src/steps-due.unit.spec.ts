import { join } from 'node:path';
import { stepsDue } from './steps-due';
import { GENERIC_RECEIVED } from '#libs/contracts';
import { loadRecipes } from './read';
import type { Recipe } from './recipe';
import type { LogRecord } from './steps-due';
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

it("knows our own change by the app in the tenant's account; where that is not known a change by an app waits", () => {
  const apps: Record<string, string> = { acme: '7', blue: '8' };
  const by = (tenant: string, change: object) => {
    const value = { ...qualified, ...change };
    const read = stepsDue({ envelope: { ...envelope, tenant }, value, hash: '' }, everyones, (name) => apps[name]);
    return 'error' in read ? read.error : read.due.length;
  };
  const everyones = recipes.map((recipe) => ({ ...recipe, tenants: ['acme', 'blue', 'other'] }));
  const ours = { changeSource: 'INTEGRATION', sourceId: '7' };
  expect([by('acme', ours), by('blue', ours)]).toEqual([0, 2]);
  expect(() => by('other', ours)).toThrow('our own app in the account of other is not known');
  expect(by('other', { changeSource: 'CRM_UI', sourceId: 'userId:7' })).toBe(2);
});

/** What begins, step by step, with what it is given. */
const dueOf = (recipes: Recipe[], record: Pick<LogRecord, 'value' | 'eventType'> & { type: string; over?: object }) => {
  const { eventType, type, over } = record;
  const read = stepsDue(
    {
      envelope: { ...envelope, type, ...over },
      eventType,
      hash: 'h',
      get value() {
        return record.value;
      },
    },
    recipes,
    '1',
  );
  if ('error' in read) return read.error;
  return read.due.map(({ step, results, content, at, number }) => ({ step: step.name, results, content, at, number }));
};

describe('an event of another source', () => {
  const unpaid = (trigger = ''): Recipe =>
    recipeOf(`recipe: unpaid
trigger:
  source: billing
  object: company
  on: [invoice.payment_failed]
  take: { amount: event.body.amount }
${trigger}
steps:
  - write: { properties: { unpaid_amount: "\${steps.trigger.amount}" } }
`);
  const failed = { type: GENERIC_RECEIVED, eventType: 'invoice.payment_failed', value: { amount: 12 } };
  const over = { source: '/billing/main', subject: 'company:77' };

  it('sets off the recipes that wait for it about its record, which read what the trigger takes', () => {
    expect(dueOf([unpaid()], { ...failed, over })).toEqual([
      {
        step: 'write',
        results: { trigger: { amount: 12 } },
        content: 'invoice.payment_failed {"amount":12}',
        at: envelope.time,
        number: 0,
      },
    ]);
  });

  it.each([
    ['another source', { over: { ...over, source: '/shop/main' } }],
    ['another kind of record', { over: { ...over, subject: 'customer:77' } }],
    ['another type', { over, eventType: 'invoice.paid' }],
    ['no type', { over, eventType: undefined }],
  ])('of %s sets off nothing, and its body is not even read', (_, other) => {
    const record = { ...failed, ...other };
    Object.defineProperty(record, 'value', {
      get: () => {
        throw new Error('read');
      },
    });
    expect(dueOf([unpaid()], record)).toEqual([]);
  });

  it('that its condition cannot be told of sets off a rejection, one that does not hold nothing', () => {
    const when = (source: string) => [unpaid(`  when: ${source}`)];
    expect(dueOf(when('event.body.amount > 20'), { ...failed, over })).toEqual([]);
    const read = stepsDue(
      { envelope: { ...envelope, type: GENERIC_RECEIVED, ...over }, ...failed, hash: '' },
      when('int(event.body.note) > 1'),
      '1',
    );
    expect('due' in read && read.due[0]?.failed?.code).toBe('expression');
  });
});

describe('a date that was reached', () => {
  const renewal = recipeOf(`recipe: renewal
trigger: { object: deal, due: { date: contract_end, before: 60d }, take: { ends: event.value } }
steps:
  - write: { properties: { renewal_due: "\${steps.trigger.ends}" } }
`);
  const at = '2027-01-30T00:00:00.000Z';
  const data = { recipe: 'renewal', property: 'contract_end', value: '2027-03-31', dueAt: at };
  const record = { type: 'refrain.record-date.reached.v1', value: data, over: { subject: 'deal:7' } };

  it('sets off the recipe that waited for it, as of when it was due', () => {
    expect(dueOf([renewal], record)).toEqual([
      {
        step: 'write',
        results: { trigger: { ends: '2027-03-31' } },
        content: `contract_end=${String(Date.UTC(2027, 2, 31))}`,
        at,
        number: 0,
      },
    ]);
  });

  it('sets off nothing where the recipe waits for it no more, and cannot be read without its fields', () => {
    expect(dueOf([], record)).toEqual([]);
    expect(dueOf([{ ...renewal, id: 'other' }], record)).toEqual([]);
    expect(dueOf([renewal], { ...record, value: {} })).toMatch(/cannot be read/);
  });

  it('is awaited from the change that says it, our own write too', () => {
    const change = {
      ...qualified,
      subscriptionType: 'deal.propertyChange',
      propertyName: 'contract_end',
      propertyValue: '2027-03-31',
      changeSource: 'INTEGRATION',
      sourceId: '1',
    };
    const read = stepsDue({ envelope, value: change, hash: '' }, [renewal], '1');
    expect(read).toMatchObject({
      due: [],
      dates: [
        { recipe: 'renewal', value: '2027-03-31', offsetMs: -60 * 86_400_000, saidAt: '2026-08-27T15:05:56.000Z' },
      ],
    });
  });
});

describe('the end of a step', () => {
  const chained = recipeOf(`recipe: chained
trigger: { object: contact, property: lead_score, becomes: ["1"], take: { score: event.value } }
steps:
  - name: judged
    ask:
      model: m
      properties: [company]
      instruction: Judge.
      answer: { type: object, properties: { mood: { type: string } } }
  - video:
      template: t
      title: Hello
      variables: { mood: "\${steps.judged.mood}", score: "\${steps.trigger.score}" }
  - name: last
    write: { properties: { url: "\${steps.video.url}", mood: "\${steps.judged.mood}" } }
`);
  const about = { recipe: 'chained', recipeVersion: 'v', triggeredAt: envelope.time, content: 'lead_score=1' };

  it('lets those begin that read it, with all that was left before', () => {
    const value = {
      ...about,
      enrichment: 2,
      ask: 'judged',
      model: 'm',
      answer: { mood: 'glad' },
      tokens: { input: 1, output: 1 },
      results: { trigger: { score: '1' } },
    };
    expect(dueOf([chained], { type: 'refrain.enrichment.completed.v1', value })).toEqual([
      {
        step: 'video',
        results: { trigger: { score: '1' }, judged: { mood: 'glad' } },
        content: 'lead_score=1',
        at: envelope.time,
        number: 2,
      },
    ]);
  });

  it('of the last one but one lets the last begin', () => {
    const results = { trigger: { score: '1' }, judged: { mood: 'glad' } };
    const value = { ...about, render: 1, videoId: 'v1', url: 'https://example.com/v1', results };
    const due = dueOf([chained], { type: 'refrain.render.completed.v1', value });
    expect(due).toMatchObject([
      { step: 'last', results: { ...results, video: { url: 'https://example.com/v1', video_id: 'v1' } } },
    ]);
  });

  it('lets nothing begin where the recipe is gone, nor do events that end no step', () => {
    const value = { ...about, render: 1, videoId: 'v1', url: 'https://example.com/v1' };
    expect(dueOf([], { type: 'refrain.render.completed.v1', value })).toEqual([]);
    expect(dueOf([chained], { type: 'refrain.render.failed.v1', value })).toEqual([]);
  });
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

describe('a record that was found', () => {
  const staged = (trigger = 'property: stage, becomes: [open]') =>
    recipeOf(`recipe: staged
trigger: { object: contact, ${trigger} }
steps:
  - write: { properties: { seen: "yes" } }
`);
  const changedAt = '2026-11-20T10:00:00.000Z';
  const data = {
    sweep: 1,
    object: 'contact',
    origin: 'reconcile',
    id: '123',
    from: '2026-11-20T09:00:00.000Z',
    created: { at: '2026-01-01T00:00:00.000Z' },
    modifiedAt: '2026-11-21T10:00:00.000Z',
    properties: { stage: { value: 'open', at: changedAt, sourceType: 'CRM_UI', sourceId: 'userId:1' } },
  };
  const found = (over: object = {}, recipes: Recipe[] = [staged()]) => {
    const type = 'refrain.record.found.v1';
    const read = stepsDue({ envelope: { ...envelope, type }, value: { ...data, ...over }, hash: '' }, recipes, '77');
    if ('error' in read) throw new Error(read.error);
    return read;
  };
  const stage = (over: object) => ({ properties: { stage: { ...data.properties.stage, ...over } } });

  it('was deleted or restored, where the journal says so', () => {
    const said = { object: 'contact', id: '123', what: 'deleted', at: changedAt };
    const type = 'refrain.record-fate.found.v1';
    const read = stepsDue({ envelope: { ...envelope, type }, value: said, hash: '' }, [staged()], '77');
    const fates = [{ record: { type: 'contact', id: '123' }, fate: { what: 'deleted', at: changedAt } }];
    expect(read).toMatchObject({ due: [], fates });
  });

  it('counts like the change that its webhook would have told, at its own time', () => {
    const { due } = found();
    expect(due).toMatchObject([{ content: 'stage=open', at: changedAt, found: true, rootCause: 'e1' }]);
    expect(found({ sweep: undefined, origin: 'journal' }).due).toMatchObject([{ content: 'stage=open', found: true }]);
    expect(found(stage({ value: 'closed' })).due).toEqual([]);
    const by = recipeOf(`recipe: by
trigger: { object: contact, property: stage, when: 'event.source == "CRM_UI"' }
steps: [{ write: { properties: { seen: "yes" } } }]
`);
    expect(found({}, [by]).due).toHaveLength(1);
    expect(found(stage({ sourceType: 'IMPORT' }), [by]).due).toEqual([]);
  });

  it('sets off nothing by what our own app wrote, nor by what is older than the sweep looks at', () => {
    expect(found(stage({ sourceType: 'INTEGRATION', sourceId: '77' })).due).toEqual([]);
    expect(found(stage({ sourceType: 'INTEGRATION', sourceId: '78' })).due).toHaveLength(1);
    expect(found(stage({ at: '2026-11-20T08:59:59.999Z' })).due).toEqual([]);
    expect(found({ from: undefined, ...stage({ at: '2019-01-01T00:00:00.000Z' }) }).due).toHaveLength(1);
    expect(found(stage({ at: undefined })).due).toEqual([]);
  });

  it('counts as created only where that was within what the sweep looks at', () => {
    const created = staged('on: [creation]');
    expect(found({}, [created]).due).toEqual([]);
    const at = '2026-11-20T09:30:00.000Z';
    expect(found({ created: { at } }, [created]).due).toMatchObject([{ content: 'creation', at }]);
    expect(found({ created: { at, sourceType: 'INTEGRATION', sourceId: '77' } }, [created]).due).toEqual([]);
  });

  it('says a date as its webhook would, so that the same one is the same', () => {
    const dated = staged('property: ends');
    const ends = (value: string) => ({ properties: { ends: { value, at: changedAt } } });
    const contents = ['2027-03-31', '2027-03-31T00:00:00Z', String(Date.UTC(2027, 2, 31))].map(
      (value) => found(ends(value), [dated]).due[0]?.content,
    );
    expect(new Set(contents).size).toBe(1);
  });

  it('is awaited by its dates, without those that were due before the sweep looks', () => {
    const waits = staged('due: { date: ends, after: 1d }');
    const properties = { ends: { value: '2027-03-31', at: changedAt } };
    const { from } = data;
    expect(found({ properties }, [waits]).dates).toMatchObject([{ saidAt: changedAt, notBefore: from }]);
    expect(found({ properties, from: undefined }, [waits]).dates).toMatchObject([{ notBefore: envelope.time }]);
  });

  it('whose date comes due is for the recipe alone that waits for it', () => {
    const waits = staged('due: { date: ends, after: 1d }');
    const other = { ...waits, id: 'other' };
    const due = { origin: 'due', recipe: 'staged', from: undefined };
    const properties = { ...data.properties, ends: { value: '2027-03-31' } };
    const read = found({ ...due, properties }, [waits, other, staged()]);
    expect(read.due).toEqual([]);
    expect(read.dates).toEqual([
      expect.objectContaining({ recipe: 'staged', saidAt: data.modifiedAt, value: String(Date.UTC(2027, 2, 31)) }),
    ]);
    expect(read.dates[0]).not.toHaveProperty('notBefore');
  });
});
