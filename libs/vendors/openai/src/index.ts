export * from './openai.client';
