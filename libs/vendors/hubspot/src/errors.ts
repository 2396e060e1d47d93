import type { Answer } from '#libs/contracts';
import { networkAnswer, retryAfterMs } from '#libs/vendors/http';
import { z } from 'zod';

type Refusal = Exclude<Answer, { outcome: 'done' }>;

const apiError = z.looseObject({
  code: z.number(),
  body: z.union([
    z.string(),
    z.looseObject({
      message: z.string().optional(),
      category: z.string().optional(),
      policyName: z.string().optional(),
      errors: z.array(z.looseObject({ code: z.string().optional() })).optional(),
    }),
  ]),
  headers: z.record(z.string(), z.string()).optional(),
});

// How long each limit lasts at most; HubSpot documents no Retry-After on its 429 (vendors' page on limits).
const policyWaitMs: Record<string, number> = {
  SECONDLY: 1_000,
  TEN_SECONDLY_ROLLING: 10_000,
  DAILY: 15 * 60_000,
};
// Wrong or expired credentials (401, 403) make nothing fail for good: what is owed waits until they are right.
const statusWaitMs: Record<number, number> = { 401: 60_000, 403: 60_000, 423: 2_000, 477: 60_000 };

/** What a call knows better of its refusals than their statuses and categories tell. */
export interface SortedAs {
  /** Where an account need not have what is called, a 403 is for good: nothing waits for it. */
  forbidden?: 'stop';
  /** Codes of our own for refusals of a status, or whose message says so; the first that fits counts. */
  codes?: readonly { status?: number; said?: RegExp; code: string }[];
}

/**
 * Sorts whatever an SDK call threw. The SDK's message holds body and headers, so it is never passed on: only HubSpot's
 * own sentence, category and code are.
 */
export function sortedHubspotError(error: unknown, { forbidden, codes = [] }: SortedAs = {}): Refusal {
  const parsed = apiError.safeParse(error);
  if (!parsed.success) return networkAnswer(error);
  const { code: status, body, headers = {} } = parsed.data;
  const said = saidIn(body);
  const message = said.message?.slice(0, 1_000) ?? `HTTP ${String(status)}`;
  const code = codeOf(said) ?? `http-${String(status)}`;
  if (status === 403 && forbidden === 'stop') return { outcome: 'stop', code: 'not-allowed', message };
  const waitMs = waitMsOf(status, said.policyName);
  if (waitMs !== undefined) {
    const afterMs = retryAfterMs(headers['retry-after']) ?? waitMs;
    return { outcome: 'retry', code, message, refused: true, afterMs };
  }
  if (status >= 500) return { outcome: 'unknown', code, message };
  const own = codes.find((one) => fits(one, status, message));
  return { outcome: 'stop', code: own?.code ?? code, message };
}

type Said = Exclude<z.output<typeof apiError>['body'], string>;

const saidIn = (body: Said | string): Partial<Said> => (typeof body === 'string' ? {} : body);

const codeOf = ({ errors, category, policyName }: Partial<Said>): string | undefined =>
  errors?.[0]?.code ?? category ?? policyName;

const fits = (one: { status?: number; said?: RegExp }, status: number, message: string): boolean =>
  (one.status ?? status) === status && (one.said?.test(message) ?? true);

/** What HubSpot said where it refused a call with that status; undefined for any other error. */
export function refusalOf(error: unknown, status: number): string | undefined {
  const { data } = apiError.safeParse(error);
  if (data?.code !== status) return undefined;
  return saidIn(data.body).message ?? '';
}

const waitMsOf = (status: number, policyName = ''): number | undefined =>
  status === 429 ? (policyWaitMs[policyName] ?? 10_000) : statusWaitMs[status];
