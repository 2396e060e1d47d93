import type { Answer, AnswerStructure, Effort, LanguageApi } from '#libs/contracts';
import type { Prices } from './prices';

/** Where OpenAI (or a compatible service) is, who we are there, and how it is asked. */
export interface OpenAiSettings {
  baseUrl?: string;
  apiKey: string;
  api: LanguageApi;
  /** Of Chat Completions; Responses always go by the schema. */
  structure: AnswerStructure;
  /** The service knows the older words only: `system`, `max_tokens`, and neither `store` nor `safety_identifier`. */
  isCompatible: boolean;
  /** Where an answer is cut, in tokens; what a model thinks counts. */
  mostTokens: number;
  /** Prices that count more than the listed ones, such as those of models that are not OpenAI's own. */
  prices?: Prices;
}

/** A question with the JSON Schema that the answer must have. */
export interface Question {
  name: string;
  model: string;
  instruction: string;
  text: string;
  schema: Record<string, unknown>;
  /** The model's own unless said; models that do not reason refuse it. */
  effort?: Effort;
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
