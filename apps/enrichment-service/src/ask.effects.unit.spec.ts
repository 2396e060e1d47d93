import { askingTheModel, modelAt } from './ask.effects';
import type { EnrichmentConfig } from './enrichment.config';

const quiet = { info: () => undefined, warn: () => undefined, error: () => undefined };
const ask = askingTheModel(modelAt({ OPENAI_API_KEY: 'x', OPENAI_API: 'chat' } as EnrichmentConfig, quiet));
// What is owed is known by its kind alone: a request is whatever was kept.
const shares = ask.shares as (request: object) => string;
const question = {
  ...{ name: 'grade', model: 'm', instruction: 'Grade.', text: 'company: A', schema: { type: 'object' } },
  ...{ effort: 'low', supported: ['budget'], ask: 'grade@1' },
};

it('shares an answer only with a question that is the same, in its ask and the version of that as well', () => {
  const shared = shares(question);
  expect(shares({ ...question })).toBe(shared);
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
  ].map((over) => shares({ ...question, ...over }));
  expect(new Set([shared, ...others]).size).toBe(others.length + 1);
});
