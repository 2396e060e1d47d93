/** What the receiver of an error must do about it. */
export type ProblemKind = 'invalid' | 'rejected' | 'transient' | 'bug';

interface ProblemSpec {
  status: number;
  kind: ProblemKind;
  title: string;
}

const spec = (status: number, kind: ProblemKind, title: string): ProblemSpec => ({ status, kind, title });

/** Every code that a problem can have, with its HTTP status: the one list. */
export const problems = {
  'bad-request': spec(400, 'invalid', 'The request is malformed'),
  'not-json': spec(400, 'invalid', 'The body is not JSON'),
  'too-deep': spec(400, 'invalid', 'The body is nested deeper than is accepted'),
  'wrong-shape': spec(400, 'invalid', 'The body has not the shape of its kind'),
  'too-many-events': spec(400, 'invalid', 'The body holds more events than one request may'),
  'signature-missing': spec(401, 'invalid', 'The request is not signed'),
  'signature-mismatch': spec(401, 'invalid', 'The signature does not match the request'),
  'timestamp-stale': spec(401, 'invalid', 'The request is older or newer than is accepted'),
  unauthorized: spec(401, 'invalid', 'The request carries no accepted credentials'),
  'certificate-missing': spec(401, 'invalid', 'The request shows no client certificate that can be believed'),
  'certificate-not-accepted': spec(403, 'rejected', 'The client certificate is not one of those accepted'),
  'address-not-allowed': spec(403, 'rejected', 'The request comes from an address that is not allowed'),
  forbidden: spec(403, 'rejected', 'The request is not allowed'),
  'not-found': spec(404, 'invalid', 'There is nothing at this address'),
  'cards-off': spec(404, 'invalid', 'The gateway answers no cards: it has no database to read them from'),
  'render-unknown': spec(404, 'invalid', 'The record has no such render'),
  'method-not-allowed': spec(405, 'invalid', 'The address does not answer this method'),
  'too-slow': spec(408, 'transient', 'The request did not arrive whole within the time'),
  conflict: spec(409, 'rejected', 'The request conflicts with the present state'),
  'render-moved-on': spec(409, 'rejected', 'A newer render than the one that was seen is there'),
  'render-refused': spec(409, 'rejected', 'The render cannot be made again now'),
  'too-large': spec(413, 'invalid', 'The body is larger than is accepted'),
  'unsupported-media-type': spec(415, 'invalid', 'The body is of a type that is not accepted'),
  'event-not-accepted': spec(422, 'rejected', 'The event is of a type that the endpoint does not take'),
  rejected: spec(422, 'rejected', 'The request was understood and refused'),
  'too-many-requests': spec(429, 'transient', 'Requests come faster than is accepted'),
  'headers-too-large': spec(431, 'invalid', 'The headers are larger than is accepted'),
  bug: spec(500, 'bug', 'The request met a fault of the server'),
  'log-unavailable': spec(503, 'transient', 'The log cannot take records now'),
  'keys-unavailable': spec(503, 'transient', "The issuer's keys cannot be had now"),
  overloaded: spec(503, 'transient', 'More requests are pending than can be held'),
  'cards-unavailable': spec(503, 'transient', 'The cards cannot be read now'),
  'not-ready': spec(503, 'transient', 'The service is not ready'),
} as const satisfies Record<string, ProblemSpec>;

export type ProblemCode = keyof typeof problems;

/** One fault inside a request, for example of one event of a batch. */
export interface ProblemPart {
  /** JSON pointer to the faulty part of the body, or the name of a check. */
  at: string;
  detail: string;
}

export interface ProblemOptions {
  detail?: string;
  retryAfterSeconds?: number;
  errors?: ProblemPart[];
  cause?: unknown;
}

/** An error that is answered as RFC 9457 problem details, with a code of the one list; its detail is shown to the caller. */
export class Problem extends Error {
  readonly status: number;
  readonly kind: ProblemKind;
  readonly title: string;
  readonly detail: string | undefined;
  readonly retryAfterSeconds: number | undefined;
  readonly errors: ProblemPart[] | undefined;

  constructor(
    readonly code: ProblemCode,
    options: ProblemOptions = {},
  ) {
    super(options.detail ?? problems[code].title, { cause: options.cause });
    this.name = 'Problem';
    ({ status: this.status, kind: this.kind, title: this.title } = problems[code]);
    this.detail = options.detail;
    this.retryAfterSeconds = options.retryAfterSeconds;
    this.errors = options.errors;
  }

  /** The body of `application/problem+json`. */
  toJSON(): Record<string, unknown> {
    return {
      type: `urn:refrain:problem:${this.code}`,
      title: this.title,
      status: this.status,
      detail: this.detail,
      code: this.code,
      errors: this.errors,
    };
  }
}

const byStatus: Partial<Record<number, ProblemCode>> = {
  400: 'bad-request',
  401: 'unauthorized',
  403: 'forbidden',
  404: 'not-found',
  405: 'method-not-allowed',
  409: 'conflict',
  413: 'too-large',
  415: 'unsupported-media-type',
  422: 'rejected',
  429: 'too-many-requests',
};

/** The problem that an HTTP framework's own error amounts to. An unknown error is a bug, and nothing of it is told. */
export function problemOf(error: unknown): Problem {
  if (error instanceof Problem) return error;
  const code = byStatus[statusOf(error) ?? 500];
  return new Problem(code ?? 'bug', { cause: error });
}

function statusOf(error: unknown): number | undefined {
  if (typeof error !== 'object' || error === null) return undefined;
  if ('getStatus' in error && typeof error.getStatus === 'function') {
    return Number((error as { getStatus: () => unknown }).getStatus());
  }
  return 'statusCode' in error ? Number(error.statusCode) : undefined;
}
