import type { Cost, EnrichmentEvent, Fate } from '#libs/contracts';
import { vendorWatch } from '#libs/platform';
import type { Owed } from '#libs/process';
import { readRecipe, stepOf } from '#libs/recipes';
import { given as givenOf } from '../../../libs/process/src/testing/given';
import { askingTheModel, modelAt } from './ask.effects';
import type { EnrichmentConfig } from './enrichment.config';
import type { EnrichmentInput, Summary } from './enrichment-input';
import { CONTEXT_CALLS } from './enrichments';
import { openaiAccount } from './openai-account';
import { serviceDecider } from './service.decider';
import { mostAfterReading, summingUp } from './summary.effects';

const made = readRecipe(
  `recipe: told
trigger: { object: contact, property: p }
steps:
  - ask:
      model: m
      properties: [firstname]
      context: { emails: 5, transcripts: 1 }
      tokens: 2000
      supported: [budget]
      instruction: Judge.
      answer: { type: object, properties: { budget: { type: [integer, 'null'] } } }
`,
  'r.yaml',
);
if ('faults' in made) throw new Error(made.faults.join('\n'));
const { recipe } = made;
if (!stepOf(recipe, 'ask')) throw new Error('the recipe asks nothing');

const given = (...history: EnrichmentEvent[]) => givenOf(serviceDecider, ...history);
const at = '2026-11-21T10:00:00.000Z';
const about = { recipe: 'told', recipeVersion: recipe.version, enrichment: 1, triggeredAt: at };
const rootCause = 'cause-1';
const record = { type: 'contact', id: '7' };
const requested: EnrichmentEvent = { type: 'EnrichmentRequested', data: { ...about, rootCause, content: 'p=1' } };
const failed = (code: string, reason: string): EnrichmentEvent => ({
  type: 'EnrichmentFailed',
  data: { ...about, code, reason },
});

const said = (n: number) => `Line ${String(n)}: they have $${String(n + 40)}k for twenty seats. `;
const transcript = Array.from({ length: 6_000 }, (_, n) => said(n)).join('');
const read = (purpose: string, text = transcript, emails: string[] = ['We sign on Friday.']): EnrichmentInput => ({
  type: 'read',
  rootCause,
  recipe,
  purpose,
  ended: {
    state: 'done',
    answer: {
      properties: { firstname: 'Ada' },
      notes: [],
      context: { emails: emails.map((one) => ({ at, text: one })), transcripts: [{ at, title: 'Call', text }] },
    },
  },
});
const tokens = { input: 20_000, output: 400 };
const summary = (purpose: string, over: Partial<Summary> = {}): EnrichmentInput => ({
  type: 'summarised',
  ...{ rootCause, recipe, record, purpose },
  ended: { state: 'done', answer: { finish: 'stop', summary: `summary of ${purpose}`, model: 'm-1', tokens, ...over } },
});
const refused = (purpose: string, code: string): EnrichmentInput =>
  ({ ...summary(purpose), ended: { state: 'dead', code } }) as EnrichmentInput;

/** What follows from inputs one after the other: all events, and the last one's effects. */
function after(history: EnrichmentEvent[], ...inputs: EnrichmentInput[]) {
  let effects: Owed[] = [];
  const events = [...history];
  for (const input of inputs) {
    const decision = given(...events)(input);
    events.push(...decision.events);
    effects = decision.effects ?? [];
  }
  return { events, effects };
}

const divided = after([requested], read('read'));
const parts = divided.effects.map(({ purpose }) => purpose);
const all = after([requested], read('read'), ...parts.map((part) => summary(part)));

it('sums up what one question cannot hold, each part by a call of its own', () => {
  expect(parts.length).toBeGreaterThan(4);
  expect(divided.events.slice(1)).toEqual([
    {
      type: 'EnrichmentDivided',
      data: { ...about, ask: 'ask', parts: parts.map((purpose) => purpose.slice('part-'.length)) },
    },
  ]);
  expect(divided.effects.every(({ kind }) => kind === 'openai.summarise')).toBe(true);
  const texts = divided.effects.map(({ request }) => (request as { text: string }).text);
  expect(texts.join('') === `Call\n  ${transcript.trim()}`).toBe(true);
});

it('owes the same calls for the same text at another record', () => {
  const other = after([requested], read('read', transcript, ['another e-mail', 'and one more']));
  expect(other.effects.map(({ kind, purpose, request }) => ({ kind, purpose, request }))).toEqual(
    divided.effects.map(({ kind, purpose, request }) => ({ kind, purpose, request })),
  );
});

it('notes each summary, and reads once more behind the last one', () => {
  const [first = ''] = parts;
  expect(after(divided.events, summary(first))).toMatchObject({
    events: [
      ...divided.events,
      { type: 'EnrichmentSummarised', data: { part: first.slice('part-'.length), model: 'm-1', tokens } },
    ],
    effects: [],
  });
  expect(all.effects).toMatchObject([
    { kind: 'hubspot.context', purpose: 'read-1', request: { record, properties: ['firstname'], notes: 0 } },
  ]);
  expect(given(...all.events)(summary(first))).toEqual({ events: [] });
});

it('asks of the summaries, says what was summed up, and holds the answer against what was written', () => {
  const { events, effects } = after(all.events, read('read-1'));
  expect(events.at(-1)).toMatchObject({
    type: 'EnrichmentPrepared',
    data: {
      context: { emails: 1, transcripts: 1 },
      summedUp: [{ entry: 'transcript of 2026-11-21', parts: parts.length }],
    },
  });
  const [{ request } = { request: {} }] = effects;
  const { text, original } = request as { text: string; original: string };
  expect(text).toContain('email of 2026-11-21: We sign on Friday.');
  expect(text).toContain(`summary of transcript of 2026-11-21: summary of ${parts[0] ?? ''}\n  summary of`);
  expect(text.includes('Line 17:')).toBe(false);
  expect(original.includes('Line 5999: they have $6039k')).toBe(true);
});

it('states the same question when it is read again, as a replay does, and sums up nothing anew', () => {
  const prepared = after(all.events, read('read-1'));
  const again = given(...prepared.events)(read('read'));
  expect(again).toEqual({ events: [], effects: prepared.effects });
});

it.each(['refusal', 'length', 'content_filter'] as const)('fails by name on %s of a part', (finish) => {
  const [first = '', second = ''] = parts;
  const { events, effects } = after(divided.events, summary(first, { finish }), refused(second, 'schema'));
  expect(events.slice(2)).toMatchObject([{ type: 'EnrichmentFailed', data: { code: finish } }]);
  expect(effects).toEqual([]);
});

it('keeps all other summaries behind a failure, and goes on where the failed part is asked once more', () => {
  const [first = '', ...others] = parts;
  const end = failed('model_not_found', 'OpenAI refused the request');
  const broken = after(divided.events, refused(first, 'model_not_found'), ...others.map((part) => summary(part)));
  expect(broken.events.slice(2, 4)).toMatchObject([end, { type: 'EnrichmentSummarised' }]);
  expect(broken.effects).toEqual([]);
  const mended = after(broken.events, summary(first));
  expect(mended.effects).toMatchObject([{ kind: 'hubspot.context', purpose: 'read-1' }]);
  const asked = after(mended.events, read('read-1'));
  expect(asked.effects).toMatchObject([{ kind: 'openai.ask', purpose: 'ask' }]);
});

it('states the calls of what has failed for a replay to owe again, and those of nothing else', () => {
  const [first = ''] = parts;
  const broken = after(divided.events, refused(first, 'model_not_found'));
  const again = given(...broken.events)(read('read'));
  expect(again).toEqual({ events: [], effects: divided.effects });
  const prepared = after(all.events, read('read-1'));
  expect(given(...prepared.events)(read('read', `${transcript}and more`))).toEqual({ events: [], effects: [] });
});

it('sums up what was changed meanwhile, and not for ever', () => {
  const changed = (n: number) => `${transcript}And more: ${String(n)}.`;
  let events = all.events;
  for (const round of [2, 3]) {
    const next = after(events, read(`read-${String(round - 1)}`, changed(round)));
    // Only what is new is summed up.
    expect(next.effects.length).toBeLessThanOrEqual(parts.length);
    const done = after(next.events, ...next.effects.map(({ purpose }) => summary(purpose)));
    expect(done.effects).toMatchObject([{ purpose: `read-${String(round)}` }]);
    events = done.events;
  }
  expect(after(events, read('read-3', changed(4))).events.at(-1)).toMatchObject({
    type: 'EnrichmentFailed',
    data: { code: 'unsettled' },
  });
});

it('withdraws what still waits where the record is deleted', () => {
  const [first = '', ...others] = parts;
  const { events } = after(divided.events, summary(first));
  const fate: Fate = { what: 'deleted', at: '2026-11-21T11:00:00.000Z' };
  const { supersede = [] } = given(...events)({ type: 'followed', fate });
  expect(supersede.filter(({ kind }) => kind === 'openai.summarise').map(({ purpose }) => purpose)).toEqual(others);
});

describe('what is no text', () => {
  const blob = Buffer.from(Array.from({ length: 3_000 }, (_, i) => (i * 7_919) % 256)).toString('base64');
  const nobody = (input: EnrichmentInput) =>
    ({
      ...input,
      ended: { state: 'done', answer: { properties: {}, notes: [], context: { transcripts: [{ at, text: blob }] } } },
    }) as EnrichmentInput;

  it('is left out and told, where something else is left', () => {
    const { events, effects } = after([requested], read('read', blob));
    expect(effects).toMatchObject([{ kind: 'openai.ask' }]);
    expect(JSON.stringify(effects)).not.toContain(blob.slice(0, 40));
    expect(events.at(-1)).toMatchObject({
      type: 'EnrichmentPrepared',
      data: { leftOut: [{ entry: 'transcript of 2026-11-21', code: 'not-text', is: 'base64' }] },
    });
  });

  it('is refused without a call where nothing else is left', () => {
    const decision = given(requested)(nobody(read('read')));
    expect(decision).toMatchObject({
      events: [
        {
          type: 'EnrichmentRejected',
          data: { code: 'not-text', reason: expect.stringContaining('transcript of 2026-11-21 is base64') as string },
        },
      ],
    });
    expect(decision.effects ?? []).toEqual([]);
  });
});

it('refuses what is longer than can be summed up', () => {
  const decision = given(requested)(read('read', 'word '.repeat(600_000)));
  expect(decision.events).toMatchObject([{ type: 'EnrichmentRejected', data: { code: 'too-long' } }]);
});

describe('what a plan says at most', () => {
  const lines = { info: () => undefined, error: () => undefined };
  const config = { OPENAI_API_KEY: 'k', OPENAI_MOST_TOKENS: 4_000, OPENAI_SUMMARY_MODEL: 'm' } as EnrichmentConfig;
  const model = modelAt(config, vendorWatch(openaiAccount, lines));
  const kinds = { 'openai.ask': askingTheModel(model), 'openai.summarise': summingUp(model) };
  const costOf = ({ kind, request }: Owed): Cost =>
    kind === 'hubspot.context'
      ? { apiCalls: CONTEXT_CALLS }
      : (kinds[kind as keyof typeof kinds].plan?.cost(request as never, 'replay') ?? {});
  const sum = (costs: Cost[]) =>
    costs.reduce<Required<Pick<Cost, 'apiCalls' | 'inputTokens' | 'outputTokens'>>>(
      (all, { apiCalls = 0, inputTokens = 0, outputTokens = 0 }) => ({
        apiCalls: all.apiCalls + apiCalls,
        inputTokens: all.inputTokens + inputTokens,
        outputTokens: all.outputTokens + outputTokens,
      }),
      { apiCalls: 0, inputTokens: 0, outputTokens: 0 },
    );
  const bounds = (most: Cost, real: Cost) => {
    for (const unit of ['apiCalls', 'inputTokens', 'outputTokens'] as const)
      expect(real[unit] ?? 0).toBeLessThanOrEqual(most[unit] ?? 0);
  };

  // A record that says something else at each reading, whose summaries are long, and an answer that does not fit.
  const longest = 'They said much, and more. '.repeat(600);
  const text = (n: number) => transcript.replaceAll('seats', `seats of ${String(n)}`);
  const owed: Owed[][] = [];
  let { events } = after([requested]);
  const next = (input: EnrichmentInput) => {
    const step = after(events, input);
    events = step.events;
    if (step.effects.length > 0) owed.push(step.effects);
    return step.effects;
  };
  let calls = next(read('read', text(0)));
  for (const round of [1, 2, 3]) {
    const last = round === 3;
    for (const { purpose } of calls) next(summary(purpose, { summary: last ? 'short' : longest }));
    calls = next(read(`read-${String(round)}`, text(last ? 2 : round)));
  }
  const answer = { finish: 'stop' as const, content: '{', model: 'm', tokens };
  const ended = { state: 'done' as const, answer };
  next({ type: 'answered', rootCause, recipe, record, purpose: 'ask', at, ended });
  next(read('read-again', text(2)));
  const all = owed.flat();

  it('holds for all that follows a reading, and for all that follows summaries', () => {
    expect(all.map(({ purpose }) => purpose).filter((purpose) => !purpose.startsWith('part-'))).toEqual([
      ...['read-1', 'read-2', 'read-3', 'ask', 'read-again', 'ask-again'],
    ]);
    expect(all.length).toBeGreaterThan(15);
    bounds(mostAfterReading(model, 7, 'replay'), sum(all.map(costOf)));
    const [first = []] = owed;
    const follows = first.map(
      ({ request }) => kinds['openai.summarise'].plan?.follows(request as never, 'replay') ?? {},
    );
    bounds(sum([...first.map(costOf), ...follows]), sum(all.map(costOf)));
  });
});
