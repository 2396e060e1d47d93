import type { FastifyRequest } from 'fastify';
import type { Random } from '../../frame/seeded-random.ts';
import type { Origin } from '../crm/record-store.ts';
import { badGrant, expired, forbidden, unauthorized } from '../errors.ts';
import { ALL_SCOPES, scopesFor } from './scopes.ts';

export type CallerOf = (request: FastifyRequest) => Origin;

interface Token {
  expiresAt: number | null;
  refreshToken?: string;
  /** Everything where absent. */
  scopes?: readonly string[];
  /** Of the app itself, in no account. */
  isClients?: boolean;
}

const JOURNAL = '/webhooks-journal/';

/** Knows the bearer tokens of the one installed app. */
export class Tokens {
  readonly appId: number;
  lifeMs = 1_800_000;
  /** How many times sooner than they say tokens end. */
  clockFactor = 1;
  readonly #tokens = new Map<string, Token>();
  readonly #refresh = new Set<string>();
  readonly #usedCodes = new Set<string>();
  readonly #random: Random;

  constructor(appId: number, accessToken: string, random: Random) {
    this.appId = appId;
    this.#random = random;
    this.#tokens.set(accessToken, { expiresAt: null });
  }

  /** Throws the vendor's 401 or 403 unless the call carries a living token that may do this; tells what kind it is. */
  admit(request: FastifyRequest): { isOauth: boolean; isClients: boolean } {
    const token = /^Bearer (.+)$/i.exec(request.headers.authorization ?? '')?.[1];
    const known = token === undefined ? undefined : this.#tokens.get(token);
    if (known === undefined) throw unauthorized();
    if (known.expiresAt !== null && known.expiresAt <= Date.now()) throw expired(known.expiresAt);
    const path = request.url.split('?')[0] ?? '';
    const { scopes, isClients = false } = known;
    if (isClients !== path.startsWith(JOURNAL)) throw unauthorized();
    const anyOf = scopesFor(request.method, path);
    if (scopes && anyOf.length > 0 && !anyOf.some((scope) => scopes.includes(scope))) throw forbidden(...anyOf);
    return { isOauth: known.refreshToken !== undefined, isClients };
  }

  /** Lets a token be good from now on, for these scopes only where any are named; or one that has ended by now. */
  put(token: string, scopes?: readonly string[], hasEnded = false): void {
    const expiresAt = hasEnded ? Date.now() - 1 : null;
    this.#tokens.set(token, { ...this.#tokens.get(token), expiresAt, ...(scopes ? { scopes } : {}) });
  }

  /** What a token may do. */
  scopesOf(token: string): readonly string[] {
    return this.#tokens.get(token)?.scopes ?? ALL_SCOPES;
  }

  /** Lets an installation of the app be good from now on. */
  install(refreshToken: string): void {
    this.#refresh.add(refreshToken);
  }

  readonly callerOf: CallerOf = () => ({ source: 'INTEGRATION', sourceId: String(this.appId) });

  /** Gives new tokens for a code (once) or a refresh token. */
  grant(form: Record<string, unknown>): { accessToken: string; refreshToken: string; expiresIn: number } {
    let refreshToken: string;
    if (form['grant_type'] === 'authorization_code') {
      const code = String(form['code'] ?? '');
      if (code === '' || this.#usedCodes.has(code)) throw badGrant();
      this.#usedCodes.add(code);
      refreshToken = `na1-${this.#random.uuid()}`;
      this.#refresh.add(refreshToken);
    } else {
      refreshToken = String(form['refresh_token'] ?? '');
      if (!this.#refresh.has(refreshToken)) throw badGrant();
    }
    const accessToken = `sandbox-access-${this.#random.hex(32)}`;
    this.#tokens.set(accessToken, { expiresAt: this.#end(), refreshToken });
    return { accessToken, refreshToken, expiresIn: Math.floor(this.lifeMs / 1000) };
  }

  /** Gives a token of the app itself, which has no refresh token. */
  grantToClient(scope: string): { accessToken: string; expiresIn: number } {
    const accessToken = `sandbox-client-${this.#random.hex(32)}`;
    const scopes = scope.split(' ').filter(Boolean);
    this.#tokens.set(accessToken, { expiresAt: this.#end(), scopes, isClients: true });
    return { accessToken, expiresIn: Math.floor(this.lifeMs / 1000) };
  }

  #end(): number {
    return Date.now() + this.lifeMs / this.clockFactor;
  }

  /** Seconds a token still lives, null for one without an end, undefined for a dead or unknown one. */
  lifeOf(token: string): number | null | undefined {
    if (this.#refresh.has(token)) return null;
    const known = this.#tokens.get(token);
    if (known === undefined || known.expiresAt === null) return known === undefined ? undefined : null;
    const left = Math.floor((known.expiresAt - Date.now()) / 1000);
    return left > 0 ? left : undefined;
  }

  isRefreshToken(token: string): boolean {
    return this.#refresh.has(token);
  }

  revoke(token: string): void {
    this.#refresh.delete(token);
    this.#tokens.delete(token);
    for (const [access, { refreshToken }] of this.#tokens) if (refreshToken === token) this.#tokens.delete(access);
  }
}
