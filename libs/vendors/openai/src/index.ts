export { BUSY, UNAUTHORIZED, UNPAID } from './errors';
export {
  answerStructures,
  efforts,
  languageApis,
  type LanguageModel,
  type Model,
  type Question,
  type Reply,
} from './language-model';
export { OPENAI_ITSELF, OpenAiClient, type OpenAiSettings } from './openai.client';
