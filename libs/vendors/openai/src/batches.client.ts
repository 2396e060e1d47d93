import { type Answer, NO_BATCH_API, NO_SUCH_BATCH } from '#libs/contracts';
import OpenAI, { APIError, toFile } from 'openai';
import type { BatchModel, BatchOf, BatchQuestion } from './batch-model';
import { chatReply, chatRequest } from './chat';
import { ofStatus, type Refused, refusalOf } from './errors';
import { askerOf } from './instruction';
import type { OpenAiSettings, Reply } from './language-model';
import { BATCH_RATE, usdFor } from './prices';
import { responsesReply, responsesRequest } from './responses';

/** The key of a batch's metadata that bears the token of its submission. */
const TOKEN = 'refrain_token';
/** What is deleted by nobody, as where a process died for good, is deleted by OpenAI after so many seconds. */
const KEPT_SECONDS = 7 * 86_400;
/** What is said of a question that a batch did not come to: it was not asked, and nothing is paid for it. */
const NOT_BEGUN = ['batch_expired', 'batch_cancelled'];

/** OpenAI's Batch API through the official SDK, with the requests of single questions. */
export class OpenAiBatches implements BatchModel {
  private readonly client: OpenAI;

  constructor(private readonly settings: OpenAiSettings) {
    this.client = new OpenAI({
      apiKey: settings.apiKey,
      baseURL: settings.baseUrl ?? null,
      maxRetries: 0,
      logLevel: 'off',
    });
  }

  async submit(questions: readonly BatchQuestion[], token: string, tenant: string, signal: AbortSignal) {
    const asker = askerOf(tenant);
    const lines = questions.map((one) => this.lineOf(one, asker));
    const file = await sorted(async () => {
      const content = await toFile(Buffer.from(lines.join('\n')), fileOf(token));
      const expires = { expires_after: { anchor: 'created_at', seconds: KEPT_SECONDS } as const };
      const kept = this.settings.isCompatible ? {} : expires;
      return this.client.files.create({ file: content, purpose: 'batch', ...kept }, { signal });
    });
    if (file.outcome !== 'done') return file;
    const made = await sorted(async () => {
      const expires = { output_expires_after: { anchor: 'created_at', seconds: KEPT_SECONDS } as const };
      const kept = this.settings.isCompatible ? {} : expires;
      const about = { input_file_id: file.value.id, endpoint: this.endpoint, completion_window: '24h' as const };
      return batchOf(await this.client.batches.create({ ...about, ...kept, metadata: { [TOKEN]: token } }, { signal }));
    });
    // Refused for certain: nothing else would delete its file.
    if (made.outcome === 'stop' || made.outcome === 'retry') await this.deleted(file.value.id, signal);
    return made;
  }

  find(token: string, signal: AbortSignal) {
    return sorted(async () => {
      // Newest first; what was submitted longer ago than this has ended long since, and nobody looks for it any more.
      const since = Date.now() / 1_000 - 30 * 86_400;
      for await (const batch of this.client.batches.list({ limit: 100 }, { signal })) {
        if (batch.metadata?.[TOKEN] === token) return batchOf(batch);
        if (batch.created_at < since) break;
      }
      for await (const file of this.client.files.list({ purpose: 'batch', order: 'desc' }, { signal })) {
        if (file.filename === fileOf(token)) await this.client.files.delete(file.id, { signal });
        if (file.created_at < since) break;
      }
      return undefined;
    });
  }

  look(id: string, signal: AbortSignal) {
    return sorted(async () => batchOf(await this.client.batches.retrieve(id, { signal })), noSuch);
  }

  cancel(id: string, signal: AbortSignal) {
    return sorted(async () => batchOf(await this.client.batches.cancel(id, { signal })), noSuch);
  }

  results({ input, output, refused, faults = [] }: BatchOf, signal: AbortSignal) {
    return sorted(async () => {
      const results = new Map<string, Answer<Reply>>();
      for (const file of [output, refused]) {
        for (const line of file === undefined ? [] : await this.linesIn(file, signal)) {
          if (line.custom_id !== undefined) results.set(line.custom_id, this.answerOf(line));
        }
      }
      const faulty = faults.filter(({ line }) => line !== undefined);
      const asked = faulty.length > 0 ? await this.linesIn(input, signal) : [];
      for (const { code, line = 0 } of faulty) {
        const name = asked[line - 1]?.custom_id;
        if (name !== undefined)
          results.set(name, { outcome: 'stop', code, message: 'its line of the batch was refused' });
      }
      return results;
    }, noSuch);
  }

  async forget({ input, output, refused }: BatchOf, signal: AbortSignal): Promise<Answer<void>> {
    const files = [input, output, refused].filter((file) => file !== undefined);
    const ends = await Promise.all(files.map((file) => this.deleted(file, signal)));
    return ends.find(({ outcome }) => outcome !== 'done') ?? { outcome: 'done', value: undefined };
  }

  async hasBatches(signal: AbortSignal): Promise<Answer<boolean>> {
    const listed = await sorted(async () => {
      await this.client.batches.list({ limit: 1 }, { signal });
      return true;
    });
    return listed.outcome === 'stop' && listed.code === NO_BATCH_API ? { outcome: 'done', value: false } : listed;
  }

  private get endpoint() {
    return this.settings.api === 'responses' ? ('/v1/responses' as const) : ('/v1/chat/completions' as const);
  }

  private lineOf({ name, question }: BatchQuestion, asker: string): string {
    const { settings } = this;
    const body =
      settings.api === 'responses'
        ? responsesRequest(question, asker, settings)
        : chatRequest(question, asker, settings);
    return JSON.stringify({ custom_id: name, method: 'POST', url: this.endpoint, body });
  }

  private async linesIn(file: string, signal: AbortSignal): Promise<Line[]> {
    const text = await (await this.client.files.content(file, { signal })).text();
    return text.split('\n').flatMap((line) => (line.trim() === '' ? [] : (lineIn(line) ?? [])));
  }

  private answerOf({ response, error }: Line): Answer<Reply> {
    if (!response) {
      const code = error?.code ?? 'not-answered';
      if (NOT_BEGUN.includes(code)) return { outcome: 'retry', code, message: '', refused: true };
      return { outcome: 'unknown', code, message: '' };
    }
    const { status_code: status = 0, body = {} } = response;
    if (status !== 200) return ofLine({ ...(body as { error?: Refused }).error, status });
    try {
      const reply = this.replyIn(body);
      const { input: inputTokens, output: outputTokens } = reply.tokens;
      const cost = {
        inputTokens,
        outputTokens,
        usd: usdFor(reply.model, reply.tokens, { agreed: this.settings.prices, rate: BATCH_RATE }),
      };
      return { outcome: 'done', value: reply, cost };
    } catch {
      return { outcome: 'unknown', code: 'unreadable-answer', message: '' };
    }
  }

  private replyIn(body: object): Reply {
    if (this.settings.api === 'responses') {
      const response = body as OpenAI.Responses.Response;
      return { ...responsesReply(response), model: response.model };
    }
    const completion = body as OpenAI.ChatCompletion;
    return { ...chatReply(completion), model: completion.model };
  }

  private deleted(file: string, signal: AbortSignal): Promise<Answer<void>> {
    const gone: Answer<void> = { outcome: 'done', value: undefined };
    return sorted(async () => void (await this.client.files.delete(file, { signal })), gone);
  }
}

interface Line {
  custom_id?: string;
  response?: { status_code?: number; body?: object } | null;
  error?: { code?: string } | null;
}

const fileOf = (token: string): string => `refrain-${token}.jsonl`;

/** What a service answers where there is no such route, file or batch. */
const NOT_THERE = [404, 405, 501];
const noBatches: Answer<never> = { outcome: 'stop', code: NO_BATCH_API, message: 'there is no Batch API' };
const noSuch: Answer<never> = { outcome: 'stop', code: NO_SUCH_BATCH, message: 'it is not known, or not to this key' };

async function sorted<T>(call: () => Promise<T>, notThere: Answer<T> = noBatches): Promise<Answer<T>> {
  try {
    return { outcome: 'done', value: await call() };
  } catch (error) {
    if (error instanceof APIError && NOT_THERE.includes(Number(error.status))) return notThere;
    return refusalOf(error);
  }
}

function lineIn(text: string): Line | undefined {
  try {
    return JSON.parse(text) as Line;
  } catch {
    return undefined;
  }
}

// A line was refused a while ago, in a pool of limits of its own: it says nothing about single questions now.
function ofLine(refused: Refused): Answer<Reply> {
  const answer = ofStatus(refused);
  return answer.outcome === 'stop' ? answer : { ...answer, code: `line-${answer.code}` };
}

const states: Readonly<Partial<Record<string, BatchOf['state']>>> = {
  completed: 'completed',
  failed: 'failed',
  expired: 'expired',
  cancelled: 'cancelled',
};

const timeOf = (seconds: number): string => new Date(seconds * 1_000).toISOString();

function batchOf(batch: OpenAI.Batch): BatchOf {
  const { request_counts: counts, expires_at: expires, output_file_id: output, error_file_id: refused } = batch;
  const faults = batch.errors?.data?.map(({ code, line }) => ({
    code: code ?? 'unknown',
    ...(typeof line === 'number' ? { line } : {}),
  }));
  return {
    id: batch.id,
    state: states[batch.status] ?? 'open',
    input: batch.input_file_id,
    createdAt: timeOf(batch.created_at),
    ...(output ? { output } : {}),
    ...(refused ? { refused } : {}),
    ...(counts ? { counts: { total: counts.total, done: counts.completed, failed: counts.failed } } : {}),
    ...(expires ? { expiresAt: timeOf(expires) } : {}),
    ...(faults && faults.length > 0 ? { faults } : {}),
  };
}
