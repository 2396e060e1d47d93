import type { FastifyReply, FastifyRequest } from 'fastify';
import { overLimit, type LimitPolicy } from './errors.ts';

/** Counts calls in a rolling window. */
class RollingWindow {
  readonly #times: number[] = [];

  used(now: number, lengthMs: number): number {
    while ((this.#times[0] ?? Infinity) <= now - lengthMs) this.#times.shift();
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
  /** Calls of the associations API have limits of their own beside. */
  associationsPerTenSeconds: number;
  associationsDaily: number;
  /** How long the ten seconds are, and their tenth the second of search. */
  windowMs: number;
  /** Send Retry-After with a 429; the real one does not document it. */
  retryAfter: boolean;
}

const VERSION = '2026-0[39]';
const ASSOCIATIONS = new RegExp(
  `^/crm/(v4|associations/${VERSION})/|^/crm/objects/${VERSION}/[^/]+/[^/]+/associations/`,
);
const EXEMPT = new RegExp(`^/crm/(v4/associations|associations/${VERSION})/.+/batch/`);

interface Bucket {
  window: RollingWindow;
  most: number;
  policy: LimitPolicy;
  lengthMs: number;
}

/** Answers 429 beyond the rolling ten seconds, the search second or the day; a refused call does not count. */
export class RateLimit {
  readonly limits: Limits = {
    perTenSeconds: 190,
    searchPerSecond: 5,
    daily: 650_000,
    associationsPerTenSeconds: 150,
    associationsDaily: 500_000,
    windowMs: 10_000,
    retryAfter: false,
  };
  /** How many calls were answered 429, by policy. */
  readonly refused: Record<LimitPolicy, number> = { TEN_SECONDLY_ROLLING: 0, SECONDLY: 0, DAILY: 0 };
  readonly #tenSeconds = new RollingWindow();
  readonly #search = new RollingWindow();
  readonly #associations = new RollingWindow();
  #today = { day: '', calls: 0, associations: 0 };

  reset(): void {
    for (const window of [this.#tenSeconds, this.#search, this.#associations]) window.clear();
    this.#today = { day: '', calls: 0, associations: 0 };
  }

  /** Apps that were installed by OAuth have no day. */
  admit(request: FastifyRequest, reply: FastifyReply, { isOauth }: { isOauth: boolean }): void {
    const path = request.url.split('?')[0] ?? '';
    const now = Date.now();
    const isSearch = path.endsWith('/search');
    const isAssociation = ASSOCIATIONS.test(path);
    this.#checkDay(now, isOauth, isAssociation);
    const buckets = this.#bucketsOf(path, isSearch, isAssociation);
    const full = buckets.find(({ window, most, lengthMs }) => window.used(now, lengthMs) >= most);
    if (full) throw this.#over(full.policy, isSearch ? 1 : 10);
    for (const { window } of buckets) window.add(now);
    this.#today.calls += 1;
    if (isAssociation) this.#today.associations += 1;
    if (!isSearch) void reply.headers(this.#headers(now, isOauth));
  }

  #bucketsOf(path: string, isSearch: boolean, isAssociation: boolean): Bucket[] {
    const { perTenSeconds, searchPerSecond, associationsPerTenSeconds, windowMs } = this.limits;
    if (isSearch) return [{ window: this.#search, most: searchPerSecond, policy: 'SECONDLY', lengthMs: windowMs / 10 }];
    const ten = { policy: 'TEN_SECONDLY_ROLLING' as const, lengthMs: windowMs };
    return [
      ...(EXEMPT.test(path) ? [] : [{ window: this.#tenSeconds, most: perTenSeconds, ...ten }]),
      ...(isAssociation ? [{ window: this.#associations, most: associationsPerTenSeconds, ...ten }] : []),
    ];
  }

  #headers(now: number, isOauth: boolean): Record<string, number> {
    const { perTenSeconds, daily, windowMs } = this.limits;
    return {
      'X-HubSpot-RateLimit-Max': perTenSeconds,
      'X-HubSpot-RateLimit-Remaining': Math.max(0, perTenSeconds - this.#tenSeconds.used(now, windowMs)),
      'X-HubSpot-RateLimit-Interval-Milliseconds': windowMs,
      ...(isOauth
        ? {}
        : {
            'X-HubSpot-RateLimit-Daily': daily,
            'X-HubSpot-RateLimit-Daily-Remaining': Math.max(0, daily - this.#today.calls),
          }),
    };
  }

  #checkDay(now: number, isOauth: boolean, isAssociation: boolean): void {
    const day = new Date(now).toISOString().slice(0, 10);
    if (this.#today.day !== day) this.#today = { day, calls: 0, associations: 0 };
    const { daily, associationsDaily } = this.limits;
    const isOver = !isOauth && this.#today.calls >= daily;
    if (isOver || (isAssociation && this.#today.associations >= associationsDaily)) throw this.#over('DAILY', 3600);
  }

  #over(policy: LimitPolicy, seconds: number): Error {
    this.refused[policy] += 1;
    return overLimit(policy, this.limits.retryAfter ? seconds : undefined);
  }
}
