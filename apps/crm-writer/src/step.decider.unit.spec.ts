import type { CrmEvent } from '#libs/contracts';
import { labelOf, readRecipe, type Recipe, type ReferenceTables, stepsOf, tablesWith } from '#libs/recipes';
import { recipeOf as goodRecipe } from '../../../libs/recipes/src/testing/recipe-of';
import { given as givenOf } from '../../../libs/process/src/testing/given';
import { recordDecider, type RecordInput } from './record.decider';
import type { StepDue } from './step.decider';

const recipeOf = (steps: string, object = 'contact'): Recipe =>
  goodRecipe(
    `recipe: r\ntrigger: { object: ${object}, property: hs_lead_status, becomes: [OPEN_DEAL] }\nsteps:\n${steps}\n`,
  );
const plain = recipeOf('  - write: { properties: { lifecyclestage: opportunity } }');
const reading = recipeOf(
  `  - when: record.lifecyclestage != "customer"
    write: { properties: { lifecyclestage: opportunity, note: "\${record.company}" } }`,
);

const given = (...history: CrmEvent[]) => givenOf(recordDecider, ...history);
const record = { type: 'contact', id: '7' };
const time = '2026-11-21T10:00:00.000Z';
const guard = { at: time, number: 0, rank: 3 };
const followed = { time, guard, results: {} };

const due = (recipe: Recipe, over: Partial<StepDue> = {}): RecordInput => {
  const [step] = stepsOf(recipe, 'write');
  if (!step) throw new Error('the recipe has no write');
  return { type: 'told', record, wishes: [], steps: [{ recipe, step, ...followed, rootCause: 'cause', ...over }] };
};
const read = (recipe: Recipe | undefined, properties?: Record<string, string | null>): RecordInput => ({
  type: 'step-read',
  purpose: 'step-r|s',
  record,
  read: { name: { recipe: 'r', step: 'write' }, recipe, rootCause: 'cause', properties, at: time },
});
const about = (recipe: Recipe) => ({ recipe: 'r', recipeVersion: recipe.version, step: 'write', rootCause: 'cause' });
const requested: CrmEvent = { type: 'RecordStepRequested', data: { ...about(reading), ...followed } };
const filled = (recipe: Recipe, properties: Record<string, string>): CrmEvent => ({
  type: 'RecordStepFilled',
  data: { ...about(recipe), ...followed, properties },
});
const wanted = (recipe: Recipe, properties: Record<string, string>, more: object = {}): CrmEvent => ({
  type: 'RecordChangeWanted',
  data: {
    properties,
    guard,
    because: 'refrain.record-step.filled.v1',
    recipe: recipe.id,
    recipeVersion: recipe.version,
    ...more,
  },
});
const rejected = (recipe: Recipe, code: string): CrmEvent => ({
  type: 'RecordStepRejected',
  data: { ...about(recipe), ...followed, code, reason: expect.any(String) as string },
});
const look = {
  kind: 'hubspot.read',
  purpose: 'step-r|write',
  request: { record, properties: ['company', 'lifecyclestage', 'note'], notes: 0 },
};
const types = (events: readonly CrmEvent[]) => events.map(({ type }) => type);

it('writes at once what needs no reading', () => {
  const decision = given()(due(plain));
  const stage = { lifecyclestage: 'opportunity' };
  expect(decision.events.slice(0, 2)).toEqual([filled(plain, stage), wanted(plain, stage)]);
  expect(decision.effects).toEqual([
    expect.objectContaining({
      kind: 'hubspot.update',
      request: { record, properties: stage },
      recipes: [labelOf(plain)],
    }),
  ]);
});

it('reads first what its expressions name, and what it will write along with it', () => {
  expect(given()(due(reading))).toMatchObject({ events: [requested], effects: [look] });
});

it('fills the step from what was read; a null leaves its property as it is', () => {
  const stage = { lifecyclestage: 'opportunity' };
  const { events } = given(requested)(read(reading, { lifecyclestage: 'lead', company: null }));
  const known = { lifecyclestage: { value: 'lead', at: time } };
  expect(events.slice(0, 2)).toEqual([filled(reading, stage), wanted(reading, stage, { known })]);
});

it('moves the record to the stage that its pipeline has by that name', () => {
  const moving = recipeOf('  - write: { stage: At risk }', 'deal');
  expect(given()(due(moving)).effects).toEqual([
    expect.objectContaining({
      request: { record, properties: ['pipeline', 'dealstage'], notes: 0, stages: true },
    }),
  ]);
  const requestedMove: CrmEvent = { type: 'RecordStepRequested', data: { ...about(moving), ...followed } };
  const answered = (stages: Record<string, string>) => {
    const input = read(moving, { pipeline: 'p', dealstage: 'old' });
    if (input.type !== 'step-read') throw new Error('another input');
    return given(requestedMove)({ ...input, read: { ...input.read, stages } }).events;
  };
  expect(answered({ 'At risk': '4711' })[0]).toEqual(filled(moving, { dealstage: '4711' }));
  expect(answered({ Won: '1' })).toEqual([rejected(moving, 'no-such-stage')]);
});

it('writes nothing where its condition does not hold', () => {
  const decision = given(requested)(read(reading, { lifecyclestage: 'customer', company: 'x' }));
  expect(decision.events).toEqual([rejected(reading, 'not-met')]);
});

it.each([
  ['the record could not be read', reading, undefined, 'unreadable'],
  [
    'an expression fails',
    recipeOf('  - write: { properties: { a: "${int(record.company)}" } }'),
    { company: 'x' },
    'expression',
  ],
])('says so where %s', (_, recipe, properties, code) => {
  const begun: CrmEvent = { type: 'RecordStepRequested', data: { ...about(recipe), ...followed } };
  expect(given(begun)(read(recipe, properties)).events).toEqual([rejected(recipe, code)]);
});

it('says so where the recipe is gone since', () => {
  const { events } = given(requested)(read(undefined, {}));
  expect(events).toEqual([
    {
      type: 'RecordStepRejected',
      data: expect.objectContaining({ code: 'recipe-gone', recipeVersion: 'gone' }) as never,
    },
  ]);
});

it('says so where the trigger’s own condition could not be told', () => {
  const failed = { code: 'expression' as const, reason: 'no' };
  expect(given()(due(plain, { failed })).events).toEqual([rejected(plain, 'expression')]);
});

it('states only the reading again for the same cause, and nothing that is wanted already', () => {
  const stage = { lifecyclestage: 'opportunity', note: 'x' };
  const history = [requested, filled(reading, stage), wanted(reading, stage)];
  expect(given(...history)(due(reading))).toMatchObject({ events: [], effects: [look] });
  expect(given(...history)(read(reading, { lifecyclestage: 'lead', company: 'x' })).events).toEqual([]);
});

it('lets mended code fill the step of the same cause anew', () => {
  const before = { lifecyclestage: 'opportunity', note: 'wrong' };
  const update: CrmEvent = { type: 'RecordUpdateOwed', data: { write: 1, properties: before } };
  const history = [
    requested,
    filled(reading, before),
    wanted(reading, before),
    update,
    { type: 'RecordUpdated', data: { write: 1, properties: before } } as CrmEvent,
  ];
  const { events } = given(...history)(read(reading, { lifecyclestage: 'lead', company: 'right' }));
  expect(types(events)).toEqual(['RecordStepFilled', 'RecordChangeWanted', 'RecordUpdateOwed']);
});

it('wants two recipes’ values with one write', () => {
  const other = { ...recipeOf('  - write: { properties: { score: 5 } }'), id: 'other' };
  const [first, second] = [due(plain), due(other)];
  if (first.type !== 'told' || second.type !== 'told') throw new Error('not told');
  const { events, effects } = given()({ ...first, steps: [...first.steps, ...second.steps] });
  expect(types(events)).toContain('RecordStepFilled');
  expect(effects?.filter(({ kind }) => kind === 'hubspot.update')).toHaveLength(1);
});

describe('actions', () => {
  const noting = recipeOf('  - write: { properties: { a: x }, note: "${record.company} came" }');
  const content = 'hs_lead_status=OPEN_DEAL';
  const requestedFor = (rootCause: string): CrmEvent => ({
    type: 'RecordStepRequested',
    data: { ...about(noting), ...followed, content, rootCause },
  });
  const answered = (rootCause: string, company: string | null): RecordInput => {
    const input = read(noting, { company });
    return input.type === 'step-read' ? { ...input, read: { ...input.read, rootCause } } : input;
  };
  const notesOf = ({ effects = [] }: { effects?: { kind: string }[] }) =>
    effects.filter(({ kind }) => kind === 'hubspot.create-note');

  it('are taken from what was read, once for a change that comes twice', () => {
    const both = [requestedFor('webhook'), requestedFor('call')];
    const first = given(...both)(answered('webhook', 'Example Ltd'));
    expect(notesOf(first)).toEqual([
      {
        kind: 'hubspot.create-note',
        purpose: 'note/r/write',
        request: { record, note: { text: 'Example Ltd came', at: time } },
        recipes: [expect.stringMatching(/^r@/)],
      },
    ]);
    expect(notesOf(given(...both, ...first.events)(answered('call', 'Example Ltd')))).toEqual([]);
    expect(notesOf(given(...both, ...first.events)(answered('webhook', 'Example Ltd')))).toHaveLength(1);
  });

  it('are not taken, nor is anything written, where one of them lacks a value', () => {
    const blank = recipeOf('  - write: { properties: { a: x }, note: "${record.company}" }');
    const begun: CrmEvent = { type: 'RecordStepRequested', data: { ...about(blank), ...followed } };
    expect(given(begun)(read(blank, { company: null }))).toEqual({ events: [rejected(blank, 'missing')] });
  });
});

describe('what a step looks up', () => {
  const tablesOf = (tier: string) => tablesWith({ plans: { pro: { tier, price: '9' } } });
  const looking = (value: string, tier: string): Recipe => {
    const steps = `steps:\n  - write: { properties: { tier: '\${${value}}' } }\n`;
    const text = `recipe: r\ntrigger: { object: contact, property: p }\n${steps}`;
    const read = readRecipe(text, 'r.yaml', undefined, { tables: tablesOf(tier) });
    if ('faults' in read) throw new Error(read.faults.join('\n'));
    return read.recipe;
  };
  const tier = 'lookup("plans", "pro", "tier")';
  const both = `${tier} + lookup("plans", "pro", "price")`;
  const gold = { table: 'plans', key: 'pro', column: 'tier', found: 'gold' };
  const first = given()(due(looking(tier, 'gold'))).events;

  it('stands in the event, no more than was used', () => {
    expect(first[0]).toMatchObject({
      type: 'RecordStepFilled',
      data: { properties: { tier: 'gold' }, looked: [gold] },
    });
  });

  it('is found again for the same root cause when the table has changed, and looked up anew for another', () => {
    const again = given(...first);
    expect(again(due(looking(tier, 'silver'))).events).toEqual([]);
    expect(again(due(looking(tier, 'silver'), { rootCause: 'other' })).events[0]).toMatchObject({
      data: { properties: { tier: 'silver' } },
    });
  });

  it('of a mended recipe only what was not looked up then is looked up now', () => {
    const price = { table: 'plans', key: 'pro', column: 'price', found: '9' };
    const { events } = given(...first)(due(looking(both, 'silver')));
    expect(events[0]).toMatchObject({ data: { properties: { tier: 'gold9' }, looked: [price, gold] } });
    expect(given(...first, ...events)(due(looking(both, 'bronze'))).events).toEqual([]);
  });

  it('is recalled from a later event, and nothing else of it', () => {
    const { recall } = recordDecider;
    const state = first.reduce((before, event) => recall?.(before, event) ?? before, recordDecider.initial);
    const decided = recordDecider.decide(state, due(looking(tier, 'silver')));
    expect(
      decided.events.map(
        ({ data: { recipeVersion: _, ...data } }: CrmEvent & { data: { recipeVersion?: string } }) => data,
      ),
    ).toEqual(
      first.map(({ data: { recipeVersion: _, ...data } }: CrmEvent & { data: { recipeVersion?: string } }) => data),
    );
    expect({ ...state, lookups: {} }).toEqual(recordDecider.initial);
  });

  it('of a step that was rejected is looked up anew: a row that was missing may be there', () => {
    const when = (tables: ReferenceTables) => {
      const steps = `steps:\n  - when: lookup("plans", "new") != null\n    write: { properties: { tier: known } }\n`;
      const read = readRecipe(`recipe: r\ntrigger: { object: contact, property: p }\n${steps}`, 'r.yaml', undefined, {
        tables,
      });
      if ('faults' in read) throw new Error(read.faults.join('\n'));
      return read.recipe;
    };
    const { events } = given()(due(when(tablesOf('gold'))));
    expect(types(events)).toEqual(['RecordStepRejected']);
    const mended = given(...events)(due(when(tablesWith({ plans: { new: {} } }))));
    expect(types(mended.events)).toContain('RecordStepFilled');
  });
});

it('takes no step for a change that is found in the record and was told before, whatever was told in between', () => {
  const content = 'hs_lead_status=OPEN_DEAL';
  const taken = given()(due(reading, { content })).events;
  const between = given(...taken)(
    due(reading, { content: 'x', rootCause: 'b', guard: { ...guard, at: '2026-11-22T10:00:00.000Z' } }),
  ).events;
  const found = due(reading, { content, rootCause: 'found-default:contact:7@1', found: true });
  expect(given(...taken, ...between)(found)).toEqual({ events: [] });
  expect(given(...between)(found).effects).toMatchObject([look]);
  const later = due(reading, {
    content,
    rootCause: 'c',
    found: true,
    guard: { ...guard, at: '2026-11-23T10:00:00.000Z' },
  });
  expect(given(...taken, ...between)(later).effects).toMatchObject([look]);
});

describe('what is done until something is so', () => {
  const alarming = recipeOf(
    `  - when: double(record.score) > 80
    until: double(record.score) < 70
    write: { task: { title: Call } }`,
  );
  const minute = (n: number) => `2026-11-21T10:0${String(n)}:00.000Z`;
  /** What comes of triggers in this order, each with its minute and the score read for it. */
  function alarms(...scores: [at: number, score: number][]): string[] {
    const history: CrmEvent[] = [];
    return scores.map(([at, score]) => {
      const rootCause = `cause-${String(at)}`;
      const time = minute(at);
      const one = { time, guard: { ...guard, at: time }, rootCause, content: String(score) };
      history.push(...given(...history)(due(alarming, one)).events);
      const answer = { ...read(alarming, { score: String(score) }) } as RecordInput & { type: 'step-read' };
      const { events } = given(...history)({ ...answer, read: { ...answer.read, rootCause } });
      history.push(...events);
      const [first] = events;
      return first?.type === 'RecordStepRejected' ? first.data.code : events.map(({ type }) => type).join();
    });
  }
  const done = 'RecordStepFilled,ActionWanted';

  it('is done once while a value wobbles around its threshold, and again after it was so', () => {
    expect(alarms([0, 85], [1, 78], [2, 81], [3, 90], [4, 60], [5, 82], [6, 79], [7, 88])).toEqual([
      done,
      'not-met',
      'still-so',
      'still-so',
      'not-met',
      done,
      'not-met',
      'still-so',
    ]);
  });

  it('is not done for a late trigger that stands between one that did it and any end', () => {
    expect(alarms([0, 85], [4, 60], [2, 90])).toEqual([done, 'not-met', 'still-so']);
    expect(alarms([0, 60], [4, 85], [2, 90])).toEqual(['not-met', done, 'still-so']);
    expect(alarms([4, 60], [2, 90], [6, 95])).toEqual(['not-met', done, done]);
  });

  it('stays done where the same trigger is read again', () => {
    expect(alarms([0, 85], [0, 85])[1]).not.toBe('still-so');
  });
});
