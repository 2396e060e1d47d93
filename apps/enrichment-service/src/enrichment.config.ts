import { answerStructures, languageApis, SUMMARY_MODEL, withoutBatches } from '#libs/contracts';
import {
  budgetSettings,
  count,
  duration,
  flag,
  hubspotSettings,
  list,
  needsAccount,
  recipeSettings,
  secret,
  url,
  workerSettings,
} from '#libs/platform';
import { z } from 'zod';

/** Accepts `model=input/output`, separated by commas; gives the prices by model. */
const modelPrices = () =>
  list()
    .refine((entries) => entries.every((entry) => PRICE.test(entry)), 'must look like my-model=0.2/1.2')
    .transform((entries) =>
      Object.fromEntries(
        entries.map((entry) => {
          const [, model = '', input, output] = PRICE.exec(entry) ?? [];
          return [model, { input: Number(input), output: Number(output) }];
        }),
      ),
    );

const PRICE = /^([^\s=]+)=(\d{1,6}(?:\.\d{1,6})?)\/(\d{1,6}(?:\.\d{1,6})?)$/;

/** Settings of enrichment-service. */
export const enrichmentConfig = z
  .object({
    ...workerSettings,
    ...hubspotSettings,
    ...recipeSettings,
    ...budgetSettings,
    OPENAI_BASE_URL: url().optional().describe('OpenAI or a compatible service, with its /v1'),
    OPENAI_API_KEY: secret().describe("OpenAI's API key"),
    OPENAI_API: z
      .enum(languageApis)
      .default('chat')
      .describe('Which API is asked: Chat Completions, which compatible services have too, or Responses'),
    OPENAI_STRUCTURE: z
      .enum(answerStructures)
      .default('schema')
      .describe(
        'What holds an answer of Chat Completions to its schema: strict structured output, or, for compatible services without it, a function (its arguments) or JSON mode (json)',
      ),
    OPENAI_COMPATIBLE: flag()
      .prefault('false')
      .describe("true for a service that knows the older words only: 'system', 'max_tokens', no 'store'"),
    OPENAI_MOST_TOKENS: count()
      .prefault('4000')
      .describe('Where an answer is cut, in tokens; what a model thinks counts. A cut answer fails as `length`'),
    OPENAI_PRICES: modelPrices()
      .optional()
      .describe(
        'Prices of models in US dollars for a million tokens, input/output, such as my-model=0.2/1.2; they count more than the listed ones. Budgets do not bound a model whose price is not known',
      ),
    OPENAI_SUMMARY_MODEL: z
      .string()
      .min(1)
      .default(SUMMARY_MODEL)
      .describe(
        'Id of the model that sums up texts which are longer than a question may hold; another one sums up all anew',
      ),
    OPENAI_RETRY_AFTER: duration()
      .prefault('5m')
      .describe('How long questions wait that nothing pays for, or whose key is not taken, until one is asked again'),
    OPENAI_DEADLINE: duration().prefault('60s').describe('Longest time for an answer; a cut call is asked once more'),
    OPENAI_PER_MINUTE: count().prefault('500').describe('Requests a minute that the account allows for the model'),
    OPENAI_AT_ONCE: count().prefault('50').describe('Questions at once, of all replicas together'),
    OPENAI_BATCH_MOST: count()
      .prefault('10000')
      .refine((most) => most <= 50_000, 'OpenAI takes 50000 questions in one batch')
      .describe('Questions in one batch at most, of those that may wait for a day; OpenAI takes 50000'),
    OPENAI_BATCH_AFTER: duration().prefault('1m').describe('How long the first question of a batch waits for others'),
    OPENAI_BATCH_EVERY: duration()
      .prefault('1m')
      .describe('How soon is looked whether a batch is done; more seldom while it takes longer, up to ten times this'),
    OPENAI_BATCH_DEADLINE: duration()
      .prefault('5m')
      .describe(
        'Longest time to submit a batch, or to take over its answers; after a crash it is taken up after three times this',
      ),
    OPENAI_BATCH_ELSE: z
      .enum(withoutBatches)
      .default('wait')
      .describe(
        'Where the account, or a compatible service, has no Batch API: questions that were to go by it wait, or are asked singly, at the full price',
      ),
    REASONING_DAYS: z
      .string()
      .regex(/^\d{1,4}$/, 'must be a number of days; 0 keeps none')
      .transform(Number)
      .prefault('30')
      .describe(
        'How long it is kept, sealed, what the model was asked and what it answered; 0 keeps none. Needs SEALING_KEY',
      ),
    SYSTEMS_FILE: z
      .string()
      .optional()
      .describe('YAML list of the systems that recipes may ask, read again when it changes; without it there are none'),
    CONTENT_KEY: secret()
      .optional()
      .describe('Names receipts of answers; without it the store keeps one of its own, enough for development'),
  })
  .refine(...needsAccount)
  .refine(({ REASONING_DAYS, RECEIPT_DAYS }) => REASONING_DAYS <= RECEIPT_DAYS, {
    path: ['REASONING_DAYS'],
    message: 'must not be more than RECEIPT_DAYS: what is kept of a person is found by its receipts when it is erased',
  });

export type EnrichmentConfig = z.infer<typeof enrichmentConfig>;
