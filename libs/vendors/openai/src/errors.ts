import { type Answer, openaiCodes, SPEND_LIMIT } from '#libs/contracts';
import { networkAnswer, retryAfterMs } from '#libs/vendors/http';
import { APIConnectionError, APIError, APIUserAbortError } from 'openai';

const CREDENTIALS_WAIT_MS = 60_000;
const UNPAID_WAIT_MS = 5 * 60_000;

const isOfMoney = (code: string): boolean =>
  openaiCodes('unpaid').includes(code) || /quota|credit_balance|spend_limit|usage_limit|billing_/.test(code);

type Refusal = Exclude<Answer, { outcome: 'done' }>;

/** Sorts what the SDK throws: by the code first, as the same code comes with several statuses, then by the status. */
export function refusalOf(error: unknown): Refusal {
  if (error instanceof APIUserAbortError) {
    return { outcome: 'unknown', code: 'deadline', message: 'cut at the deadline' };
  }
  if (error instanceof APIConnectionError) return networkAnswer(error);
  if (error instanceof APIError) return ofStatus(error as Refused);
  return { outcome: 'unknown', code: 'unreadable-answer', message: error instanceof Error ? error.name : 'unknown' };
}

/** What is said of a refused request, by HTTP or in a line of a batch. */
export interface Refused {
  status?: number;
  code?: string | null;
  type?: string | null;
  param?: string | null;
  headers?: Headers;
}

/** Sorts a refusal. The vendor's words may quote what was asked: only its type and the field it means are told. */
export function ofStatus(error: Refused): Refusal {
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
  if (isOfMoney(code)) return refused(UNPAID_WAIT_MS, openaiCodes('unpaid').includes(code) ? code : SPEND_LIMIT);
  if (status === 401)
    return refused(CREDENTIALS_WAIT_MS, openaiCodes('unauthorized').includes(code) ? code : 'http-401');
  if (status === 429 || status === 503)
    return refused(wait, openaiCodes('busy').includes(code) ? code : `http-${String(status)}`);
  if (status === 408 || status === 409 || status >= 500)
    return { outcome: 'retry', code, message, refused: false, afterMs: wait };
  return { outcome: 'stop', code, message };
}

function waitOf(headers: Headers | undefined): number | undefined {
  const ms = headers?.get('retry-after-ms');
  return ms ? Number(ms) : retryAfterMs(headers?.get('retry-after'));
}
