import type { EnrichmentEvent, FetchEvent } from '#libs/contracts';
import { type FetchStep, labelOf, stepsOf } from '#libs/recipes';
import { given as givenOf } from '../../../libs/process/src/testing/given';
import { recipeOf } from '../../../libs/recipes/src/testing/recipe-of';
import type { FetchDue, FetchInput } from './fetch.decider';
import { serviceDecider } from './service.decider';

const recipe = recipeOf(`recipe: usage
trigger: { object: contact, property: stage }
steps:
  - name: usage
    fetch:
      from: billing
      path: /customers/\${record.external_id}/usage
      keep: 24h
      take: { logins: body.logins, days: int(body.days) }
  - name: plans
    fetch: { from: billing, path: /plans, take: { all: body.all }, otherwise: { all: null } }
`);
const stepIn = (name: string): FetchStep => {
  const step = stepsOf(recipe, 'fetch').find((one) => one.name === name);
  if (!step) throw new Error(`no step ${name}`);
  return step;
};
const given = (...history: EnrichmentEvent[]) => givenOf(serviceDecider, ...history);

const at = '2026-11-21T10:00:00.000Z';
const record = { type: 'contact', id: '7' };
const rootCause = 'cause-1';
const content = 'stage=customer';
const trigger = { subject: { plan: 'pro' } };
const about = (step = 'usage') => ({ recipe: 'usage', recipeVersion: recipe.version, step, fetch: 1, triggeredAt: at });

const due = (over: Partial<FetchDue> = {}, step = 'usage', declared = true): FetchInput => ({
  type: 'fetch-due',
  declared,
  due: {
    recipe,
    step: stepIn(step),
    tenant: 'default',
    record,
    content,
    at,
    rootCause,
    results: trigger,
    time: at,
    number: 0,
    ...over,
  },
});
const requested = (step = 'usage'): FetchEvent => ({
  type: 'FetchRequested',
  data: { ...about(step), system: 'billing', rootCause, content, results: trigger },
});
const completed = (fields: Record<string, unknown>, step = 'usage', status = 200): FetchEvent => ({
  type: 'FetchCompleted',
  data: { actedAt: at, ...about(step), system: 'billing', status, fields, content, results: trigger },
});
const rejected = (code: string, step = 'usage'): FetchEvent => ({
  type: 'FetchRejected',
  data: { ...about(step), code, reason: expect.any(String) as string },
});
const recipes = [labelOf(recipe)];
const reading = (purpose = 'fetch/usage') => ({
  kind: 'hubspot.read',
  purpose,
  request: { record, properties: ['external_id'], notes: 0 },
  recipes,
});
const asking = {
  kind: 'http.fetch.billing',
  purpose: 'fetch/usage',
  request: { path: '/customers/7/usage', kept: { forMs: 86_400_000, since: '2026-11-21T00:00:00.000Z' } },
  recipes,
};
const askingAlone = { ...asking, purpose: 'fetch/usage/alone', request: { path: '/customers/7/usage' } };
const askingPlans = { kind: 'http.fetch.billing', purpose: 'fetch/plans', request: { path: '/plans' }, recipes };

type Read = FetchInput & { type: 'fetch-read' };
const read = (external_id: string | null, over: Partial<Read> = {}): FetchInput => ({
  type: 'fetch-read',
  purpose: 'fetch/usage',
  step: 'usage',
  rootCause,
  recipe,
  alone: false,
  declared: () => true,
  ended: { state: 'done', answer: { properties: { external_id } } },
  ...over,
});
type Fetched = FetchInput & { type: 'fetched' };
const fetched = (over: Partial<Fetched> = {}, step = 'usage'): FetchInput => ({
  type: 'fetched',
  at,
  step,
  rootCause,
  recipe,
  system: 'billing',
  alone: false,
  record,
  ended: { state: 'done', answer: { status: 200, body: { logins: 41, days: '30', more: 'x' } } },
  ...over,
});
const dead = { state: 'dead', code: 'http-500' } as const;

describe('when a step is due', () => {
  it('the record is read first, where the question needs it', () => {
    expect(given()(due())).toEqual({ events: [requested()], effects: [reading()] });
  });

  it('the system is asked at once, where it does not', () => {
    expect(given()(due({}, 'plans'))).toEqual({ events: [requested('plans')], effects: [askingPlans] });
  });

  it('the same root cause asks once: the same calls are stated again', () => {
    expect(given(requested())(due())).toEqual({ events: [], effects: [reading()] });
    expect(given(requested('plans'), completed({ all: 1 }, 'plans'))(due({}, 'plans'))).toEqual({
      events: [],
      effects: [askingPlans],
    });
  });

  it('the same content within the cool-down asks nothing, another step does', () => {
    const later = { rootCause: 'cause-2', at: '2026-11-21T20:00:00.000Z' };
    expect(given(requested())(due(later)).events).toEqual([]);
    expect(given(requested())(due(later)).effects ?? []).toEqual([]);
    expect(given(requested())(due(later, 'plans')).events).toHaveLength(1);
  });

  it.each([
    ['other content', { content: 'stage=lead' }],
    ['the cool-down is over', { at: '2026-11-23T10:00:00.000Z' }],
  ])('it asks again for %s', (_, over) => {
    expect(given(requested())(due({ rootCause: 'cause-2', ...over })).events).toMatchObject([
      { type: 'FetchRequested', data: { fetch: 2 } },
    ]);
  });

  it('what was rejected does not cool down', () => {
    expect(given(requested(), rejected('missing'))(due({ rootCause: 'cause-2' })).events).toHaveLength(1);
    const found = due({ rootCause: 'cause-2', found: true });
    expect(given(requested(), rejected('missing'))(found).events).toEqual([]);
  });

  it('a trigger whose own condition failed is rejected', () => {
    const failed = { code: 'expression' as const, reason: 'why' };
    expect(given()(due({ failed }))).toEqual({ events: [requested(), rejected('expression')] });
  });

  it('a system that nobody declared is a rejection', () => {
    expect(given()(due({}, 'plans', false))).toEqual({ events: [requested('plans'), rejected('no-system', 'plans')] });
  });
});

describe('when the record was read', () => {
  it('the system is asked by the bucket of the trigger’s own time', () => {
    expect(given(requested())(read('7'))).toEqual({ events: [], effects: [asking] });
  });

  it('it is not asked about what the record does not say', () => {
    expect(given(requested())(read(null))).toEqual({ events: [rejected('missing')] });
  });

  it.each([
    ['no-system', { declared: () => false }],
    ['recipe-gone', { recipe: undefined }],
    ['http-404', { ended: { state: 'dead', code: 'http-404' } }],
  ] as [string, Partial<Read>][])('it is rejected as %s', (code, over) => {
    expect(given(requested())(read('7', over))).toEqual({ events: [rejected(code)] });
  });

  it('a second rejection says nothing new, and after a fix the question is stated', () => {
    expect(given(requested(), rejected('missing'))(read(null))).toEqual({ events: [] });
    expect(given(requested(), rejected('missing'))(read('7'))).toEqual({ events: [], effects: [asking] });
  });
});

describe('when the system answered', () => {
  it('what the recipe takes is known, and nothing else of the answer', () => {
    expect(given(requested())(fetched())).toEqual({ events: [completed({ logins: 41, days: 30 })] });
  });

  it('an expression that fails rejects that fetch; after a fix it is completed', () => {
    const body = { logins: 41, days: 'many' };
    const odd = fetched({ ended: { state: 'done', answer: { status: 200, body } } });
    expect(given(requested())(odd)).toEqual({ events: [rejected('expression')] });
    expect(given(requested(), rejected('expression'))(odd)).toEqual({ events: [] });
    expect(given(requested(), rejected('expression'))(fetched())).toEqual({
      events: [completed({ logins: 41, days: 30 })],
    });
  });

  it('404 is what the recipe says otherwise, else a rejection', () => {
    const ended = { state: 'done', answer: { status: 404, body: null } } as const;
    expect(given(requested())(fetched({ ended }))).toEqual({ events: [rejected('not-found')] });
    expect(given(requested('plans'))(fetched({ ended }, 'plans'))).toEqual({
      events: [completed({ all: null }, 'plans', 404)],
    });
  });

  it('what was taken once stays', () => {
    expect(given(requested(), completed({ logins: 1 }))(fetched())).toEqual({ events: [] });
  });

  it('a call that failed ends the step', () => {
    expect(given(requested('plans'))(fetched({ ended: dead }, 'plans'))).toEqual({
      events: [rejected('http-500', 'plans')],
    });
  });

  it('a shared call that failed is followed by one of its own, and that one ends the step', () => {
    expect(given(requested())(fetched({ ended: dead }))).toEqual({
      events: [],
      effects: [reading('fetch/usage/alone')],
    });
    expect(given(requested())(read('7', { alone: true }))).toEqual({ events: [], effects: [askingAlone] });
    expect(given(requested())(fetched({ ended: dead, alone: true }))).toEqual({ events: [rejected('http-500')] });
  });

  it('a shared call that somebody withdrew is not made again', () => {
    const ended = { state: 'withdrawn', code: 'erased' } as const;
    expect(given(requested())(fetched({ ended }))).toEqual({ events: [rejected('erased')] });
  });

  it.each([
    ['the step is gone', { recipe: undefined }],
    ['the step asks another system now', { system: 'former' }],
  ])('it is rejected where %s', (_, over) => {
    expect(given(requested())(fetched(over))).toEqual({ events: [rejected('recipe-gone')] });
  });

  it('nothing follows for whom nobody asked, nor from what is open', () => {
    expect(given()(fetched())).toEqual({ events: [] });
    expect(given(requested())(fetched({ rootCause: 'other' }))).toEqual({ events: [] });
    expect(given(requested())(fetched({ ended: { state: 'open' } }))).toEqual({ events: [] });
  });
});

it('follows its record: it is asked where that goes on, and not of one that is gone', () => {
  const into = { type: 'contact', id: '9' };
  const merged: EnrichmentEvent = { type: 'EnrichmentRecordFollowed', data: { what: 'merged', into, at } };
  const there = { ...reading('fetch/usage@9'), request: { ...reading().request, record: into } };
  const refused = { ended: { state: 'dead' as const, code: 'OBJECT_NOT_FOUND' } };
  expect(given(requested(), merged)(read(null, refused))).toEqual({
    events: [],
    effects: [there],
    subject: 'contact:9',
  });
  expect(given(merged)(due())).toEqual({ events: [requested()], effects: [there], subject: 'contact:9' });
  const deleted: EnrichmentEvent = { type: 'EnrichmentRecordFollowed', data: { what: 'deleted', at } };
  expect(given(requested(), deleted)(read('7'))).toEqual({ events: [rejected('record-deleted')] });
  expect(given(deleted)(due())).toEqual({ events: [requested(), rejected('record-deleted')] });
});
