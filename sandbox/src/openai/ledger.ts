import { createHash } from 'node:crypto';
import { isObject, numberOf, objectOf, textOf, type JsonObject } from '../frame/json.ts';
import { failed } from './errors.ts';

export const PLANNED_ANSWERS: readonly string[] = [
  'refusal',
  'length',
  'content_filter',
  'schema-violation',
  'bad-json',
];

interface Planned {
  match: { bodyIncludes?: string };
  answer: unknown;
  times: number;
}

export interface Billed {
  n: number;
  at: string;
  endpoint: string;
  model: string;
  promptTokens: number;
  completionTokens: number;
  /** Names what was asked: the same for the same body. */
  question: string;
  /** The part of the price that its tokens cost: half in a batch. */
  rate: 1 | 0.5;
  batch?: string;
  customId?: string;
}

/** Books what was generated, hands out planned answers, and counts calls per minute. */
export class Ledger {
  readonly settings: { latencyMs: number; requestsPerMinute: number; tokensPerMinute: number };
  planned: Planned[] = [];
  readonly #billed: Billed[] = [];
  readonly #times: number[] = [];

  constructor(latencyMs: number) {
    this.settings = { latencyMs, requestsPerMinute: 10_000, tokensPerMinute: 10_000_000 };
  }

  plan(input: unknown): string | undefined {
    const { match, answer, times } = objectOf(input);
    if (!isObject(answer) && !PLANNED_ANSWERS.includes(String(answer)))
      return `answer: an object or one of ${PLANNED_ANSWERS.join(', ')}`;
    const bodyIncludes = textOf(objectOf(match)['bodyIncludes']);
    this.planned.push({ match: { bodyIncludes }, answer, times: numberOf(times) ?? 1 });
    return undefined;
  }

  take(body: string): unknown {
    const hit = this.planned.find(({ match }) => match.bodyIncludes === undefined || body.includes(match.bodyIncludes));
    if (hit === undefined) return undefined;
    hit.times -= 1;
    if (hit.times <= 0) this.planned = this.planned.filter((one) => one !== hit);
    return hit.answer;
  }

  bill({
    body,
    batch,
    ...entry
  }: Omit<Billed, 'n' | 'at' | 'question' | 'rate' | 'batch' | 'customId'> & {
    body: JsonObject;
    batch?: { id: string; customId: string };
  }): void {
    const question = createHash('sha256').update(JSON.stringify(body)).digest('hex').slice(0, 16);
    const as = batch ? { rate: 0.5 as const, batch: batch.id, customId: batch.customId } : { rate: 1 as const };
    this.#billed.push({ n: this.#billed.length + 1, at: new Date().toISOString(), ...entry, question, ...as });
  }

  /** `paidTokens`: with those of batches counted by half. */
  billing(): {
    calls: number;
    promptTokens: number;
    completionTokens: number;
    totalTokens: number;
    paidTokens: number;
    entries: Billed[];
  } {
    const sum = (key: 'promptTokens' | 'completionTokens'): number =>
      this.#billed.reduce((total, entry) => total + entry[key], 0);
    const [promptTokens, completionTokens] = [sum('promptTokens'), sum('completionTokens')];
    return {
      calls: this.#billed.length,
      promptTokens,
      completionTokens,
      totalTokens: promptTokens + completionTokens,
      paidTokens: this.#billed.reduce((all, b) => all + b.rate * (b.promptTokens + b.completionTokens), 0),
      entries: this.#billed,
    };
  }

  /** Counts one call and returns the rate-limit headers, or throws the 429. */
  admit(tokens: number): Record<string, string> {
    const now = Date.now();
    while ((this.#times[0] ?? Infinity) <= now - 60_000) this.#times.shift();
    const { requestsPerMinute, tokensPerMinute } = this.settings;
    const resetMs = 60_000 / requestsPerMinute;
    if (this.#times.length >= requestsPerMinute) {
      const waitMs = Math.max(1, (this.#times[0] ?? now) + 60_000 - now);
      throw failed(
        429,
        `Rate limit reached for requests per min (RPM): Limit ${requestsPerMinute}.`,
        { type: 'requests', code: 'rate_limit_exceeded' },
        { 'retry-after': String(Math.ceil(waitMs / 1000)), 'retry-after-ms': String(waitMs) },
      );
    }
    this.#times.push(now);
    return {
      'x-ratelimit-limit-requests': String(requestsPerMinute),
      'x-ratelimit-limit-tokens': String(tokensPerMinute),
      'x-ratelimit-remaining-requests': String(requestsPerMinute - this.#times.length),
      'x-ratelimit-remaining-tokens': String(Math.max(0, tokensPerMinute - tokens)),
      'x-ratelimit-reset-requests': goDuration(resetMs * this.#times.length),
      'x-ratelimit-reset-tokens': goDuration((tokens / tokensPerMinute) * 60_000),
    };
  }
}

/** Prints a time span as Go does: "6m0s", "1.5s", "20ms". */
export function goDuration(ms: number): string {
  if (ms < 1000) return `${Math.max(1, Math.round(ms))}ms`;
  const seconds = Number((ms / 1000).toFixed(3));
  if (seconds < 60) return `${seconds}s`;
  return `${Math.floor(seconds / 60)}m${Number((seconds % 60).toFixed(3))}s`;
}
