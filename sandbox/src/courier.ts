import { request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { parsedOr } from './frame/json.ts';

export interface Parcel {
  /** What the delivery is about, for the log: "events", "workflow", "callback". */
  kind: string;
  url: string;
  deliverTo?: string;
  deadlineMs: number;
  maxRetries: number;
  /** Milliseconds to wait before retry number `retry` (from 1), or null to give up. */
  retryDelay(retry: number, outcome: Outcome): number | null;
  /** Called for each attempt, so that signature and time are fresh. Attempts count from 0. */
  pack(attempt: number): { body: string; headers: Record<string, string> };
}

export interface Outcome {
  status: number | null;
  error?: string;
  responseBody?: string;
  retryAfter?: string;
  durationMs: number;
}

export interface Delivery {
  n: number;
  at: string;
  kind: string;
  url: string;
  attempt: number;
  state: 'sending' | 'delivered' | 'will retry' | 'gave up';
  status: number | null;
  error?: string;
  durationMs: number | null;
  headers: Record<string, string>;
  body: unknown;
}

/** Sends one HTTP request and tells how it ended, with the first `keep` characters of the answer; never throws. */
export function sendOnce(
  method: string,
  target: { url: string; deliverTo?: string },
  content: { body: string; headers: Record<string, string> },
  deadlineMs: number,
  keep = 4096,
): Promise<Outcome> {
  const started = performance.now();
  const { promise, resolve } = Promise.withResolvers<Outcome>();
  const end = (status: number | null, rest: Partial<Outcome>): void =>
    resolve({ status, durationMs: Math.round(performance.now() - started), ...rest });
  const named = new URL(target.url);
  const address = new URL(target.deliverTo ?? target.url);
  if (target.deliverTo !== undefined && address.pathname === '/') {
    address.pathname = named.pathname;
    address.search = named.search;
  }
  const signal = AbortSignal.timeout(deadlineMs);
  const headers = { ...content.headers, host: named.host, 'content-length': String(Buffer.byteLength(content.body)) };
  const send = address.protocol === 'https:' ? httpsRequest : httpRequest;
  const call = send(address, { method, headers, signal, agent: false }, (response) => {
    const chunks: Buffer[] = [];
    response.on('data', (chunk: Buffer) => chunks.push(chunk));
    response.on('error', (error) => end(null, { error: signal.aborted ? 'deadline' : error.message }));
    response.on('end', () =>
      end(response.statusCode ?? null, {
        responseBody: Buffer.concat(chunks).toString('utf8').slice(0, keep),
        retryAfter: response.headers['retry-after'],
      }),
    );
  });
  call.on('error', (error: NodeJS.ErrnoException) =>
    end(null, { error: signal.aborted ? 'deadline' : (error.code ?? error.message) }),
  );
  call.end(content.body);
  return promise;
}

const arrived = (outcome: Outcome): boolean => outcome.status !== null && outcome.status >= 200 && outcome.status < 300;

/** Delivers parcels with bounded parallelism and each parcel's own retries, and keeps a log of every attempt. */
export class Courier {
  readonly #parallel: number;
  readonly #deliveries: Delivery[] = [];
  readonly #queue: { parcel: Parcel; attempt: number }[] = [];
  readonly #timers = new Set<NodeJS.Timeout>();
  #inFlight = 0;
  #last = 0;
  #stopped = false;

  constructor(parallel: number) {
    this.#parallel = parallel;
  }

  ship(parcel: Parcel): void {
    this.#queue.push({ parcel, attempt: 0 });
    this.#pump();
  }

  /** Makes a single attempt now, outside queue and retries, and returns how it ended. */
  async attempt(parcel: Parcel): Promise<Outcome> {
    return (await this.#send(parcel, 0)).outcome;
  }

  async #send(parcel: Parcel, attempt: number): Promise<{ outcome: Outcome; delivery: Delivery }> {
    const content = parcel.pack(attempt);
    const delivery: Delivery = {
      n: ++this.#last,
      at: new Date().toISOString(),
      kind: parcel.kind,
      url: parcel.url,
      attempt,
      state: 'sending',
      status: null,
      durationMs: null,
      headers: content.headers,
      body: parsedOr(content.body),
    };
    this.#deliveries.push(delivery);
    if (this.#deliveries.length > 22_000) this.#deliveries.splice(0, 2000);
    const outcome = await sendOnce('POST', parcel, content, parcel.deadlineMs);
    delivery.status = outcome.status;
    delivery.durationMs = outcome.durationMs;
    if (outcome.error !== undefined) delivery.error = outcome.error;
    delivery.state = arrived(outcome) ? 'delivered' : 'gave up';
    return { outcome, delivery };
  }

  since(n: number): Delivery[] {
    return this.#deliveries.filter((delivery) => delivery.n > n);
  }

  latest(count: number): Delivery[] {
    return this.#deliveries.slice(-count).reverse();
  }

  load(): { queued: number; inFlight: number; waitingForRetry: number } {
    return { queued: this.#queue.length, inFlight: this.#inFlight, waitingForRetry: this.#timers.size };
  }

  stop(): void {
    this.#stopped = true;
    this.#queue.length = 0;
    for (const timer of this.#timers) clearTimeout(timer);
    this.#timers.clear();
  }

  #pump(): void {
    while (!this.#stopped && this.#inFlight < this.#parallel) {
      const next = this.#queue.shift();
      if (next === undefined) return;
      this.#inFlight += 1;
      void this.#run(next.parcel, next.attempt);
    }
  }

  async #run(parcel: Parcel, attempt: number): Promise<void> {
    const { outcome, delivery } = await this.#send(parcel, attempt);
    this.#inFlight -= 1;
    if (delivery.state === 'gave up' && attempt < parcel.maxRetries && !this.#stopped) {
      const wait = parcel.retryDelay(attempt + 1, outcome);
      if (wait !== null) {
        delivery.state = 'will retry';
        this.#later(wait, { parcel, attempt: attempt + 1 });
      }
    }
    this.#pump();
  }

  #later(wait: number, next: { parcel: Parcel; attempt: number }): void {
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      this.#queue.push(next);
      this.#pump();
    }, wait);
    this.#timers.add(timer);
  }
}
