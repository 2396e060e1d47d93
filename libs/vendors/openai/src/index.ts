export type { BatchModel, BatchOf, BatchQuestion } from './batch-model';
export { OpenAiBatches } from './batches.client';
export type { LanguageModel, Model, OpenAiSettings, Question, Reply } from './language-model';
export { BATCH_RATE, type Price, type Prices, PRICES_OF, usdFor } from './prices';
export { OPENAI_ITSELF, OpenAiClient } from './openai.client';
