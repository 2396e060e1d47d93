import type OpenAI from 'openai';
import { instructionOf } from './instruction';
import type { OpenAiSettings, Question, Reply } from './language-model';

type Request = OpenAI.ChatCompletionCreateParamsNonStreaming;
type Said = Omit<Reply, 'model'>;

/** A question in the words of Chat Completions; `asker` is a hash of who asks. */
export function chatRequest(question: Question, asker: string, settings: OpenAiSettings): Request {
  const { model, text, effort } = question;
  const { structure, mostTokens, isCompatible } = settings;
  const spoken = structure === 'json' ? `${instructionOf(question)}\n\n${inWords(question)}` : instructionOf(question);
  return {
    model,
    messages: [
      { role: isCompatible ? 'system' : 'developer', content: spoken },
      { role: 'user', content: text },
    ],
    ...(isCompatible
      ? olderLimit(mostTokens)
      : { max_completion_tokens: mostTokens, store: false, safety_identifier: asker }),
    ...(effort ? { reasoning_effort: effort } : {}),
    ...structured(question, structure),
  };
}

// The name that the SDK calls deprecated, and compatible services know.
const olderLimit = (tokens: number): object => ({ max_tokens: tokens });

function structured({ name, schema }: Question, structure: OpenAiSettings['structure']): Partial<Request> {
  switch (structure) {
    case 'schema':
      return { response_format: { type: 'json_schema', json_schema: { name, strict: true, schema } } };
    case 'function':
      return {
        tools: [{ type: 'function', function: { name, strict: true, parameters: schema } }],
        tool_choice: { type: 'function', function: { name } },
      };
    case 'json':
      return { response_format: { type: 'json_object' } };
  }
}

// Whoever gives JSON without a schema must be told the schema; the answer is checked against it either way.
const inWords = ({ schema }: Question): string =>
  `Answer with one JSON object that fits this JSON Schema, and nothing else:\n${JSON.stringify(schema)}`;

/** What a completion says; a function that was called says it by its arguments. */
export function chatReply({ choices, usage }: OpenAI.ChatCompletion): Said {
  const tokens = { input: usage?.prompt_tokens ?? 0, output: usage?.completion_tokens ?? 0 };
  const [choice] = choices;
  if (!choice) return { finish: 'stop', content: '', tokens };
  const { message, finish_reason: finish } = choice;
  if (message.refusal) return { finish: 'refusal', content: message.refusal, tokens };
  const called = message.tool_calls?.find((call) => call.type === 'function');
  const content = called?.function.arguments ?? message.content ?? '';
  return { finish: finish === 'length' || finish === 'content_filter' ? finish : 'stop', content, tokens };
}
