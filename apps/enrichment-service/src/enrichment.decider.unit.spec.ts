import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { EnrichmentEvent, Fate } from '#libs/contracts';
import { labelOf, readRecipe, stepOf, tablesWith } from '#libs/recipes';
import { recipeOf } from '../../../libs/recipes/src/testing/recipe-of';
import { given as givenOf } from '../../../libs/process/src/testing/given';
import type { AskDue, EnrichmentInput } from './enrichment-input';
import { serviceDecider } from './service.decider';

const inline = readFileSync(join(__dirname, '../../../libs/recipes/src/testing/lead-qualified.yaml'), 'utf8');
const recipe = recipeOf(inline);
const step = stepOf(recipe, 'ask');
if (!step) throw new Error('the recipe is gone');
const given = (...history: EnrichmentEvent[]) => givenOf(serviceDecider, ...history);

const at = '2026-11-21T10:00:00.000Z';
const about = { recipe: 'lead-qualified', recipeVersion: recipe.version, enrichment: 1, triggeredAt: at };
const content = 'lifecyclestage=marketingqualifiedlead';
const cause = 'cause-1';
const record = { type: 'contact', id: '7' };

const chain = { tenant: 'default', record, content, at, rootCause: cause, results: {}, time: at, number: 0 };

const trigger = (over: Partial<AskDue> = {}): EnrichmentInput => ({
  type: 'triggered',
  trigger: { recipe, step, ...chain, ...over },
});
const recipes = [labelOf(recipe)];
const readRecord = {
  recipes,
  kind: 'hubspot.notes',
  purpose: 'read',
  request: { record, properties: step.properties, notes: 20 },
};
const requested: EnrichmentEvent = { type: 'EnrichmentRequested', data: { ...about, rootCause: cause, content } };
const prepared: EnrichmentEvent = {
  type: 'EnrichmentPrepared',
  data: { ...about, ask: 'qualification', notes: 1 },
};
const note = { at: '2026-11-20T09:00:00Z', text: '<p>$50k ready for <b>Q1</b></p>' };
const read = (properties: Record<string, string | null>, notes = [note]): EnrichmentInput => ({
  type: 'read',
  rootCause: cause,
  recipe,
  purpose: 'read',
  ended: { state: 'done', answer: { properties, notes } },
});
const question = {
  recipes,
  kind: 'openai.ask',
  purpose: 'ask',
  request: {
    name: 'qualification',
    model: 'gpt-6-luna',
    instruction: step.instruction,
    text: '<<<DATA\nfirstname: Ada\nnote of 2026-11-20: $50k ready for Q1\nDATA>>>',
    schema: step.answer,
    supported: ['budget'],
  },
};
const reply = { finish: 'stop' as const, model: 'gpt-6-luna-1', tokens: { input: 100, output: 20 } };
const answer = { lead_score: 82, sentiment: 0.7, budget: 50000, summary: 'Ready to buy.' };
const answered = (over: object = {}, purpose = 'ask'): EnrichmentInput => ({
  type: 'answered',
  rootCause: cause,
  recipe,
  record,
  purpose,
  at,
  ended: { state: 'done', answer: { ...reply, content: JSON.stringify(answer), ...over } },
});
const completed: EnrichmentEvent = {
  type: 'EnrichmentCompleted',
  data: {
    actedAt: at,
    ...about,
    ask: 'qualification',
    model: 'gpt-6-luna-1',
    answer,
    tokens: { input: 100, output: 20 },
    content,
  },
};
const failed = (code: string, reason: string): EnrichmentEvent => ({
  type: 'EnrichmentFailed',
  data: { ...about, code, reason },
});

it('reads the record when it is triggered, with its newest notes', () => {
  expect(given()(trigger())).toEqual({ events: [requested], effects: [readRecord] });
});

it('asks nothing about a change that is found in the record and was told before, whatever became of it', () => {
  const rejected: EnrichmentEvent = {
    type: 'EnrichmentRejected',
    data: {
      recipe: about.recipe,
      recipeVersion: about.recipeVersion,
      enrichment: 1,
      triggeredAt: at,
      code: 'not-met',
      reason: 'why',
    },
  };
  const found = trigger({ rootCause: 'cause-2', found: true });
  expect(given(requested, prepared)(found)).toEqual({ events: [] });
  expect(given(requested, rejected)(found)).toEqual({ events: [] });
  expect(given(requested, rejected)(trigger({ rootCause: 'cause-2' })).events).toHaveLength(1);
});

it('states the same reading for the same root cause, and nothing within the cool-down', () => {
  expect(given(requested, prepared, completed)(trigger())).toEqual({ events: [], effects: [readRecord] });
  expect(given(requested)(trigger({ rootCause: 'cause-2', at: '2026-11-22T09:59:59.999Z' }))).toEqual({ events: [] });
  expect(given(requested)(trigger({ rootCause: 'cause-2', at: '2026-11-22T10:00:00.000Z' })).events).toHaveLength(1);
});

it('asks about what was read, as plain text between markers', () => {
  expect(given(requested)(read({ firstname: 'Ada', company: null }))).toEqual({
    events: [prepared],
    effects: [question],
  });
});

it('asks nothing about a record that says nothing', () => {
  const reason = 'the record has neither notes nor any of the properties';
  expect(given(requested)(read({ firstname: null }, [])).events).toEqual([
    { type: 'EnrichmentRejected', data: { ...about, code: 'nothing-to-ask', reason } },
  ]);
});

it('read again states the same question once more, for the ledger to compare', () => {
  expect(given(requested, prepared, completed)(read({ firstname: 'Ada', company: null }))).toEqual({
    events: [],
    effects: [question],
  });
});

it('maps the answer to properties, ready to write', () => {
  expect(given(requested, prepared)(answered())).toEqual({ events: [completed] });
});

it('leaves a property alone where the answer is null', () => {
  const decision = given(requested, prepared)(answered({ content: JSON.stringify({ ...answer, budget: null }) }));
  expect(decision.events[0]?.data).toMatchObject({ answer: { budget: null } });
  expect(decision.events[0]?.data).not.toHaveProperty('properties.ai_budget_estimate');
});

it.each([
  ['refusal', { finish: 'refusal' }, 'the model refused to answer'],
  ['length', { finish: 'length' }, 'the answer was cut off'],
  ['content_filter', { finish: 'content_filter' }, 'the content filter stopped the answer'],
])('fails by name on %s', (code, over, reason) => {
  expect(given(requested, prepared)(answered(over)).events).toEqual([failed(code, reason)]);
});

describe('an answer that breaks its schema', () => {
  const readAgain = { ...readRecord, purpose: 'read-again' };
  const misread: EnrichmentEvent = {
    type: 'EnrichmentMisread',
    data: { ...about, code: 'schema', reason: 'the answer is not JSON', tokens: reply.tokens },
  };
  const again = (input: EnrichmentInput) => ({ ...input, purpose: 'read-again' }) as EnrichmentInput;

  it('is not believed: what was told is read again, and the model asked once more and told so', () => {
    expect(given(requested, prepared)(answered({ content: '{"lead_score":' }))).toEqual({
      events: [misread],
      effects: [readAgain],
    });
    const beyond = JSON.stringify({ ...answer, lead_score: 101 });
    expect(given(requested, prepared)(answered({ content: beyond })).events).toMatchObject([
      { type: 'EnrichmentMisread', data: { reason: expect.stringContaining('lead_score') as string } },
    ]);
    expect(given(requested, prepared, misread)(again(read({ firstname: 'Ada', company: null })))).toEqual({
      events: [],
      effects: [
        {
          ...question,
          purpose: 'ask-again',
          request: { ...question.request, misfit: 'the answer is not JSON' },
        },
      ],
    });
    expect(given(requested, prepared, misread)(answered({}, 'ask-again')).events).toEqual([completed]);
  });

  it('ends the enrichment where the next one is no better, and where nothing can be read any more', () => {
    const dead = { ...answered({}, 'ask-again'), ended: { state: 'dead', code: 'schema' } } as EnrichmentInput;
    const end = failed('schema', 'the answer does not fit its schema, nor did the one before');
    expect(given(requested, prepared, misread)(dead).events).toEqual([end]);
    const unread = { ...read({}), ended: { state: 'dead', code: 'OBJECT_NOT_FOUND' } } as EnrichmentInput;
    expect(given(requested, prepared, misread)(again(unread)).events).toEqual([
      failed('OBJECT_NOT_FOUND', 'the record could not be read'),
    ]);
  });

  it('told once more says nothing new', () => {
    expect(given(requested, prepared, misread)(answered({ content: '{' }))).toEqual({ events: [] });
    expect(given(requested, prepared, misread)(read({ firstname: 'Ada', company: null })).events).toEqual([]);
    expect(given(requested, prepared, misread, completed)(answered({}, 'ask-again'))).toEqual({ events: [] });
  });

  it('is waited for no longer where the record is deleted', () => {
    const deletion: Fate = { what: 'deleted', at: '2026-11-21T11:00:00.000Z' };
    expect(given(requested, prepared, misread)({ type: 'followed', fate: deletion }).supersede).toEqual([
      { kind: 'hubspot.read', purpose: 'read-again' },
      { kind: 'hubspot.notes', purpose: 'read-again' },
      { kind: 'hubspot.context', purpose: 'read-again' },
      { kind: 'openai.ask', purpose: 'ask-again' },
    ]);
  });
});

describe('what nothing in the text bears out', () => {
  const by = (unsupported: 'leave-out' | 'keep' | 'fail') => ({
    ...recipe,
    steps: recipe.steps.map((one) => (one.kind === 'ask' ? { ...one, supported: ['budget'], unsupported } : one)),
  });
  const said = (unsupported: 'leave-out' | 'keep' | 'fail') =>
    given(
      requested,
      prepared,
    )({ ...answered({ unsupported: ['budget'] }), recipe: by(unsupported) } as EnrichmentInput);

  it('is left out, kept or fails, as the recipe says, and is told', () => {
    const { data } = completed;
    expect(said('leave-out').events).toEqual([
      { ...completed, data: { ...data, answer: { ...answer, budget: null }, unsupported: ['budget'] } },
    ]);
    expect(said('keep').events).toEqual([{ ...completed, data: { ...data, unsupported: ['budget'] } }]);
    expect(said('fail').events).toEqual([failed('unsupported', 'nothing that the model was told bears out budget')]);
  });

  it('is looked for where the recipe says so: the question says it along', () => {
    const steps = recipe.steps.map((one) => (one.kind === 'ask' ? { ...one, supported: [] } : one));
    const asked = given(requested)({ ...read({ firstname: 'Ada' }), recipe: { ...recipe, steps } } as EnrichmentInput);
    expect(asked.effects?.[0]?.request).not.toHaveProperty('supported');
  });
});

it('takes a late answer after a failure, and nothing after completion', () => {
  expect(given(requested, prepared, failed('deadline', 'x'))(answered()).events).toEqual([completed]);
  expect(given(requested, prepared, completed)(answered())).toEqual({ events: [] });
});

it('fails once when the request is refused, and waits for a person when nobody knows', () => {
  const ended = (state: 'dead' | 'held'): EnrichmentInput =>
    ({ ...answered(), ended: { state, code: 'model_not_found' } }) as EnrichmentInput;
  expect(given(requested, prepared)(ended('dead')).events).toEqual([
    failed('model_not_found', 'OpenAI refused the request'),
  ]);
  expect(given(requested, prepared)(ended('held'))).toEqual({ events: [] });
});

it('asks by the name of the ask where the recipe uses one of a file, and says which version that is', () => {
  const using = recipeOf(`recipe: lead-qualified
trigger: { object: contact, property: lifecyclestage }
steps: [{ name: judged, ask: { use: lead-grade@3 } }]
asks:
  lead-grade@3:
    ask: lead-grade@3
    description: Grades.
    model: m
    properties: [firstname]
    instruction: Judge.
    answer: { type: object, additionalProperties: false, required: [score], properties: { score: { type: integer } } }
`);
  const { effects = [] } = given(requested)({ ...read({ firstname: 'Ada' }, []), recipe: using } as EnrichmentInput);
  expect(effects.map(({ request }) => request)).toEqual([
    {
      ...{ name: 'lead-grade', ask: 'lead-grade@3', model: 'm', instruction: 'Judge.' },
      text: '<<<DATA\nfirstname: Ada\nDATA>>>',
      schema: stepOf(using, 'ask')?.answer,
    },
  ]);
});

describe('what a question looks up', () => {
  const looking = (name: string) => {
    const text = `recipe: lead-qualified
trigger: { object: contact, property: lifecyclestage }
steps:
  - ask:
      model: m
      properties: [firstname]
      facts: { plan: '\${lookup("plans", record.plan, "name")}' }
      instruction: Judge.
      answer: { type: object, properties: { lead_score: { type: integer } } }
`;
    const made = readRecipe(text, 'r.yaml', undefined, { tables: tablesWith({ plans: { pro: { name } } }) });
    if ('faults' in made) throw new Error(made.faults.join('\n'));
    return { ...read({ plan: 'Pro' }), recipe: made.recipe } as EnrichmentInput;
  };

  it('stands in the event, and the question is the same when the table has changed', () => {
    const first = given(requested)(looking('Professional'));
    const looked = [{ table: 'plans', key: 'pro', column: 'name', found: 'Professional' }];
    expect(first.events).toMatchObject([{ type: 'EnrichmentPrepared', data: { looked } }]);
    expect(JSON.stringify(first.effects)).toContain('plan: Professional');
    const again = given(requested, ...first.events)(looking('Otherwise'));
    expect(again).toEqual({ events: [], effects: first.effects });
  });
});

describe('where the record is merged, deleted or erased', () => {
  const into = { type: 'contact', id: '9' };
  const noted = (fate: Fate): EnrichmentEvent => ({ type: 'EnrichmentRecordFollowed', data: fate });
  const merge: Fate = { what: 'merged', into, at };
  const deletion: Fate = { what: 'deleted', at: '2026-11-21T11:00:00.000Z' };
  const gone: EnrichmentEvent = {
    type: 'EnrichmentFailed',
    data: { ...about, code: 'record-deleted', reason: 'the record was deleted' },
  };
  const readThere = { ...readRecord, purpose: 'read@9', request: { ...readRecord.request, record: into } };

  it('what was asked before a merge ends where the record goes on, and what comes later begins there', () => {
    expect(given(requested, prepared, noted(merge))(answered())).toMatchObject({
      events: [{ type: 'EnrichmentCompleted' }],
      subject: 'contact:9',
    });
    const failing = { ...read({}), ended: { state: 'dead', code: 'OBJECT_NOT_FOUND' } } as EnrichmentInput;
    expect(given(requested, noted(merge))(failing)).toMatchObject({ events: [], effects: [readThere] });
    expect(given(noted(merge))(trigger()).effects).toEqual([readThere]);
  });

  it('of a deleted record nothing is asked any more', () => {
    expect(given(requested, prepared)({ type: 'followed', fate: deletion })).toEqual({
      events: [noted(deletion)],
      supersede: [
        { kind: 'hubspot.read', purpose: 'read' },
        { kind: 'hubspot.notes', purpose: 'read' },
        { kind: 'hubspot.context', purpose: 'read' },
        { kind: 'openai.ask', purpose: 'ask' },
      ],
    });
    const withdrawn: EnrichmentInput = {
      type: 'answered',
      rootCause: cause,
      recipe,
      record,
      purpose: 'ask',
      at,
      ended: { state: 'superseded', code: 'superseded' },
    };
    expect(given(requested, prepared, noted(deletion))(withdrawn)).toEqual({ events: [gone] });
    expect(given(requested, noted(deletion))(read({}))).toEqual({ events: [gone] });
    expect(given(noted(deletion))(trigger())).toEqual({ events: [requested, gone] });
  });

  it('of an erased record no answer is told', () => {
    const erasure: Fate = { what: 'forgotten', at };
    expect(given(requested, prepared, noted(erasure))(answered())).toEqual({ events: [gone] });
    expect(given(noted(erasure))(trigger())).toEqual({ events: [] });
  });
});

it('refuses what machines set off as answers to it, one after the other, and tells of it once', () => {
  const minute = (n: number): string => new Date(Date.parse(at) + n * 60_000).toISOString();
  const events = [0, 1, 2, 3, 4, 5].reduce<EnrichmentEvent[]>((history, n) => {
    const due = { by: 'machine' as const, at: minute(n), content: `p=${String(n)}`, rootCause: `c${String(n)}` };
    const next = given(...history)(trigger(due)).events;
    const done = {
      ...completed,
      data: { ...completed.data, enrichment: n + 1, actedAt: minute(n) },
    } as EnrichmentEvent;
    return [...history, ...next, ...(next.length === 1 ? [done] : [])];
  }, []);
  expect(events.filter(({ type }) => type === 'EnrichmentCompleted')).toHaveLength(4);
  const codes = events.flatMap((event) => (event.type === 'EnrichmentRejected' ? [event.data.code] : []));
  expect(codes).toEqual(['loop', 'loop']);
  expect(events.filter(({ type }) => type === 'EnrichmentLoopCut')).toHaveLength(1);
});
