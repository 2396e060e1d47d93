export type { LanguageModel, Model, OpenAiSettings, Question, Reply } from './language-model';
export { OPENAI_ITSELF, OpenAiClient } from './openai.client';
