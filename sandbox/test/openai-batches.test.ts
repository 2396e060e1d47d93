import assert from 'node:assert/strict';
import { after, afterEach, before, describe, it } from 'node:test';
import OpenAI, { toFile, type APIError } from 'openai';
import { seededRandom } from '../src/frame/seeded-random.ts';
import { createOpenai } from '../src/openai/server.ts';
import { listening, until, type Sandbox } from './harness.ts';

// What the Batch API owes, driven by the official client.

let openai: Sandbox;
let client: OpenAI;
let asked = 0;
const CHAT = '/v1/chat/completions';
const ENDED = ['completed', 'failed', 'expired', 'cancelled'];

before(async () => {
  openai = await listening(createOpenai({ apiKey: 'test-key', latencyMs: 1, random: seededRandom(4) }));
  client = new OpenAI({ apiKey: 'test-key', baseURL: `${openai.url}/v1`, maxRetries: 0 });
  await openai.control('PUT', '/batches', { batchMs: 1 });
});
after(async () => openai[Symbol.asyncDispose]());
afterEach(async () => {
  await openai.control('DELETE', '/batch-faults');
  await openai.control('DELETE', '/faults');
  await openai.control('PUT', '/batches', { batchMs: 1, batches: true, doneAtCancel: 0 });
});

const line = (over: object = {}, body: object = {}) => {
  asked += 1;
  const messages = [{ role: 'user', content: `note ${asked}: we have $50k` }];
  return {
    custom_id: `q-${asked}`,
    method: 'POST',
    url: CHAT,
    body: { model: 'gpt-6-luna', messages, ...body },
    ...over,
  };
};

const upload = async (lines: unknown[]) =>
  client.files.create({
    file: await toFile(Buffer.from(lines.map((one) => JSON.stringify(one)).join('\n')), 'questions.jsonl'),
    purpose: 'batch',
    expires_after: { anchor: 'created_at', seconds: 3600 },
  });

async function submitted(lines: unknown[], over: object = {}) {
  const file = await upload(lines);
  return client.batches.create({
    input_file_id: file.id,
    endpoint: CHAT,
    completion_window: '24h',
    metadata: { token: 't' },
    ...over,
  });
}

const ended = ({ id }: { id: string }) =>
  until(
    () => client.batches.retrieve(id),
    ({ status }) => ENDED.includes(status),
  );

const linesOf = async (file: string | undefined | null): Promise<any[]> =>
  file
    ? (await (await client.files.content(file)).text())
        .split('\n')
        .filter(Boolean)
        .map((text) => JSON.parse(text))
    : [];

async function refused(promise: Promise<unknown>): Promise<APIError> {
  try {
    await promise;
  } catch (error) {
    return error as APIError;
  }
  throw new Error('the call did not fail');
}

describe('files', () => {
  it('are kept with name and purpose, read, listed and deleted', async () => {
    const file = await upload([line()]);
    assert.deepEqual([file.purpose, file.filename], ['batch', 'questions.jsonl']);
    assert.equal((file.expires_at ?? 0) - file.created_at, 3600);
    assert.equal((await linesOf(file.id))[0].custom_id, `q-${asked}`);
    const listed = [];
    for await (const one of client.files.list({ purpose: 'batch', limit: 1 })) listed.push(one.id);
    assert.ok(listed.includes(file.id));
    assert.equal((await client.files.retrieve(file.id)).id, file.id);
    assert.equal((await client.files.delete(file.id)).deleted, true);
    assert.equal((await refused(client.files.content(file.id) as Promise<unknown>)).status, 404);
  });

  it('must be JSON lines', async () => {
    const file = await toFile(Buffer.from('{}'), 'questions.txt');
    assert.equal((await refused(client.files.create({ file, purpose: 'batch' }))).status, 400);
  });
});

describe('a batch', () => {
  it('is validated, runs for a while, and is billed by half when it is done', async () => {
    const before = await openai.control('GET', '/billing');
    await openai.control('PUT', '/batches', { batchMs: 60_000 });
    const lines = Array.from({ length: 12 }, () => line());
    const made = await submitted(lines);
    assert.deepEqual([made.status, made.metadata], ['validating', { token: 't' }]);
    const running = await until(
      () => client.batches.retrieve(made.id),
      ({ status }) => status === 'in_progress',
    );
    assert.deepEqual([running.output_file_id, running.request_counts?.total], [null, 12]);
    assert.equal((await openai.control('GET', '/billing')).calls, before.calls);
    await openai.control('POST', `/batches/${made.id}/finish`);
    const batch = await client.batches.retrieve(made.id);
    assert.deepEqual([batch.status, batch.request_counts], ['completed', { total: 12, completed: 12, failed: 0 }]);
    const output = await linesOf(batch.output_file_id);
    const ids = output.map(({ custom_id }) => custom_id);
    const sent = lines.map(({ custom_id }) => custom_id);
    assert.deepEqual(new Set(ids), new Set(sent));
    assert.notDeepEqual(ids, sent);
    assert.match(output[0].response.body.choices[0].message.content, /50/);
    const after = await openai.control('GET', '/billing');
    const entries = after.entries.slice(before.entries.length);
    assert.deepEqual(new Set(entries.map(({ batch: of, rate }: any) => `${of} ${rate}`)), new Set([`${made.id} 0.5`]));
    assert.equal(after.paidTokens - before.paidTokens, (after.totalTokens - before.totalTokens) / 2);
    assert.equal(new Set(entries.map(({ question }: any) => question)).size, 12);
  });

  it('works for Responses', async () => {
    const url = '/v1/responses';
    const made = await submitted([{ ...line({ url }), body: { model: 'gpt-6-luna', input: 'hi' } }], { endpoint: url });
    const [said] = await linesOf((await ended(made)).output_file_id);
    assert.equal(said.response.body.object, 'response');
  });

  it('tells what is wrong with single lines in an error file, and bills the others', async () => {
    const [good, wrong, unlucky] = [line(), line({}, { temperature: 0 }), line()];
    await openai.control('POST', '/batch-faults', {
      match: { bodyIncludes: unlucky.custom_id },
      fault: { kind: 'line', status: 500, code: 'server_error' },
    });
    const batch = await ended(await submitted([good, wrong, unlucky]));
    assert.deepEqual([batch.status, batch.request_counts], ['completed', { total: 3, completed: 1, failed: 2 }]);
    const errors = new Map((await linesOf(batch.error_file_id)).map((one) => [one.custom_id, one.response]));
    assert.deepEqual(
      [errors.get(wrong.custom_id).status_code, errors.get(wrong.custom_id).body.error.param],
      [400, 'temperature'],
    );
    assert.equal(errors.get(unlucky.custom_id).status_code, 500);
    assert.deepEqual(
      (await linesOf(batch.output_file_id)).map(({ custom_id }) => custom_id),
      [good.custom_id],
    );
  });

  it('fails as a whole for one line that is none', async () => {
    const one = line();
    const cases: [unknown[], string][] = [
      [[one, one], 'duplicate_custom_id'],
      [[line(), line({ url: '/v1/embeddings' })], 'url_mismatch'],
      [[line(), line({}, { model: 'gpt-6-sol' })], 'model_mismatch'],
      [['no object'], 'invalid_json_line'],
      [[], 'empty_file'],
    ];
    for (const [lines, code] of cases) {
      const batch = await ended(await submitted(lines));
      assert.deepEqual([batch.status, batch.errors?.data?.[0]?.code], ['failed', code]);
      assert.equal(batch.output_file_id, null);
    }
  });

  it('fails or expires as planned, with what it has done until then', async () => {
    const code = 'token_limit_exceeded';
    await openai.control('POST', '/batch-faults', { fault: { kind: 'failed', code } });
    assert.equal((await ended(await submitted([line()]))).errors?.data?.[0]?.code, code);
    await openai.control('POST', '/batch-faults', { fault: { kind: 'expired', done: 2 } });
    const batch = await ended(await submitted([line(), line(), line()]));
    assert.deepEqual([batch.status, batch.request_counts?.completed], ['expired', 2]);
    assert.equal((await linesOf(batch.output_file_id)).length, 2);
    assert.deepEqual((await linesOf(batch.error_file_id))[0].error.code, 'batch_expired');
  });

  it('is cancelled, with what it has done until then', async () => {
    await openai.control('PUT', '/batches', { batchMs: 60_000, doneAtCancel: 1 });
    const made = await submitted([line(), line()]);
    assert.equal((await client.batches.cancel(made.id)).status, 'cancelling');
    const batch = await ended(made);
    assert.deepEqual([batch.status, batch.request_counts?.completed], ['cancelled', 1]);
    assert.equal((await refused(client.batches.cancel(made.id))).status, 409);
  });

  it('is found again in the list of all, newest first, page by page, after its answer was lost', async () => {
    const [fault, match] = [{ kind: 'accept-then-reset' }, { method: 'POST', pathPrefix: '/v1/batches' }];
    await openai.control('POST', '/faults', { match, fault });
    const metadata = { token: 'lost' };
    await assert.rejects(submitted([line()], { metadata }));
    await submitted([line()]);
    const all = [];
    for await (const batch of client.batches.list({ limit: 1 })) all.push(batch);
    assert.ok(all.length > 3);
    assert.equal(all.filter((batch) => batch.metadata?.['token'] === 'lost').length, 1);
    assert.deepEqual(all[1]?.metadata, metadata);
  });

  it('is refused where something is missing, and where there is no Batch API', async () => {
    assert.equal((await refused(submitted([line()], { completion_window: '1h' }))).param, 'completion_window');
    assert.equal((await refused(submitted([line()], { endpoint: '/v1/nothing' }))).param, 'endpoint');
    assert.equal((await refused(submitted([line()], { input_file_id: 'file-none' }))).param, 'input_file_id');
    assert.equal((await refused(client.batches.retrieve('batch_none'))).status, 404);
    await openai.control('PUT', '/batches', { batches: false });
    assert.equal((await refused(upload([line()]))).status, 404);
    assert.equal((await refused(client.batches.list() as Promise<unknown>)).status, 404);
  });
});
