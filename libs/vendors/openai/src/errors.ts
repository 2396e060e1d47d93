import type { Answer } from '#libs/contracts';
import { networkAnswer, retryAfterMs } from '#libs/vendors/http';
import { APIConnectionError, APIError, APIUserAbortError } from 'openai';

const CREDENTIALS_WAIT_MS = 60_000;
const UNPAID_WAIT_MS = 5 * 60_000;

/** Any other code that speaks of money ends as this one. */
const SPENT = 'spend-limit';

/** Nothing pays for an answer: no waiting mends it but somebody's payment. Some come with status 429, some with 400. */
export const UNPAID: readonly string[] = [
  ...['insufficient_quota', 'credit_balance_exhausted', 'organization_spend_limit_exceeded'],
  SPENT,
];

/** The key is not taken. */
export const UNAUTHORIZED: readonly string[] = ['invalid_api_key', 'http-401'];

/** More than the account may ask just now. */
export const BUSY: readonly string[] = [
  ...['rate_limit_exceeded', 'slow_down', 'http-429'],
  ...['server_is_overloaded', 'http-503'],
];

const isOfMoney = (code: string): boolean =>
  UNPAID.includes(code) || /quota|credit_balance|spend_limit|usage_limit|billing_/.test(code);

type Refusal = Exclude<Answer, { outcome: 'done' }>;

/** Sorts what the SDK throws: by the code first, as the same code comes with several statuses, then by the status. */
export function refusalOf(error: unknown): Refusal {
  if (error instanceof APIUserAbortError) {
    return { outcome: 'unknown', code: 'deadline', message: 'cut at the deadline' };
  }
  if (error instanceof APIConnectionError) return networkAnswer(error);
  if (error instanceof APIError) return ofStatus(error as APIError<number | undefined, Headers | undefined>);
  return { outcome: 'unknown', code: 'unreadable-answer', message: error instanceof Error ? error.name : 'unknown' };
}

// The vendor's words may quote what was asked: only its type and the field it means are told.
function ofStatus(error: APIError<number | undefined, Headers | undefined>): Refusal {
  const status = error.status ?? 0;
  const code = error.code ?? `http-${String(status)}`;
  const message = [error.type, error.param].filter(Boolean).join(': ');
  const refused = (afterMs: number | undefined, as: string): Refusal => ({
    outcome: 'retry',
    code: as,
    message,
    refused: true,
    afterMs,
  });
  const wait = waitOf(error.headers);
  if (isOfMoney(code)) return refused(UNPAID_WAIT_MS, UNPAID.includes(code) ? code : SPENT);
  if (status === 401) return refused(CREDENTIALS_WAIT_MS, UNAUTHORIZED.includes(code) ? code : 'http-401');
  if (status === 429 || status === 503) return refused(wait, BUSY.includes(code) ? code : `http-${String(status)}`);
  if (status === 408 || status === 409 || status >= 500)
    return { outcome: 'retry', code, message, refused: false, afterMs: wait };
  return { outcome: 'stop', code, message };
}

function waitOf(headers: Headers | undefined): number | undefined {
  const ms = headers?.get('retry-after-ms');
  return ms ? Number(ms) : retryAfterMs(headers?.get('retry-after'));
}
