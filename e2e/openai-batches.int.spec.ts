import type { Answer } from '#libs/contracts';
import { vendorWatch } from '#libs/platform';
import type { CallContext, Carried, UnderWay } from '#libs/process';
import { OPENAI_ITSELF, OpenAiBatches, OpenAiClient, type OpenAiSettings, type Question } from '#libs/vendors/openai';
import { askingInBatches } from '../apps/enrichment-service/src/batch.effects';
import { enrichmentConfig } from '../apps/enrichment-service/src/enrichment.config';
import { openaiAccount } from '../apps/enrichment-service/src/openai-account';
import { Watchdog } from './testing/children';
import { accountOf, newSecrets } from './testing/secrets';
import { type Sandbox, startSandbox } from './testing/vendors';

// OpenAI's Batch API: the adapter, and the job that enrichment-service makes of it, at the stand-in.

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
beforeEach(async () => {
  await openai.control('PUT', '/batches', { batches: true, batchMs: 0, doneAtCancel: 0 });
});
afterEach(async () => {
  for (const path of ['/faults', '/batch-faults', '/answers']) await openai.control('DELETE', path);
});

const schema = {
  type: 'object',
  additionalProperties: false,
  required: ['budget', 'summary'],
  properties: { budget: { type: ['integer', 'null'] }, summary: { type: 'string' } },
};
let asked = 0;
/** Questions that nobody asked before, each with a name. */
const questions = (n: number, over: Partial<Question> = {}) =>
  Array.from({ length: n }, () => {
    asked += 1;
    const text = `<<<DATA\nnote of 2026-11-20: [${String(asked)}.] We have $50k ready for Q1.\nDATA>>>`;
    const question: Question = {
      name: 'lead',
      model: 'gpt-6-luna',
      instruction: 'Judge the lead.',
      schema,
      text,
      ...over,
    };
    return { name: `q-${String(asked)}`, question };
  });
const soon = () => AbortSignal.timeout(5_000);
const settings = (over: Partial<OpenAiSettings> = {}): OpenAiSettings => ({
  ...OPENAI_ITSELF,
  ...{ baseUrl: `${openai.url}/v1`, apiKey: secrets.openaiApiKey },
  ...over,
});
const batchesOf = (over?: Partial<OpenAiSettings>) => new OpenAiBatches(settings(over));
const fault = (pathPrefix: string, kind: object) =>
  openai.control('POST', '/faults', { match: { method: 'POST', pathPrefix }, fault: kind });
const batchFault = (kind: object, bodyIncludes?: string) =>
  openai.control('POST', '/batch-faults', { match: { bodyIncludes }, fault: kind });

interface Billing {
  entries: { question: string; rate: number; batch?: string; customId?: string }[];
}
const billed = async () => (await openai.control<Billing>('GET', '/billing')).entries;
const files = async () => (await openai.control<{ files: unknown[] }>('GET', '/files')).files.length;
const all = async () =>
  (await openai.control<{ batches: { id: string; status: string; metadata: object }[] }>('GET', '/batches')).batches;

function valueOf<T>(answer: Answer<T>): T {
  if (answer.outcome !== 'done') throw new Error(`${answer.code}: ${answer.message}`);
  return answer.value;
}

async function ended(batches: OpenAiBatches, id: string) {
  for (;;) {
    const batch = valueOf(await batches.look(id, soon()));
    if (batch.state !== 'open') return batch;
  }
}

const ways: [string, Partial<OpenAiSettings>][] = [
  ['Chat Completions', {}],
  ['Responses', { api: 'responses' }],
];

describe.each(ways)('by %s', (_, over) => {
  it('questions are answered as they are singly, at half of what that costs, and nothing is kept there', async () => {
    const batches = batchesOf(over);
    const [kept, all] = [await files(), questions(5)];
    const batch = await ended(batches, valueOf(await batches.submit(all, `token-${String(asked)}`, 'acme', soon())).id);
    expect(batch).toMatchObject({ state: 'completed', counts: { total: 5, done: 5, failed: 0 } });
    const results = valueOf(await batches.results(batch, soon()));
    const [first] = all;
    const alone = await new OpenAiClient(settings(over)).ask(first?.question as Question, 'acme', soon());
    if (alone.outcome !== 'done') throw new Error(alone.code);
    const usd = (alone.cost?.usd ?? 0) / 2;
    expect(results.get(first?.name ?? '')).toEqual({ ...alone, cost: { ...alone.cost, usd } });
    expect([...results.keys()].sort()).toEqual(all.map(({ name }) => name).sort());
    // The very same request: one bill by half, one in full.
    const same = (await billed()).filter(({ customId }) => customId === first?.name)[0]?.question;
    expect((await billed()).filter(({ question }) => question === same).map(({ rate }) => rate)).toEqual([0.5, 1]);
    valueOf(await batches.forget(batch, soon()));
    valueOf(await batches.forget(batch, soon()));
    expect(await files()).toBe(kept);
  });
});

it('says of each question why it has no answer, and nothing of what it asked', async () => {
  const batches = batchesOf();
  const [good, unlucky, wrong] = [questions(1), questions(1), questions(1, { schema: { type: 'array' } })].flat();
  await batchFault({ kind: 'line', status: 429, code: 'rate_limit_exceeded' }, unlucky?.name);
  const lines = [good, unlucky, wrong].filter((one) => one !== undefined);
  const batch = await ended(batches, valueOf(await batches.submit(lines, 'single-lines', 'acme', soon())).id);
  const results = valueOf(await batches.results(batch, soon()));
  expect(results.get(good?.name ?? '')?.outcome).toBe('done');
  expect(results.get(unlucky?.name ?? '')).toMatchObject({ outcome: 'retry', code: 'line-rate_limit_exceeded' });
  expect(results.get(wrong?.name ?? '')).toMatchObject({ outcome: 'stop' });
  expect(JSON.stringify([...results.values()].filter(({ outcome }) => outcome !== 'done'))).not.toContain('$50k');
});

it('finds by its token a batch whose answer was lost, page by page; of one that was not taken the file is deleted', async () => {
  const batches = batchesOf();
  await fault('/v1/batches', { kind: 'accept-then-reset' });
  expect(await batches.submit(questions(1), 'lost', 'acme', soon())).toMatchObject({ outcome: 'unknown' });
  expect(valueOf(await batches.find('lost', soon()))).toMatchObject({ counts: { total: 1 } });
  const before = await files();
  await fault('/v1/batches', { kind: 'reset' });
  expect(await batches.submit(questions(1), 'never', 'acme', soon())).toMatchObject({ outcome: 'unknown' });
  expect(await files()).toBe(before + 1);
  expect(valueOf(await batches.find('never', soon()))).toBeUndefined();
  expect(await files()).toBe(before);
});

it('says that there is no Batch API', async () => {
  const batches = batchesOf();
  expect(valueOf(await batches.hasBatches(soon()))).toBe(true);
  await openai.control('PUT', '/batches', { batches: false });
  expect(valueOf(await batches.hasBatches(soon()))).toBe(false);
  expect(await batches.submit(questions(1), 't', 'acme', soon())).toMatchObject({
    outcome: 'stop',
    code: 'no-batch-api',
  });
});

describe('the job of enrichment-service', () => {
  const told: string[] = [];
  const lines = { info: () => undefined, error: (_: object, message: string) => void told.push(message) };
  const kind = (over: object = {}) => {
    const env = { OPENAI_BASE_URL: `${openai.url}/v1`, OPENAI_API_KEY: secrets.openaiApiKey, ...settled, ...over };
    return askingInBatches(enrichmentConfig.parse(env), vendorWatch(openaiAccount, lines), lines);
  };
  const settled = {
    ...{ KAFKA_BROKERS: '127.0.0.1:1', DATABASE_URL: 'postgres://127.0.0.1:1/x', HUBSPOT_ACCESS_TOKEN: 'x' },
    ...{ OPENAI_BATCH_EVERY: '10ms', OPENAI_RETRY_AFTER: '7s', HUBSPOT_CLIENT_SECRET: 'x' },
  };

  /** Performs a job until it is over, as the runner does: what was answered it carries no more. */
  async function perform(
    one = kind(),
    all: Carried[] = carried(3),
    { cuts = 0, looks = 200, soFar }: { cuts?: number; looks?: number; soFar?: unknown } = {},
  ) {
    const token = `job-${String((asked += 1))}`;
    const answers = new Map<string, Answer>();
    const single: string[] = [];
    let last: Answer | UnderWay = { outcome: 'unknown', code: 'none', message: '' };
    for (let attempt = 1; attempt <= looks; attempt += 1) {
      const left = all.filter(({ name }) => !answers.has(name) && !single.includes(name));
      const job = {
        ...{ soFar, left: left.length, carried: () => Promise.resolve(left) },
        answer: ({ name }: Carried, answer: Answer) => Promise.resolve(void answers.set(name, answer)),
        letGo: ({ name }: Carried) => Promise.resolve(void single.push(name)),
      };
      const once = { tenant: 'acme', generation: 1, repeats: 0 };
      const call: CallContext = { ...once, attempt, signal: soon(), idempotencyKey: token, job };
      last = await one.perform(undefined as never, call);
      if (last.outcome === 'under-way') ({ soFar } = last);
      else if (last.outcome !== 'unknown' || (cuts -= 1) < 0) break;
    }
    return { token, answers, single, last, of: (name?: string) => answers.get(name ?? '') };
  }
  const carried = (n: number, over?: Partial<Question>): Carried[] =>
    questions(n, over).map(({ name, question }) => ({ name, request: question }));
  const submissions = async (token: string) =>
    (await all()).filter(({ metadata }) => JSON.stringify(metadata).includes(token)).length;

  it('answers all it carries, once', async () => {
    const before = await files();
    const { answers, last, token } = await perform();
    expect([...answers.values()].map(({ outcome }) => outcome)).toEqual(['done', 'done', 'done']);
    expect(last).toMatchObject({ outcome: 'done', value: { state: 'completed' } });
    expect([await submissions(token), await files()]).toEqual([1, before]);
  });

  it('is submitted once where the answer to that is lost, and where the file alone arrived', async () => {
    await fault('/v1/batches', { kind: 'accept-then-reset' });
    const lost = await perform(kind(), carried(2), { cuts: 1 });
    expect([lost.answers.size, await submissions(lost.token)]).toEqual([2, 1]);
    await fault('/v1/batches', { kind: 'reset' });
    const before = await files();
    const half = await perform(kind(), carried(2), { cuts: 1 });
    expect([half.answers.size, await submissions(half.token), await files()]).toEqual([2, 1, before]);
  });

  it('is given up by no error while it is not known whether it was taken', async () => {
    const [one, all] = [kind(), carried(1)];
    await fault('/v1/batches', { kind: 'accept-then-reset' });
    const match = { method: 'GET', pathPrefix: '/v1/batches' };
    await openai.control('POST', '/faults', { match, fault: { kind: 'status', code: 'server_error' }, times: 1 });
    const { last, token } = await perform(one, all, { cuts: 1 });
    expect(last).toMatchObject({ outcome: 'retry', refused: true, code: 'server_error' });
    expect(await submissions(token)).toBe(1);
  });

  it('takes what an expired batch has done, and gives the rest back without using up an attempt', async () => {
    await batchFault({ kind: 'expired', done: 2 });
    const { answers } = await perform();
    const said = [...answers.values()];
    expect(said.filter(({ outcome }) => outcome === 'done')).toHaveLength(2);
    expect(said.find(({ outcome }) => outcome !== 'done')).toMatchObject({
      ...{ outcome: 'retry', refused: true, code: 'batch_expired' },
    });
  });

  it('does not know whether a question was asked for which a batch has no answer at its end', async () => {
    const one = kind();
    const { last } = await perform(one, carried(1), { looks: 1 });
    const unheard = carried(1);
    const { of } = await perform(one, unheard, { soFar: last.outcome === 'under-way' && last.soFar });
    expect(of(unheard[0]?.name)).toMatchObject({ outcome: 'unknown', code: 'not-answered' });
  });

  it.each([
    ['token_limit_exceeded', true],
    ['insufficient_quota', true],
    ['internal_error', false],
  ])('gives all back where the batch failed as a whole (%s)', async (code, refused) => {
    await batchFault({ kind: 'failed', code });
    const { answers } = await perform();
    expect([...answers.values()]).toEqual(
      Array(3).fill(expect.objectContaining({ outcome: 'retry', refused, code: `batch-${code}`, afterMs: 7_000 })),
    );
  });

  it('ends the question for which the batch was refused, and no other', async () => {
    const [fits, other] = [carried(2), carried(1, { model: 'gpt-6-sol' })];
    const { of } = await perform(kind(), [...fits, ...other]);
    expect(of(other[0]?.name)).toMatchObject({ outcome: 'stop', code: 'model_mismatch' });
    expect(of(fits[0]?.name)).toMatchObject({ outcome: 'retry', refused: true });
  });

  it('looks at each answer as at a single one: refusals are answers, and what is unsupported is named', async () => {
    const [one, two, three] = carried(3).map(({ name, request }) => ({
      name,
      request: { ...(request as Question), supported: ['budget'] },
    }));
    const includes = (of?: Carried) => ({ bodyIncludes: /\[\d+\.\]/.exec((of?.request as Question).text)?.[0] });
    await openai.control('POST', '/answers', { match: includes(one), answer: 'refusal' });
    await openai.control('POST', '/answers', { match: includes(two), answer: { budget: 9_000_000, summary: 'rich' } });
    const { of } = await perform(
      kind(),
      [one, two, three].filter((each) => each !== undefined),
    );
    expect(of(one?.name)).toMatchObject({ outcome: 'done', value: { finish: 'refusal' } });
    expect(of(two?.name)).toMatchObject({ outcome: 'done', value: { unsupported: ['budget'] } });
    expect(of(three?.name)).toMatchObject({ outcome: 'done', value: { finish: 'stop' } });
  });

  it('waits where there is no Batch API, which is told once; or lets all be asked singly', async () => {
    await openai.control('PUT', '/batches', { batches: false });
    told.length = 0;
    const waiting = kind();
    for (let i = 0; i < 2; i += 1)
      expect((await perform(waiting)).last).toMatchObject({
        ...{ outcome: 'retry', refused: true, code: 'no-batch-api', afterMs: 7_000 },
      });
    expect(told).toEqual([expect.stringContaining('OPENAI_BATCH_ELSE=single')]);
    const { single, last } = await perform(kind({ OPENAI_BATCH_ELSE: 'single' }));
    expect([single.length, last.outcome]).toEqual([3, 'done']);
  });

  it.each(['insufficient_quota', 'invalid_api_key'])('waits where %s', async (code) => {
    await fault('/v1/files', { kind: 'status', code });
    const { last, token } = await perform();
    expect(last).toMatchObject({ outcome: 'retry', refused: true, code, afterMs: 7_000 });
    expect(await submissions(token)).toBe(0);
  });

  it('cancels a batch for which nobody waits any more, and deletes what is kept of it', async () => {
    await openai.control('PUT', '/batches', { batchMs: 60_000 });
    const [before, one, all] = [await files(), kind(), carried(2)];
    const first = await perform(one, all, { looks: 1 });
    expect(first.last.outcome).toBe('under-way');
    all.length = 0;
    const job = {
      left: 0,
      carried: () => Promise.resolve([]),
      answer: () => Promise.resolve(),
      letGo: () => Promise.resolve(),
    };
    let last = first.last;
    while (last.outcome === 'under-way') {
      const of = { tenant: 'acme', generation: 1, repeats: 0, idempotencyKey: first.token };
      const call = { ...of, attempt: 2, signal: soon() };
      last = await one.perform(undefined as never, { ...call, job: { ...job, soFar: last.soFar } });
    }
    expect(last).toMatchObject({ outcome: 'done', value: { state: 'cancelled' } });
    expect(await files()).toBe(before);
  });
});
