import type { Answer } from '#libs/contracts';

/** Which of OpenAI's APIs is asked. */
export const languageApis = ['chat', 'responses'] as const;

/**
 * How an answer is held to its schema: by strict structured output, or, where a compatible service has none, by the
 * arguments of a function that the model must call, or by JSON mode with the schema in words.
 */
export const answerStructures = ['schema', 'function', 'json'] as const;

/** How much a reasoning model thinks before it answers; what it thinks is paid for as output. */
export const efforts = ['none', 'minimal', 'low', 'medium', 'high', 'xhigh', 'max'] as const;

/** A question with the JSON Schema that the answer must have. */
export interface Question {
  name: string;
  model: string;
  instruction: string;
  text: string;
  schema: Record<string, unknown>;
  /** The model's own unless said; models that do not reason refuse it. */
  effort?: (typeof efforts)[number];
  /** What of an earlier answer did not fit the schema. */
  misfit?: string;
}

/** What the model said. `refusal`, `length` and `content_filter` were billed too, so they are answers, not errors. */
export interface Reply {
  finish: 'stop' | 'refusal' | 'length' | 'content_filter';
  content: string;
  model: string;
  tokens: { input: number; output: number };
}

/** A model that the key may ask; `endsAt` is the day of its shutdown (YYYY-MM-DD), where one is set. */
export interface Model {
  id: string;
  endsAt?: string;
}

/** What is asked of whoever runs language models. Never throws: every answer is sorted. */
export interface LanguageModel {
  /**
   * Asks once, for a tenant, of whom the model's owner is told no more than a hash. A call cut by `signal` is unknown: it
   * may have been billed.
   */
  ask(question: Question, tenant: string, signal: AbortSignal): Promise<Answer<Reply>>;
  /** The models that the key may ask. Nothing is billed for it. */
  models(signal: AbortSignal): Promise<Answer<Model[]>>;
}
