import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { listOf, numberOf, objectOf, textOf, type JsonObject } from '../frame/json.ts';
import type { Random } from '../frame/seeded-random.ts';
import {
  answerTo,
  checkContext,
  checkSampling,
  contentText,
  requiredModel,
  schemaFormat,
  tokensOf,
  type Answer,
  type Ask,
  type Format,
} from './completion.ts';
import { invalid } from './errors.ts';
import type { Ledger } from './ledger.ts';
import { livingModel, livingModels, shownModel, type Model } from './models.ts';

interface Message {
  role: string;
  text: string;
}

const messagesOf = (input: unknown): Message[] =>
  listOf(input).map((item) => ({
    role: textOf(objectOf(item)['role']) ?? '',
    text: contentText(objectOf(item)['content']),
  }));

function textsOf(messages: Message[]): { everything: string; said: string } {
  const everything = messages.map(({ text }) => text).join('\n');
  const said = messages.filter(({ role }) => role === 'user').map(({ text }) => text);
  return { everything, said: said.length > 0 ? said.join('\n') : everything };
}

function refuseStream(body: JsonObject): void {
  if (body['stream'] === true) throw invalid('The sandbox does not stream.', 'stream', 'unsupported_value');
}

function checkedFormat(given: unknown, schema: JsonObject, param: string, everything: string): Format {
  const type = objectOf(given)['type'] ?? 'text';
  if (type === 'json_schema') return schemaFormat(schema, param);
  if (type !== 'json_object' && type !== 'text')
    throw invalid(`Invalid value: '${String(type)}'.`, param, 'invalid_value');
  if (type === 'json_object' && !/json/i.test(everything))
    throw invalid(
      "'messages' must contain the word 'json' in some form, to use 'response_format' of type 'json_object'.",
      'messages',
    );
  return { type };
}

function chatAsk(body: JsonObject): Ask {
  const model = requiredModel(body);
  refuseStream(body);
  const messages = messagesOf(body['messages']);
  if (messages.length === 0)
    throw invalid("Missing required parameter: 'messages'.", 'messages', 'missing_required_parameter');
  if (body['max_tokens'] !== undefined && body['max_tokens'] !== null && model.reasoning)
    throw invalid(
      "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead.",
      'max_tokens',
      'unsupported_parameter',
    );
  checkSampling(body, model, body['reasoning_effort']);
  const texts = textsOf(messages);
  const mostTokens = numberOf(body['max_completion_tokens']) ?? numberOf(body['max_tokens']);
  if (listOf(body['tools']).length > 0) return { model, ...texts, mostTokens, ...calledFunction(body, model) };
  const given = body['response_format'];
  const schema = objectOf(objectOf(given)['json_schema']);
  return { model, ...texts, format: checkedFormat(given, schema, 'response_format', texts.everything), mostTokens };
}

/** The one function that must be called; models that reason call none unless their effort is "none". */
function calledFunction(body: JsonObject, model: Model): { format: Format; calls: string } {
  if (model.reasoning && body['reasoning_effort'] !== 'none')
    throw invalid(
      "Function tools with reasoning_effort are not supported for this model in /v1/chat/completions. Please set reasoning_effort to 'none'.",
      'reasoning_effort',
      'unsupported_parameter',
    );
  const chosen = textOf(objectOf(objectOf(body['tool_choice'])['function'])['name']);
  const functions = listOf(body['tools']).map((tool) => objectOf(objectOf(tool)['function']));
  const called = functions.find((one) => textOf(one['name']) === chosen);
  if (chosen === undefined || called === undefined)
    throw invalid('The sandbox calls the function that tool_choice names, and no other.', 'tool_choice');
  const { name, strict, parameters: schema } = called;
  return { format: schemaFormat({ name, strict, schema }, 'tools[0].function.parameters'), calls: chosen };
}

function responseAsk(body: JsonObject): Ask {
  const model = requiredModel(body);
  refuseStream(body);
  if (body['response_format'] !== undefined)
    throw invalid(
      "Unsupported parameter: 'response_format'. In the Responses API, this parameter has moved to 'text.format'.",
      'response_format',
      'unsupported_parameter',
    );
  const input = body['input'];
  const messages = typeof input === 'string' ? [{ role: 'user', text: input }] : messagesOf(input);
  if (messages.length === 0)
    throw invalid("Missing required parameter: 'input'.", 'input', 'missing_required_parameter');
  checkSampling(body, model, objectOf(body['reasoning'])['effort']);
  const system = { role: 'system', text: textOf(body['instructions']) ?? '' };
  const texts = textsOf([system, ...messages]);
  const given = objectOf(objectOf(body['text'])['format']);
  const format = checkedFormat(given, given, 'text.format', texts.everything);
  return { model, ...texts, format, mostTokens: numberOf(body['max_output_tokens']) };
}

const unix = (): number => Math.floor(Date.now() / 1000);

function chatBody(id: string, { model, calls }: Ask, answer: Answer): JsonObject {
  const { content, refusal, finish, promptTokens, completionTokens } = answer;
  const called = calls !== undefined && refusal === null;
  const said = called
    ? {
        content: null,
        tool_calls: [{ id: `call_${id}`, type: 'function', function: { name: calls, arguments: content } }],
      }
    : { content };
  return {
    id: `chatcmpl-${id}`,
    object: 'chat.completion',
    created: unix(),
    model: model.id,
    choices: [
      {
        index: 0,
        message: { role: 'assistant', ...said, refusal, annotations: [] },
        logprobs: null,
        finish_reason: finish,
      },
    ],
    usage: {
      prompt_tokens: promptTokens,
      completion_tokens: completionTokens,
      total_tokens: promptTokens + completionTokens,
      prompt_tokens_details: { cached_tokens: 0, audio_tokens: 0 },
      completion_tokens_details: { reasoning_tokens: 0, audio_tokens: 0 },
    },
    service_tier: 'default',
    system_fingerprint: 'fp_sandbox',
  };
}

function responseBody(id: string, { model }: Ask, answer: Answer, body: JsonObject): JsonObject {
  const { content, refusal, finish, promptTokens, completionTokens } = answer;
  const part =
    refusal === null ? { type: 'output_text', text: content ?? '', annotations: [] } : { type: 'refusal', refusal };
  const status = finish === 'stop' ? 'completed' : 'incomplete';
  const reason = finish === 'length' ? 'max_output_tokens' : finish;
  return {
    id: `resp_${id}`,
    object: 'response',
    created_at: unix(),
    status,
    error: null,
    incomplete_details: finish === 'stop' ? null : { reason },
    instructions: body['instructions'] ?? null,
    model: model.id,
    output: [{ type: 'message', id: `msg_${id}`, status, role: 'assistant', content: [part] }],
    parallel_tool_calls: true,
    store: body['store'] ?? true,
    text: body['text'] ?? { format: { type: 'text' } },
    tool_choice: 'auto',
    tools: [],
    metadata: {},
    usage: {
      input_tokens: promptTokens,
      input_tokens_details: { cached_tokens: 0, cache_write_tokens: 0 },
      output_tokens: completionTokens,
      output_tokens_details: { reasoning_tokens: 0 },
      total_tokens: promptTokens + completionTokens,
    },
  };
}

interface Endpoint {
  read(body: JsonObject): Ask;
  shape(id: string, ask: Ask, answer: Answer, body: JsonObject): JsonObject;
}

/** What answers are generated by, also for the lines of batches. */
const ENDPOINTS: Readonly<Record<string, Endpoint>> = {
  '/v1/chat/completions': { read: chatAsk, shape: chatBody },
  '/v1/responses': { read: responseAsk, shape: responseBody },
};

/** Reads a request as its endpoint does; throws what that answers to one that it does not take. */
export function askAt(endpoint: string, body: JsonObject): Ask {
  const known = ENDPOINTS[endpoint];
  if (!known) throw invalid(`Invalid URL (POST ${endpoint})`, 'url');
  const ask = known.read(body);
  checkContext(ask);
  return ask;
}

/** Generates an answer, and books it; `batch` names the batch that pays half. */
export function generateAt(
  endpoint: string,
  body: JsonObject,
  { ledger, random }: { ledger: Ledger; random: Random },
  batch?: { id: string; customId: string },
): JsonObject | undefined {
  const ask = askAt(endpoint, body);
  const answer = answerTo(ask, ledger.take(JSON.stringify(body)));
  const { promptTokens, completionTokens } = answer;
  ledger.bill({ endpoint, model: ask.model.id, promptTokens, completionTokens, body, batch });
  return ENDPOINTS[endpoint]?.shape(random.hex(24), ask, answer, body);
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

export function addModelRoutes(app: FastifyInstance, ledger: Ledger, random: Random): void {
  const generate = async (request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> => {
    const body = objectOf(request.body);
    const endpoint = request.url.split('?')[0] ?? '';
    const limits = ledger.admit(tokensOf(askAt(endpoint, body).everything));
    const said = generateAt(endpoint, body, { ledger, random });
    if (request.call) request.call.billed = true;
    await pause(ledger.settings.latencyMs);
    const processing = String(Math.round(ledger.settings.latencyMs));
    return reply.headers({ ...limits, 'openai-processing-ms': processing, 'openai-version': '2020-10-01' }).send(said);
  };
  for (const endpoint of Object.keys(ENDPOINTS)) app.post(endpoint, generate);
  app.post('/v1/responses/input_tokens', async (request) => ({
    object: 'response.input_tokens',
    input_tokens: tokensOf(responseAsk(objectOf(request.body)).everything),
  }));
  app.get('/v1/models', async () => ({ object: 'list', data: livingModels().map(shownModel) }));
  app.get('/v1/models/:id', async (request) => shownModel(livingModel((request.params as { id: string }).id)));
}
