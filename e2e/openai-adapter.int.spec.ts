import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { OPENAI_ITSELF, OpenAiClient, type OpenAiSettings, type Question } from '#libs/vendors/openai';
import { Watchdog } from './testing/children';
import { accountOf, newSecrets } from './testing/secrets';
import { type Call, type Sandbox, startSandbox } from './testing/vendors';

const watchdog = new Watchdog();
const secrets = newSecrets();
let openai: Sandbox;

beforeAll(async () => {
  const nowhere = { url: 'http://127.0.0.1:1', publicUrl: 'http://127.0.0.1:1' };
  openai = await startSandbox('openai', secrets, accountOf({}), nowhere, { LATENCY_MS: '1' }, watchdog);
});
afterAll(async () => {
  await openai.child.stop();
  await watchdog.stop();
});
afterEach(async () => {
  await openai.control('DELETE', '/faults');
  await openai.control('DELETE', '/answers');
});

const schema = {
  type: 'object',
  additionalProperties: false,
  required: ['budget', 'summary'],
  properties: { budget: { type: ['integer', 'null'] }, summary: { type: 'string' } },
};
let asked = 0;
/** A question that nobody asked before; `text` holds its mark. */
const question = (over: Partial<Question> = {}): Question & { text: string } => ({
  ...{ name: 'lead', model: 'gpt-6-luna', instruction: 'Judge the lead.', schema },
  text: `<<<DATA\nnote of 2026-11-20: [${String(++asked)}] We have $50k ready for Q1.\nDATA>>>`,
  ...over,
});
const client = (over: Partial<OpenAiSettings> = {}) =>
  new OpenAiClient({ ...OPENAI_ITSELF, baseUrl: `${openai.url}/v1`, apiKey: secrets.openaiApiKey, ...over });
const soon = (ms = 5_000) => AbortSignal.timeout(ms);
const fault = (kind: object) => openai.control('POST', '/faults', { fault: kind });
/** What OpenAI was sent for a question. */
const callsOf = async ({ text }: Question): Promise<Call[]> =>
  (await openai.calls()).filter(({ requestBody }) => JSON.stringify(requestBody).includes(text.split('\n')[1] ?? text));

const ways: [string, Partial<OpenAiSettings>, Partial<Question>][] = [
  ['Chat Completions by schema', {}, {}],
  ['Responses', { api: 'responses' }, {}],
  ['Chat Completions by function', { structure: 'function' }, { effort: 'none' }],
  ['Chat Completions by JSON mode', { structure: 'json' }, {}],
  ['a compatible service', { isCompatible: true }, { model: 'gpt-4o' }],
];

describe.each(ways)('by %s', (_, settings, over) => {
  it('a question is answered to its schema, with what it cost', async () => {
    const answer = await client(settings).ask(question(over), 'default', soon());
    if (answer.outcome !== 'done') throw new Error(`${answer.code}: ${answer.message}`);
    const { finish, content, tokens } = answer.value;
    expect(finish).toBe('stop');
    if (settings.structure !== 'json') expect(JSON.parse(content)).toMatchObject({ budget: 50_000 });
    expect(answer.cost).toEqual({
      inputTokens: tokens.input,
      outputTokens: tokens.output,
      usd: expect.any(Number) as number,
    });
  });

  it('nothing is kept there, and who asks is told as a hash', async () => {
    const wanted = question(over);
    await client(settings).ask(wanted, 'acme', soon());
    const [call] = await callsOf(wanted);
    const body = call?.requestBody ?? {};
    if (settings.isCompatible) {
      expect(Object.keys(body)).not.toEqual(expect.arrayContaining(['store']));
      expect(body['max_tokens']).toBe(4_000);
    } else {
      expect(body).toMatchObject({
        store: false,
        safety_identifier: expect.stringMatching(/^[0-9a-f]{64}$/) as string,
      });
    }
    expect(JSON.stringify(body)).not.toContain('acme');
  });

  it.each(['refusal', 'length', 'content_filter'])('a %s is an answer, which was paid for', async (answer) => {
    const wanted = question(over);
    await openai.control('POST', '/answers', { answer });
    const said = await client(settings).ask(wanted, 'default', soon());
    expect(said).toMatchObject({
      outcome: 'done',
      value: { finish: answer, tokens: { input: expect.any(Number) as number } },
    });
    expect((await callsOf(wanted)).map(({ billed }) => billed)).toEqual([true]);
  });
});

// What the vendors' page says of each: by code before status, and nothing is asked again by the SDK itself.
it.each([
  ['rate_limit_exceeded', { outcome: 'retry', refused: true, code: 'rate_limit_exceeded', afterMs: 1_000 }],
  ['tokens_rate_limit_exceeded', { outcome: 'retry', refused: true, code: 'rate_limit_exceeded', afterMs: 1_000 }],
  ['slow_down', { outcome: 'retry', refused: true, code: 'slow_down', afterMs: 2_000 }],
  ['server_is_overloaded', { outcome: 'retry', refused: true, code: 'server_is_overloaded' }],
  ['insufficient_quota', { outcome: 'retry', refused: true, code: 'insufficient_quota' }],
  ['credit_balance_exhausted', { outcome: 'retry', refused: true, code: 'credit_balance_exhausted' }],
  ['organization_spend_limit_exceeded', { outcome: 'retry', refused: true, code: 'organization_spend_limit_exceeded' }],
  ['invalid_api_key', { outcome: 'retry', refused: true, code: 'invalid_api_key' }],
  ['server_error', { outcome: 'retry', refused: false, code: 'server_error' }],
  ['context_length_exceeded', { outcome: 'stop', code: 'context_length_exceeded' }],
  ['unsupported_country_region_territory', { outcome: 'stop', code: 'unsupported_country_region_territory' }],
  ['model_not_found', { outcome: 'stop', code: 'model_not_found' }],
])('sorts %s by its code, and is sent once', async (code, sorted) => {
  const wanted = question();
  await fault({ kind: 'status', code });
  const answer = await client().ask(wanted, 'default', soon());
  expect(answer).toMatchObject(sorted);
  expect(await callsOf(wanted)).toHaveLength(1);
  expect(JSON.stringify(answer)).not.toContain('$50k');
});

it.each([
  [400, 'monthly_usage_limit_reached'],
  [403, 'project_spend_limit_exceeded'],
])('a code of money with status %d waits for money, whatever it is called', async (status, code) => {
  const body = { error: { message: 'no', type: 'billing', param: null, code } };
  await fault({ kind: 'status', status, body });
  expect(await client().ask(question(), 'default', soon())).toMatchObject({
    outcome: 'retry',
    refused: true,
    code: 'spend-limit',
  });
});

it('an answer that does not come in time may have been paid for, and is not asked for again by itself', async () => {
  const wanted = question();
  await fault({ kind: 'accept-then-hang' });
  expect(await client().ask(wanted, 'default', soon(300))).toMatchObject({ outcome: 'unknown', code: 'deadline' });
  await fault({ kind: 'reset' });
  const cut = question();
  expect(await client().ask(cut, 'default', soon())).toMatchObject({ outcome: 'unknown', code: 'connection-lost' });
  expect([await callsOf(wanted), await callsOf(cut)].map((calls) => calls.length)).toEqual([1, 1]);
});

it('where nobody listens nothing was asked', async () => {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  const nowhere = client({ baseUrl: `http://127.0.0.1:${String(port)}/v1` });
  expect(await nowhere.ask(question(), 'default', soon())).toMatchObject({ outcome: 'retry', refused: true });
});

it('says of data that it is data, and of an earlier answer what did not fit', async () => {
  const wanted = question({ misfit: 'budget: expected int' });
  await client().ask(wanted, 'default', soon());
  const [call] = await callsOf(wanted);
  const [told, data] = (call?.requestBody?.['messages'] ?? []) as { role: string; content: string }[];
  expect(told).toMatchObject({ role: 'developer', content: expect.stringContaining('Judge the lead.') as string });
  expect(told?.content).toMatch(/never an instruction[\s\S]*budget: expected int/);
  expect(data).toEqual({ role: 'user', content: wanted.text });
  expect(call?.requestBody).not.toHaveProperty('tools');
});

it('knows the models and the day on which each ends', async () => {
  const models = await client().models(soon());
  if (models.outcome !== 'done') throw new Error(models.code);
  expect(models.value).toEqual(expect.arrayContaining([{ id: 'gpt-6-luna' }, { id: 'gpt-4o', endsAt: '2027-01-14' }]));
});
