import { type Answer, heygenFailureOf } from '#libs/contracts';
import { retryAfterMs } from '#libs/vendors/http';
import { z } from 'zod';

const UNPAID_WAIT_MS = 5 * 60_000;
const CREDENTIALS_WAIT_MS = 60_000;
const RETRY_IN_PROGRESS_MS = 2_000;

/** Turned away before anything was made, and worth another try once the reason has gone. */
const passing = new Set(['rate_limit_exceeded', 'request_in_progress', 'resource_not_ready']);

/** Of version 1 and 2, whose codes are numbers: which status they amount to (docs.heygen.com/reference/errors). */
const numbered: Readonly<Record<string, number>> = {
  '40009': 401,
  '400112': 401,
  '401056': 401,
  '401057': 401,
  '400562': 403,
  '400573': 403,
  '400569': 404,
};

const code = z.union([z.string(), z.number()]).transform(String).optional().catch(undefined);
const text = z.string().optional().catch(undefined);

// A v3 error, its v2 form, the bare string that v2 sometimes sends, and v1, whose code stands outside.
const errorBody = z.looseObject({
  error: z.union([z.string(), z.looseObject({ code, message: text, param: text })]).nullish(),
  code,
  message: text,
});

interface Said {
  code?: string;
  message?: string;
  param?: string;
}

/** Sorts an answer that is no success: by its code where it has one, else by its status. */
export function refusalOf(status: number, headers: Headers, body: unknown): Exclude<Answer, { outcome: 'done' }> {
  const said = saidIn(body);
  const code = said.code ?? `http-${String(status)}`;
  // Which variable is wrong stands beside the sentence, not in it.
  const about = said.param !== undefined && !said.message?.includes(said.param) ? ` (${said.param})` : '';
  const message = `${said.message ?? `HTTP ${String(status)}`}${about}`.slice(0, 1_000);
  const wait = retryAfterMs(headers.get('retry-after'));
  const amounts = numbered[code] ?? status;
  // What is ordered waits until the wallet is filled.
  if (heygenFailureOf(code) === 'unpaid')
    return { outcome: 'retry', code, message, refused: true, afterMs: UNPAID_WAIT_MS };
  if (passing.has(code))
    return { outcome: 'retry', code, message, refused: true, afterMs: wait ?? RETRY_IN_PROGRESS_MS };
  // A wrong key makes nothing fail for good: what is owed waits until the key is right.
  if (amounts === 401) return { outcome: 'retry', code, message, refused: true, afterMs: CREDENTIALS_WAIT_MS };
  if (status === 429 && code !== 'quota_exceeded')
    return { outcome: 'retry', code, message, refused: true, afterMs: wait };
  if (status >= 500) return { outcome: 'unknown', code, message };
  return { outcome: 'stop', code, message };
}

function saidIn(body: unknown): Said {
  const parsed = errorBody.safeParse(body);
  if (!parsed.success) return {};
  const { error, ...outside } = parsed.data;
  return typeof error === 'string' ? { message: error } : (error ?? outside);
}
