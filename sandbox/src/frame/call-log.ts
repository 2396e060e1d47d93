export interface Call {
  n: number;
  at: string;
  method: string;
  path: string;
  query: Record<string, unknown>;
  /** null while the call runs, and for ever when no answer was given. */
  status: number | null;
  requestBody?: unknown;
  responseBody?: unknown;
  durationMs: number | null;
  app?: string;
  idempotencyKey?: string;
  billed?: boolean;
  fault?: string;
}

/** Keeps the newest calls in the order of arrival; numbers go on counting when old ones fall out. */
export class CallLog {
  readonly #calls: Call[] = [];
  readonly #keep: number;
  #last = 0;

  constructor(keep = 50_000) {
    this.#keep = keep;
  }

  begin(method: string, path: string, query: Record<string, unknown>): Call {
    const call: Call = {
      n: ++this.#last,
      at: new Date().toISOString(),
      method,
      path,
      query,
      status: null,
      durationMs: null,
    };
    this.#calls.push(call);
    if (this.#calls.length > this.#keep * 1.1) this.#calls.splice(0, this.#calls.length - this.#keep);
    return call;
  }

  since(n: number): Call[] {
    return this.#calls.filter((call) => call.n > n);
  }

  latest(count: number): Call[] {
    return this.#calls.slice(-count).reverse();
  }

  clear(): void {
    this.#calls.length = 0;
  }
}
