import { isObject, listOf, numberOf, objectOf, textOf, type JsonObject } from '../frame/json.ts';
import { invalid } from './errors.ts';
import { generated } from './generate.ts';
import { livingModel, type Model } from './models.ts';
import { signalsOf } from './signals.ts';
import { checkStrict } from './strict-schema.ts';

export type Format = { type: 'text' } | { type: 'json_object' } | { type: 'json_schema'; schema: JsonObject };

export interface Ask {
  model: Model;
  /** All text of the request, for counting. */
  everything: string;
  /** What the answer is made from: what the user said, without the instructions. */
  said: string;
  format: Format;
  /** The function by whose arguments the answer is given, where one must be called. */
  calls?: string;
  mostTokens: number | undefined;
}

export interface Answer {
  content: string | null;
  refusal: string | null;
  finish: 'stop' | 'length' | 'content_filter';
  promptTokens: number;
  completionTokens: number;
}

export const tokensOf = (text: string): number => Math.ceil(text.length / 4);

/** Reads one text out of a message whose content is a string or a list of parts. */
export function contentText(content: unknown): string {
  if (typeof content === 'string') return content;
  return listOf(content)
    .map((part) => textOf(objectOf(part)['text']) ?? '')
    .join('\n');
}

export function requiredModel(body: JsonObject): Model {
  const id = textOf(body['model']);
  if (id === undefined) throw invalid('you must provide a model parameter', 'model', 'missing_required_parameter');
  return livingModel(id);
}

const SAMPLING: [name: string, preset: number | boolean][] = [
  ['temperature', 1],
  ['top_p', 1],
  ['presence_penalty', 0],
  ['frequency_penalty', 0],
  ['logprobs', false],
];

/** Reasoning models take no sampling parameters unless their effort is "none". */
export function checkSampling(body: JsonObject, model: Model, effort: unknown): void {
  if (!model.reasoning && effort !== undefined && effort !== null)
    throw invalid(
      "Unsupported parameter: 'reasoning_effort' is not supported with this model.",
      'reasoning_effort',
      'unsupported_parameter',
    );
  if (!model.reasoning || effort === 'none') return;
  for (const [name, preset] of SAMPLING) {
    const value = body[name];
    if (value === undefined || value === null || value === preset) continue;
    throw invalid(
      `Unsupported value: '${name}' does not support ${String(value)} with this model. Only the default (${preset}) value is supported.`,
      name,
      'unsupported_value',
    );
  }
}

/** Reads a json_schema format, strict or not, in either API's wording. */
export function schemaFormat(given: JsonObject, param: string): Format {
  const name = textOf(given['name']) ?? '';
  if (!/^[A-Za-z0-9_-]{1,64}$/.test(name))
    throw invalid(`Invalid '${param}.name': string does not match pattern '^[a-zA-Z0-9_-]+$'.`, `${param}.name`);
  const schema = given['schema'];
  if (given['strict'] === true) return { type: 'json_schema', schema: checkStrict(name, schema, param) };
  if (!isObject(schema)) throw invalid(`Missing required parameter: '${param}.schema'.`, `${param}.schema`);
  return { type: 'json_schema', schema };
}

export function checkContext({ model, everything }: Ask): void {
  const tokens = tokensOf(everything);
  if (tokens <= model.contextTokens) return;
  throw invalid(
    `This model's maximum context length is ${model.contextTokens} tokens. However, your messages resulted in ${tokens} tokens.`,
    'messages',
    'context_length_exceeded',
  );
}

function contentOf({ said, format }: Ask): string {
  const signals = signalsOf(said);
  if (format.type === 'json_schema') return JSON.stringify(generated(format.schema, signals));
  const plain: JsonObject = {
    type: 'object',
    properties: { summary: { type: 'string' }, sentiment_score: { type: 'number' }, score: { type: 'integer' } },
  };
  const filled = objectOf(generated(plain, signals));
  return format.type === 'json_object' ? JSON.stringify(filled) : String(filled['summary']);
}

/** Answers an ask; the same ask always gets the same content. `planned` is what the control API wants instead. */
export function answerTo(ask: Ask, planned: unknown): Answer {
  const counted = { promptTokens: tokensOf(ask.everything) };
  const whole = isObject(planned) ? JSON.stringify(planned) : contentOf(ask);
  const end = (content: string | null, finish: Answer['finish'] = 'stop', refusal: string | null = null): Answer => ({
    ...counted,
    content,
    refusal,
    finish,
    completionTokens: Math.max(1, tokensOf(content ?? refusal ?? '')),
  });
  switch (planned) {
    case 'refusal':
      return end(null, 'stop', "I'm sorry, I can't help with that.");
    case 'content_filter':
      return end('', 'content_filter');
    case 'length':
      return end(whole.slice(0, Math.floor(whole.length / 2)), 'length');
    case 'bad-json':
      return end(`${whole.slice(0, -1)},`);
    case 'schema-violation':
      return end(JSON.stringify({ unexpected: true }));
  }
  const most = numberOf(ask.mostTokens);
  if (most !== undefined && tokensOf(whole) > most) return end(whole.slice(0, most * 4), 'length');
  return end(whole);
}
