import type { Answer } from '#libs/contracts';
import { networkAnswer, retryAfterMs } from '#libs/vendors/http';
import OpenAI, { APIConnectionError, APIError, APIUserAbortError } from 'openai';

/** Where OpenAI (or a compatible service) is and who we are there. */
export interface OpenAiSettings {
  baseUrl?: string;
  apiKey: string;
}

/** A question with the JSON Schema that the answer must have. */
export interface Question {
  name: string;
  model: string;
  instruction: string;
  text: string;
  schema: Record<string, unknown>;
}

/** What the model said. `refusal`, `length` and `content_filter` were billed too, so they are answers, not errors. */
export interface Reply {
  finish: 'stop' | 'refusal' | 'length' | 'content_filter';
  content: string;
  model: string;
  tokens: { input: number; output: number };
}

/**
 * OpenAI's chat completions through the official SDK. Its own retries are off: a timed-out generation sent again costs
 * twice, and its `idempotencyKey` reaches nobody. Never throws: every answer is sorted.
 */
export class OpenAiClient {
  private readonly client: OpenAI;

  constructor(settings: OpenAiSettings) {
    this.client = new OpenAI({
      apiKey: settings.apiKey,
      baseURL: settings.baseUrl ?? null,
      maxRetries: 0,
      logLevel: 'off',
    });
  }

  /** Asks once. A call cut by `signal` is unknown: it may have been billed. */
  async ask(question: Question, signal: AbortSignal): Promise<Answer<Reply>> {
    try {
      const completion = await this.client.chat.completions.create(
        {
          model: question.model,
          store: false,
          messages: [
            { role: 'developer', content: question.instruction },
            { role: 'user', content: question.text },
          ],
          response_format: {
            type: 'json_schema',
            json_schema: { name: question.name, strict: true, schema: question.schema },
          },
        },
        { signal },
      );
      const tokens = { input: completion.usage?.prompt_tokens ?? 0, output: completion.usage?.completion_tokens ?? 0 };
      return {
        outcome: 'done',
        value: { ...replyOf(completion.choices[0]), model: completion.model, tokens },
        cost: { inputTokens: tokens.input, outputTokens: tokens.output },
      };
    } catch (error) {
      return sortedError(error);
    }
  }

  /** The models that the key may ask. Nothing is billed for it. */
  async models(signal: AbortSignal): Promise<Answer<Model[]>> {
    try {
      const models: Model[] = [];
      for await (const model of this.client.models.list({ signal })) models.push(modelOf(model));
      return { outcome: 'done', value: models };
    } catch (error) {
      return sortedError(error);
    }
  }
}

/** A model that the key may ask; `endsAt` is the day of its shutdown (YYYY-MM-DD), where one is set. */
export interface Model {
  id: string;
  endsAt?: string;
}

const modelOf = (model: OpenAI.Model): Model => {
  const { shutdown_date: endsAt } = model as { shutdown_date?: unknown };
  return { id: model.id, ...(typeof endsAt === 'string' ? { endsAt } : {}) };
};

type Refusal = Exclude<Answer, { outcome: 'done' }>;

function replyOf(choice: OpenAI.ChatCompletion.Choice | undefined): Pick<Reply, 'finish' | 'content'> {
  if (choice?.message.refusal) return { finish: 'refusal', content: choice.message.refusal };
  const content = choice?.message.content ?? '';
  const finish = choice?.finish_reason;
  return { finish: finish === 'length' || finish === 'content_filter' ? finish : 'stop', content };
}

// Codes that no waiting mends; some come with status 429, some with 400 (vendors' page on errors): so code before status.
const spent = new Set(['insufficient_quota', 'credit_balance_exhausted', 'organization_spend_limit_exceeded']);
const CREDENTIALS_WAIT_MS = 60_000;

function sortedError(error: unknown): Refusal {
  if (error instanceof APIUserAbortError) {
    return { outcome: 'unknown', code: 'deadline', message: 'cut at the deadline' };
  }
  if (error instanceof APIConnectionError) return networkAnswer(error);
  if (error instanceof APIError) return sortedStatus(error as APIError<number | undefined, Headers | undefined>);
  return { outcome: 'unknown', code: 'unreadable-answer', message: error instanceof Error ? error.name : 'unknown' };
}

function sortedStatus(error: APIError<number | undefined, Headers | undefined>): Refusal {
  const status = error.status ?? 0;
  const code = error.code ?? `http-${String(status)}`;
  const message = error.type ?? '';
  if (spent.has(code)) return { outcome: 'stop', code, message };
  const wait = waitOf(error.headers);
  if (status === 429 || status === 503) return { outcome: 'retry', code, message, refused: true, afterMs: wait };
  if (status === 401) return { outcome: 'retry', code, message, refused: true, afterMs: CREDENTIALS_WAIT_MS };
  if (status === 408 || status === 409) return { outcome: 'retry', code, message, refused: false, afterMs: wait };
  if (status >= 500) return { outcome: 'retry', code, message, refused: false, afterMs: wait };
  return { outcome: 'stop', code, message };
}

function waitOf(headers: Headers | undefined): number | undefined {
  const ms = headers?.get('retry-after-ms');
  return ms ? Number(ms) : retryAfterMs(headers?.get('retry-after'));
}
