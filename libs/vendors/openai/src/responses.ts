import type OpenAI from 'openai';
import { instructionOf } from './instruction';
import type { OpenAiSettings, Question, Reply } from './language-model';

type Request = OpenAI.Responses.ResponseCreateParamsNonStreaming;

/** A question in the words of the Responses API, which keeps what it is told unless it is asked not to. */
export const responsesRequest = (question: Question, asker: string, { mostTokens }: OpenAiSettings): Request => ({
  model: question.model,
  store: false,
  safety_identifier: asker,
  max_output_tokens: mostTokens,
  instructions: instructionOf(question),
  input: question.text,
  ...(question.effort ? { reasoning: { effort: question.effort } } : {}),
  text: { format: { type: 'json_schema', name: question.name, strict: true, schema: question.schema } },
});

/** What a response says. */
export function responsesReply(response: OpenAI.Responses.Response): Omit<Reply, 'model'> {
  const { output, usage, incomplete_details: cut } = response;
  const tokens = { input: usage?.input_tokens ?? 0, output: usage?.output_tokens ?? 0 };
  const parts = output.flatMap((item) => (item.type === 'message' ? item.content : []));
  const refusal = parts.find((part) => part.type === 'refusal');
  if (refusal) return { finish: 'refusal', content: refusal.refusal, tokens };
  const content = parts.map((part) => (part.type === 'output_text' ? part.text : '')).join('');
  const finish =
    cut?.reason === 'max_output_tokens' ? 'length' : cut?.reason === 'content_filter' ? cut.reason : 'stop';
  return { finish, content, tokens };
}
