export type { LanguageModel, Model, OpenAiSettings, Question, Reply } from './language-model';
export { PRICES_OF, usdFor } from './prices';
export { OPENAI_ITSELF, OpenAiClient } from './openai.client';
