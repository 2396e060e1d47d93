import type { Answer } from '#libs/contracts';
import { networkAnswer, retryAfterMs } from '#libs/vendors/http';
import { z } from 'zod';

type Refusal = Exclude<Answer, { outcome: 'done' }>;

const text = () => z.string().optional().catch(undefined);

// Every field of HubSpot's bodies is optional; one of another shape than documented says nothing.
const apiError = z.looseObject({
  code: z.number(),
  body: z
    .union([
      z.string(),
      z.looseObject({
        message: text(),
        category: text(),
        errorType: text(),
        policyName: text(),
        // As OAuth's endpoints name their errors.
        status: text(),
        error: text(),
        errors: z
          .array(z.looseObject({ code: text() }))
          .optional()
          .catch(undefined),
      }),
    ])
    .catch({}),
  headers: z.record(z.string(), z.string()).optional().catch(undefined),
});

// How long each limit lasts at most; HubSpot documents no Retry-After on its 429 (vendors' page on limits).
const policyWaitMs: Record<string, number> = {
  SECONDLY: 1_000,
  TEN_SECONDLY_ROLLING: 10_000,
  DAILY: 15 * 60_000,
};
// Wrong or expired credentials (401, 403) make nothing fail for good: what is owed waits until they are right.
const statusWaitMs: Record<number, number> = { 401: 60_000, 403: 60_000, 423: 2_000, 477: 60_000 };
// HubSpot's own 404 is JSON. A page instead says that there is no such route: the hub's fault, not the record's.
const NO_ROUTE = new Set([404, 405]);
const NO_ROUTE_WAIT_MS = 60_000;
/** HubSpot's proxy had no connection to what is behind it. */
const NOT_REACHED = new Set([521, 523, 525, 526]);

/** What HubSpot answered; undefined for failures without an answer, of which some have a number as their code too. */
const answered = (error: unknown) =>
  typeof error === 'object' && error !== null && 'body' in error ? apiError.safeParse(error).data : undefined;

/** Thrown where a call was not made for want of an access token, with what is to be answered for it. */
export class NoToken extends Error {
  constructor(readonly refusal: Extract<Answer, { outcome: 'retry' }>) {
    super(refusal.message);
  }
}

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
  if (error instanceof NoToken) return error.refusal;
  const parsed = answered(error);
  if (!parsed) return networkAnswer(error);
  const { code: status, body, headers = {} } = parsed;
  const said = saidIn(body);
  const message = said.message?.slice(0, 1_000) ?? `HTTP ${String(status)}`;
  const code = codeOf(said) ?? `http-${String(status)}`;
  if (status === 403 && forbidden === 'stop') return { outcome: 'stop', code: 'not-allowed', message };
  const turnedAway = turnedAwayBy(status, body, headers['retry-after'], code);
  if (turnedAway) return { outcome: 'retry', message, refused: true, ...turnedAway };
  if (mayBeDone(status)) return { outcome: 'unknown', code, message };
  const own = codes.find((one) => fits(one, status, message));
  return { outcome: 'stop', code: own?.code ?? code, message };
}

// The SDK throws a success too where it expects another one (a 201 for a 200): then the call was obeyed, for all we know.
const mayBeDone = (status: number): boolean => status >= 500 || status < 400;

/** Why and for how long a call was not taken up, certainly; undefined where it was, or may have been. */
function turnedAwayBy(status: number, body: Body, wish: string | undefined, code: string) {
  if (isPage(body) && NO_ROUTE.has(status)) return { code: 'no-such-route', afterMs: NO_ROUTE_WAIT_MS };
  if (NOT_REACHED.has(status)) return { code: 'unreachable' };
  const waitMs = status === 429 ? (policyWaitMs[saidIn(body).policyName ?? ''] ?? 10_000) : statusWaitMs[status];
  return waitMs === undefined ? undefined : { code, afterMs: retryAfterMs(wish) ?? waitMs };
}

/** The codes by which an account's calls are refused until its token is right again. */
export const TOKEN_REFUSALS = [
  'EXPIRED_AUTHENTICATION',
  'INVALID_AUTHENTICATION',
  'MISSING_AUTHENTICATION',
  'http-401',
  'BAD_REFRESH_TOKEN',
  'no-token',
];

/** The code by which calls are refused while no new access token can be had. */
export const NOT_REFRESHED = 'token-not-refreshed';

/** The code by which calls are refused for as long as nobody has installed the app in the tenant's account. */
export const NOT_INSTALLED = 'not-installed';

type Body = z.output<typeof apiError>['body'];
type Said = Exclude<Body, string>;

const isPage = (body: Body): boolean => typeof body === 'string' && body.trimStart().startsWith('<');

const saidIn = (body: Said | string): Partial<Said> => (typeof body === 'string' ? {} : body);

// A general body has the status `error`; one of OAuth has the code there.
const codeOf = ({
  errors,
  category,
  policyName,
  errorType,
  status,
  error,
  message,
}: Partial<Said>): string | undefined =>
  policyName ??
  errors?.[0]?.code ??
  codeInText(message) ??
  category ??
  errorType ??
  (status === 'error' ? undefined : status) ??
  error;

// Bodies without `errors` name the code of a bad value in their sentence only.
const codeInText = (message = ''): string | undefined => /"error":"([A-Z_]{1,60})"/.exec(message)?.[1];

/** Parts of a batch that were certainly not done, by their category; of others it is not known. */
const certain = new Set(['VALIDATION_ERROR', 'CONFLICT', 'OBJECT_NOT_FOUND', 'OBJECT_ALREADY_EXISTS']);

/** What became of a part of a batch that was answered with an error of its own. */
export function sortedPart(error: { category: string; message: string; errors?: { code?: string }[] }): Refusal {
  const { category, message } = error;
  const code = codeOf(error) ?? category;
  return { outcome: certain.has(category) ? 'stop' : 'unknown', code, message: message.slice(0, 1_000) };
}

const fits = (one: { status?: number; said?: RegExp }, status: number, message: string): boolean =>
  (one.status ?? status) === status && (one.said?.test(message) ?? true);

/** The id of the record that exists already, where a conflict names one: it stands in the sentence alone. */
export const existingId = (sentence = ''): string | undefined => /Existing ID:\s*(\d+)/.exec(sentence)?.[1];

/** What HubSpot said where it refused a call with that status; undefined for any other error. */
export function refusalOf(error: unknown, status: number): string | undefined {
  const data = answered(error);
  if (data?.code !== status) return undefined;
  return saidIn(data.body).message ?? '';
}
