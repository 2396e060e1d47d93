/** Which of OpenAI's APIs is asked. */
export const languageApis = ['chat', 'responses'] as const;
export type LanguageApi = (typeof languageApis)[number];

/**
 * How an answer is held to its schema: by strict structured output, or, where a compatible service has none, by the
 * arguments of a function that the model must call, or by JSON mode with the schema in words.
 */
export const answerStructures = ['schema', 'function', 'json'] as const;
export type AnswerStructure = (typeof answerStructures)[number];

/** How much a reasoning model thinks before it answers; what it thinks is paid for as output. */
export const efforts = ['none', 'minimal', 'low', 'medium', 'high', 'xhigh', 'max'] as const;
export type Effort = (typeof efforts)[number];

/** The model that sums up texts which are longer than a question may hold, unless a setting says. */
export const SUMMARY_MODEL = 'gpt-6-luna';

/**
 * Why OpenAI answers nothing just now:
 * - `unpaid`: nothing pays for it; no waiting mends it but somebody's payment. Such codes come with several statuses.
 * - `unauthorized`: the key is not taken.
 * - `busy`: more than the account, or OpenAI, can take; it passes.
 */
export type OpenaiFailure = 'unpaid' | 'unauthorized' | 'busy';

/** Any other code that speaks of money ends as this one. */
export const SPEND_LIMIT = 'spend-limit';

const codes: Readonly<Record<OpenaiFailure, readonly string[]>> = {
  unpaid: ['insufficient_quota', 'credit_balance_exhausted', 'organization_spend_limit_exceeded', SPEND_LIMIT],
  unauthorized: ['invalid_api_key', 'http-401'],
  busy: ['rate_limit_exceeded', 'slow_down', 'http-429', 'server_is_overloaded', 'http-503'],
};

/** All codes of a class, in this one place for adapter and services. */
export const openaiCodes = (failure: OpenaiFailure): readonly string[] => codes[failure];

/** What becomes of questions that are to be asked in a batch where the account has no Batch API. */
export const withoutBatches = ['wait', 'single'] as const;

/** Code of a submission to an account, or a compatible service, that has no Batch API. */
export const NO_BATCH_API = 'no-batch-api';

/** Code of a batch that is not known, or not to the key that asks. */
export const NO_SUCH_BATCH = 'no-such-batch';

/** Code of a batch that would hold more tokens than the account may have waiting; it passes. */
export const BATCH_QUEUE_FULL = 'token_limit_exceeded';
