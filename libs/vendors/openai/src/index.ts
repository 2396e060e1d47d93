export type { LanguageModel, Model, OpenAiSettings, Question, Reply } from './language-model';
export { type Price, type Prices, PRICES_OF, usdFor } from './prices';
export { OPENAI_ITSELF, OpenAiClient } from './openai.client';
