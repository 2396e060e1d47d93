import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { Ajv } from 'ajv';
import OpenAI, { type APIError } from 'openai';
import { seededRandom } from '../src/frame/seeded-random.ts';
import { goDuration } from '../src/openai/ledger.ts';
import { createOpenai } from '../src/openai/server.ts';
import { listening, type Sandbox } from './harness.ts';

let openai: Sandbox;
let client: OpenAI;
const MODEL = 'gpt-6-luna';
const NOTES = `Call with Ada. She loves the product, is excited and wants a demo. Budget is $50k, decision by March 2027.
Their CTO is worried about the migration. Next step: send the proposal.`;

before(async () => {
  openai = await listening(createOpenai({ apiKey: 'test-key', latencyMs: 1, random: seededRandom(4) }));
  client = new OpenAI({ apiKey: 'test-key', baseURL: `${openai.url}/v1`, maxRetries: 0 });
});
after(async () => openai[Symbol.asyncDispose]());

const object = (properties: Record<string, object>) => ({
  type: 'object',
  properties,
  required: Object.keys(properties),
  additionalProperties: false,
});

const LEAD = object({
  lead_score: { type: 'integer', minimum: 0, maximum: 100 },
  ai_lead_summary: { type: 'string' },
  ai_sentiment_score: { type: 'number', minimum: -1, maximum: 1 },
  ai_budget_estimate: { type: ['number', 'null'] },
  timeline: { anyOf: [{ type: 'string' }, { type: 'null' }] },
  priority: { type: 'string', enum: ['low', 'medium', 'high'] },
  is_urgent: { type: 'boolean' },
  pain_points: { type: 'array', items: { type: 'string' }, maxItems: 3 },
  stakeholders: { type: 'array', items: { $ref: '#/$defs/person' } },
});
const SCHEMA = { ...LEAD, $defs: { person: object({ quote: { type: 'string' }, role: { enum: ['cto', 'other'] } }) } };

const ask = (text: string, extra: object = {}, schema: object = SCHEMA) =>
  client.chat.completions.create({
    model: MODEL,
    messages: [
      { role: 'system', content: 'Extract the budget of $1 as JSON.' },
      { role: 'user', content: text },
    ],
    response_format: { type: 'json_schema', json_schema: { name: 'lead', strict: true, schema: schema as never } },
    ...extra,
  } as OpenAI.ChatCompletionCreateParamsNonStreaming);

const contentOf = (completion: OpenAI.ChatCompletion): any => JSON.parse(completion.choices[0]?.message.content ?? '');

async function refused(promise: Promise<unknown>): Promise<APIError> {
  try {
    await promise;
  } catch (error) {
    return error as APIError;
  }
  throw new Error('the call did not fail');
}

describe('structured answers', () => {
  const check = new Ajv({ strict: false }).compile(SCHEMA);
  const conforms = (value: unknown): boolean => check(value);

  it('conform to the schema and say what the text says, the same every time', async () => {
    const first = await ask(NOTES);
    const value = contentOf(first);
    assert.ok(conforms(value), JSON.stringify(check.errors));
    assert.equal(value.ai_budget_estimate, 50_000);
    assert.match(value.timeline, /March 2027/);
    assert.ok(value.ai_sentiment_score > 0);
    assert.ok(value.lead_score > 60);
    assert.match(value.ai_lead_summary, /Ada/);
    assert.equal(value.stakeholders[0].role, 'cto');
    assert.deepEqual(contentOf(await ask(NOTES)), value);
    assert.equal(first.choices[0]?.finish_reason, 'stop');
    assert.equal(first.usage?.total_tokens, (first.usage?.prompt_tokens ?? 0) + (first.usage?.completion_tokens ?? 0));
  });

  it('judge what stands between markers by its content alone', async () => {
    const data = (...lines: string[]) => ['<<<DATA', ...lines, 'DATA>>>'].join('\n');
    const value = contentOf(
      await ask(
        data('firstname: Ada', 'recent_conversion_event_name: Webinar', 'note of 2026-11-21: $50k ready for Q1'),
      ),
    );
    assert.deepEqual(
      [value.ai_budget_estimate, value.ai_lead_summary, value.timeline],
      [50_000, '$50k ready for Q1. Mood: positive. Budget: $50k. When: Q1.', 'Q1'],
    );
    assert.ok(value.ai_sentiment_score > 0);
    assert.equal(value.lead_score, 65);
    const cold = contentOf(await ask(data('firstname: Ada', 'note of 2026-11-21: Not interested, too expensive')));
    assert.ok(cold.lead_score < 20 && cold.ai_sentiment_score < 0);
    assert.equal(cold.ai_budget_estimate, null);
    const named = contentOf(
      await ask(data('company: Northwind', 'jobtitle: CTO'), {}, object({ company: { type: 'string' } })),
    );
    assert.equal(named.company, 'Northwind');
  });

  it('are null where nothing was said, and darker in a darker mood', async () => {
    const value = contentOf(await ask('They are angry, frustrated and want a refund.'));
    assert.ok(conforms(value), JSON.stringify(check.errors));
    assert.deepEqual([value.ai_budget_estimate, value.timeline], [null, null]);
    assert.ok(value.ai_sentiment_score < 0);
    const range = contentOf(
      await ask('great', {}, object({ sentiment: { type: 'number' }, empty: { type: 'string' } })),
    );
    assert.ok(range.sentiment > 0.5 && range.sentiment <= 1);
    const euros = contentOf(
      await ask('We have 50,000 EUR', {}, object({ budget: { type: 'number' }, currency: { type: 'string' } })),
    );
    assert.deepEqual(euros, { budget: 50_000, currency: 'EUR' });
  });

  it('are refused for a schema outside the strict subset', async () => {
    const open = { ...SCHEMA, additionalProperties: true };
    assert.match(
      (await refused(ask(NOTES, {}, open))).message,
      /'additionalProperties' is required to be supplied and to be false/,
    );
    const partial = { ...SCHEMA, required: ['lead_score'] };
    assert.match((await refused(ask(NOTES, {}, partial))).message, /Missing 'ai_lead_summary'/);
    assert.match((await refused(ask(NOTES, {}, { type: 'array', items: {} }))).message, /got 'type: "array"'/);
    const preset = object({ a: { type: 'string', default: 'x' } });
    const error = await refused(ask(NOTES, {}, preset));
    assert.deepEqual([error.status, error.type, error.param], [400, 'invalid_request_error', 'response_format']);
    assert.match(error.message, /'default' is not permitted/);
  });

  it('work in the other formats and through Responses', async () => {
    const loose = await ask(NOTES, { response_format: { type: 'json_object' } });
    assert.equal(typeof contentOf(loose).summary, 'string');
    const messages = [{ role: 'user', content: 'hello' }];
    assert.match(
      (await refused(ask('', { messages, response_format: { type: 'json_object' } }))).message,
      /the word 'json'/,
    );
    const text = await ask(NOTES, { response_format: { type: 'text' } });
    assert.match(text.choices[0]?.message.content ?? '', /Ada/);
    const response = await client.responses.create({
      model: MODEL,
      instructions: 'Extract.',
      input: NOTES,
      text: { format: { type: 'json_schema', name: 'lead', strict: true, schema: SCHEMA } },
    });
    assert.equal(JSON.parse(response.output_text).ai_budget_estimate, 50_000);
    assert.ok((response.usage?.output_tokens ?? 0) > 0);
  });
});

describe('a function that must be called', () => {
  const tool = (effort?: string) =>
    client.chat.completions.create({
      model: MODEL,
      messages: [{ role: 'user', content: NOTES }],
      tools: [{ type: 'function', function: { name: 'lead', strict: true, parameters: SCHEMA } }],
      tool_choice: { type: 'function', function: { name: 'lead' } },
      ...(effort === undefined ? {} : { reasoning_effort: effort as 'none' }),
    });

  it('is called with arguments that fit its schema', async () => {
    const [choice] = (await tool('none')).choices;
    const [call] = choice?.message.tool_calls ?? [];
    assert.equal(choice?.message.content, null);
    assert.equal(call?.type === 'function' && call.function.name, 'lead');
    assert.ok(new Ajv().validate(SCHEMA, JSON.parse(call?.type === 'function' ? call.function.arguments : '')));
  });

  it('is refused by a model that reasons', async () => {
    assert.equal((await refused(tool())).param, 'reasoning_effort');
  });
});

describe('models and parameters', () => {
  it('tell when a model ends, and do not know every model', async () => {
    const listed = await client.models.list();
    const ids = listed.data.map(({ id }) => id);
    assert.ok(ids.includes('gpt-6-luna'));
    const luna: any = await client.models.retrieve('gpt-6-luna');
    assert.equal(luna.shutdown_date, null);
    const unknown = await refused(ask(NOTES, { model: 'gpt-none' }));
    assert.deepEqual([unknown.status, unknown.code], [404, 'model_not_found']);
  });

  it('refuse sampling and max_tokens for reasoning models', async () => {
    const sampled = await refused(ask(NOTES, { temperature: 0 }));
    assert.deepEqual([sampled.status, sampled.code, sampled.param], [400, 'unsupported_value', 'temperature']);
    await ask(NOTES, { temperature: 0, reasoning_effort: 'none' });
    const old = await refused(ask(NOTES, { max_tokens: 5 }));
    assert.deepEqual([old.code, old.param], ['unsupported_parameter', 'max_tokens']);
    const short = await ask(NOTES, { max_completion_tokens: 3 });
    assert.equal(short.choices[0]?.finish_reason, 'length');
  });
});

describe('trouble', () => {
  it('comes by name, with request id and headers', async () => {
    for (const [code, status] of [
      ['insufficient_quota', 429],
      ['slow_down', 429],
      ['server_error', 500],
      ['server_is_overloaded', 503],
      ['context_length_exceeded', 400],
    ] as const) {
      await openai.control('POST', '/faults', { match: { pathPrefix: '/v1/chat' }, fault: { kind: 'status', code } });
      const error = await refused(ask(NOTES));
      assert.deepEqual([error.status, error.code], [status, code]);
      assert.match(error.requestID ?? '', /^req_/);
    }
    const stranger = new OpenAI({ apiKey: 'other', baseURL: `${openai.url}/v1`, maxRetries: 0 });
    assert.equal((await refused(stranger.models.list() as Promise<unknown>)).code, 'invalid_api_key');
    const { response } = await client.chat.completions
      .create({ model: MODEL, messages: [{ role: 'user', content: 'hi' }] })
      .withResponse();
    assert.match(response.headers.get('x-ratelimit-reset-requests') ?? '', /^\d+(\.\d+)?(ms|s)$/);
    assert.deepEqual([goDuration(20), goDuration(1000), goDuration(360_000)], ['20ms', '1s', '6m0s']);
  });

  it('comes as planned answers', async () => {
    const planned = async (answer: unknown) => {
      await openai.control('POST', '/answers', { match: { bodyIncludes: 'Ada' }, answer });
      return (await ask(NOTES)).choices[0];
    };
    const refusal = await planned('refusal');
    assert.deepEqual([refusal?.message.content, typeof refusal?.message.refusal], [null, 'string']);
    assert.equal((await planned('length'))?.finish_reason, 'length');
    assert.equal((await planned('content_filter'))?.finish_reason, 'content_filter');
    assert.deepEqual(JSON.parse((await planned('schema-violation'))?.message.content ?? ''), { unexpected: true });
    const broken = await planned('bad-json');
    assert.throws(() => JSON.parse(broken?.message.content ?? ''));
    assert.deepEqual(JSON.parse((await planned({ lead_score: 1 }))?.message.content ?? ''), { lead_score: 1 });
    await openai.control('POST', '/answers', { answer: 'refusal' });
    const response = await client.responses.create({ model: MODEL, input: 'hi' });
    assert.equal((response.output[0] as any).content[0].type, 'refusal');
  });

  it('of a lost answer is billed once, and only then', async () => {
    const before = await openai.control('GET', '/billing');
    await openai.control('POST', '/faults', { fault: { kind: 'accept-then-hang' } });
    const impatient = client.withOptions({ timeout: 300 });
    const messages = [{ role: 'user' as const, content: 'hi' }];
    await assert.rejects(impatient.chat.completions.create({ model: MODEL, messages }));
    await openai.control('POST', '/faults', { fault: { kind: 'status', code: 'server_error' } });
    await refused(client.chat.completions.create({ model: MODEL, messages }));
    const billing = await openai.control('GET', '/billing');
    assert.equal(billing.calls, before.calls + 1);
    const { calls } = await openai.control('GET', '/calls');
    assert.equal(JSON.stringify(calls).includes('test-key'), false);
  });
});
