import type { EffectKind } from '#libs/process';
import { HubspotClient, type ReadRequest } from '#libs/vendors/hubspot';
import { OpenAiClient, type Question } from '#libs/vendors/openai';
import type { EnrichmentConfig } from './enrichment.config';

/**
 * enrichment-service's calls. OpenAI knows no idempotency key: an answer that was lost is asked for once more, which may
 * be paid twice and is counted as a repeat in the ledger; after that a person decides.
 */
export function enrichmentEffects(config: EnrichmentConfig): Record<string, EffectKind> {
  const hubspot = new HubspotClient({ baseUrl: config.HUBSPOT_BASE_URL, accessToken: config.HUBSPOT_ACCESS_TOKEN });
  const openai = new OpenAiClient({ baseUrl: config.OPENAI_BASE_URL, apiKey: config.OPENAI_API_KEY });
  return {
    'hubspot.read': {
      is: 'query',
      deadlineMs: 8_000,
      maxAttempts: 8,
      maxRepeats: 0,
      plan: { cost: () => ({ apiCalls: 1 }) },
      perform: (request: ReadRequest, call) => hubspot.read(request, call.signal),
    },
    'openai.ask': {
      is: 'command',
      deadlineMs: config.OPENAI_DEADLINE,
      maxAttempts: 5,
      maxRepeats: 1,
      // What the model will say is not known before; four characters are about one token.
      plan: { cost: ({ instruction, text }: Question) => tokensFor(instruction.length + text.length) },
      perform: (question: Question, call) => openai.ask(question, call.signal),
    },
  };
}

const MAX_ANSWER_TOKENS = 1_000;

const tokensFor = (characters: number) => ({
  apiCalls: 1,
  inputTokens: Math.ceil(characters / 4),
  outputTokens: MAX_ANSWER_TOKENS,
});
