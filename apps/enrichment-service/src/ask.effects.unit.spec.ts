import type { Cost } from '#libs/contracts';
import { vendorWatch } from '#libs/platform';
import { type Lane, plus } from '#libs/process';
import { askingTheModel, modelAt } from './ask.effects';
import { enrichmentConfig } from './enrichment.config';
import { openaiAccount } from './openai-account';
import { mostAfterReading } from './summary.effects';

const nobody = { info: () => undefined, error: () => undefined };
const ask = (over: object = {}, models = ['gpt-6-luna', 'gpt-6-sol']) => {
  const store = { KAFKA_BROKERS: '127.0.0.1:1', DATABASE_URL: 'postgres://127.0.0.1:1/x' };
  const env = { ...store, HUBSPOT_ACCESS_TOKEN: 'x', OPENAI_API_KEY: 'x', OPENAI_MOST_TOKENS: '1000', ...over };
  const model = modelAt(enrichmentConfig.parse(env), vendorWatch(openaiAccount, nobody), () => models);
  return {
    ask: askingTheModel(model),
    mostAfterReading: (texts: number, lane: Lane) => mostAfterReading(model, texts, lane),
  };
};
const question = { model: 'gpt-6-sol', instruction: 'x'.repeat(400), text: 'y'.repeat(3_600) };
const costOf = (
  { ask: { plan } }: ReturnType<typeof ask>,
  lane: 'live' | 'replay' | 'batch',
  over: object = {},
): Cost => plan?.cost({ ...question, ...over } as never, lane) ?? {};

// 1,000 tokens in at $2 a million, 1,000 out at $10.
const FULL = 0.012;

it.each([
  ['live', {}, FULL],
  ['replay', {}, FULL],
  ['batch', {}, FULL / 2],
  ['batch', { OPENAI_BATCH_ELSE: 'single' }, FULL],
] as const)('a question in lane %s costs at most what it costs there (%j)', (lane, over, usd) => {
  expect(costOf(ask(over), lane)).toEqual({ inputTokens: 1_000, outputTokens: 1_000, apiCalls: 1, usd });
});

it('says no price of a model whose price is not known', () => {
  expect(costOf(ask(), 'batch', { model: 'unheard-of' })).not.toHaveProperty('usd');
  expect(ask({}, ['gpt-6-luna', 'unheard-of']).mostAfterReading(1, 'batch')).not.toHaveProperty('usd');
});

it.each(['replay', 'batch'] as const)(
  'bounds in lane %s what may follow from a reading by the dearest model, asked twice',
  (lane) => {
    const model = ask();
    const { usd = 0, inputTokens = 0, outputTokens = 0 } = model.mostAfterReading(1, lane);
    const follows = model.ask.plan?.follows(question as never, lane) ?? {};
    const all = plus(costOf(model, lane), follows);
    expect(usd).toBeGreaterThanOrEqual(all.usd ?? NaN);
    expect(inputTokens).toBeGreaterThanOrEqual(all.inputTokens ?? NaN);
    expect(outputTokens).toBeGreaterThanOrEqual(all.outputTokens ?? NaN);
  },
);

// What is owed is known by its kind alone: a request is whatever was kept.
const shares = ask().ask.shares as (request: object) => string;
const asked = {
  ...{ name: 'grade', model: 'm', instruction: 'Grade.', text: 'company: A', schema: { type: 'object' } },
  ...{ effort: 'low', supported: ['budget'], ask: 'grade@1' },
};

it('shares an answer only with a question that is the same, in its ask and the version of that as well', () => {
  const shared = shares(asked);
  expect(shares({ ...asked })).toBe(shared);
  const others = [
    { ask: 'grade@2' },
    { ask: 'other@1' },
    { ask: undefined },
    { model: 'n' },
    { instruction: 'Judge.' },
    { schema: { type: 'array' } },
    { text: 'company: B' },
    { effort: 'high' },
    { supported: [] },
  ].map((over) => shares({ ...asked, ...over }));
  expect(new Set([shared, ...others]).size).toBe(others.length + 1);
});
