import type { FastifyReply, FastifyRequest } from 'fastify';
import { overLimit } from './errors.ts';

/** Counts calls in a rolling window. */
class RollingWindow {
  readonly #times: number[] = [];
  readonly #lengthMs: number;

  constructor(lengthMs: number) {
    this.#lengthMs = lengthMs;
  }

  used(now: number): number {
    while ((this.#times[0] ?? Infinity) <= now - this.#lengthMs) this.#times.shift();
    return this.#times.length;
  }

  add(now: number): void {
    this.#times.push(now);
  }

  clear(): void {
    this.#times.length = 0;
  }
}

export interface Limits {
  perTenSeconds: number;
  searchPerSecond: number;
  daily: number;
  /** Send Retry-After with a 429; the real one does not document it. */
  retryAfter: boolean;
}

const EXEMPT = /^\/crm\/(v4\/associations|associations\/2026-0[39])\/.+\/batch\//;

/** Answers 429 beyond the rolling ten seconds, the search second or the day; a refused call does not count. */
export class RateLimit {
  readonly limits: Limits = { perTenSeconds: 190, searchPerSecond: 5, daily: 650_000, retryAfter: false };
  readonly #tenSeconds = new RollingWindow(10_000);
  readonly #search = new RollingWindow(1000);
  #today = { day: '', used: 0 };

  reset(): void {
    this.#tenSeconds.clear();
    this.#search.clear();
    this.#today.used = 0;
  }

  admit(request: FastifyRequest, reply: FastifyReply): void {
    const path = request.url.split('?')[0] ?? '';
    if (path.startsWith('/oauth')) return;
    const now = Date.now();
    this.#countDay(now);
    if (path.endsWith('/search')) {
      if (this.#search.used(now) >= this.limits.searchPerSecond) throw overLimit('SECONDLY', this.#hint(1));
      this.#search.add(now);
      return;
    }
    if (!EXEMPT.test(path)) {
      if (this.#tenSeconds.used(now) >= this.limits.perTenSeconds)
        throw overLimit('TEN_SECONDLY_ROLLING', this.#hint(10));
      this.#tenSeconds.add(now);
    }
    const { perTenSeconds, daily } = this.limits;
    void reply.headers({
      'X-HubSpot-RateLimit-Max': perTenSeconds,
      'X-HubSpot-RateLimit-Remaining': Math.max(0, perTenSeconds - this.#tenSeconds.used(now)),
      'X-HubSpot-RateLimit-Interval-Milliseconds': 10_000,
      'X-HubSpot-RateLimit-Daily': daily,
      'X-HubSpot-RateLimit-Daily-Remaining': Math.max(0, daily - this.#today.used),
    });
  }

  #countDay(now: number): void {
    const day = new Date(now).toISOString().slice(0, 10);
    if (this.#today.day !== day) this.#today = { day, used: 0 };
    if (this.#today.used >= this.limits.daily) throw overLimit('DAILY', this.#hint(3600));
    this.#today.used += 1;
  }

  #hint(seconds: number): number | undefined {
    return this.limits.retryAfter ? seconds : undefined;
  }
}
