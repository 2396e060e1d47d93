export type { BatchModel, BatchOf, BatchQuestion } from './batch-model';
export { OpenAiBatches } from './batches.client';
export { BATCH_RATE, usdFor } from './prices';
export type { LanguageModel, Model, OpenAiSettings, Question, Reply } from './language-model';
export { OPENAI_ITSELF, OpenAiClient } from './openai.client';
