import type { FastifyRequest } from 'fastify';
import type { Random } from '../../frame/seeded-random.ts';
import type { Origin } from '../crm/record-store.ts';
import { createHash } from 'node:crypto';
import { badCode, badGrant, expired, forbidden, unauthorized } from '../errors.ts';
import { ALL_SCOPES, scopesFor } from './scopes.ts';

export type CallerOf = (request: FastifyRequest) => Origin;

/** An account's installation of the app. */
export interface Installation {
  portalId: number;
  /** Everything where absent. */
  scopes?: readonly string[];
  /** How many access tokens were got by it. */
  grants?: number;
  /** When the newest of them ends. */
  endsAt?: number;
  /** How often the next one was asked for after the end of the one before. */
  late?: number;
}

/** What a person agreed to, until the app has asked for its tokens. */
export interface Consent extends Installation {
  redirectUri: string;
  challenge?: string;
}

interface Token extends Partial<Installation> {
  expiresAt: number | null;
  refreshToken?: string;
  /** Of the app itself, in no account. */
  isClients?: boolean;
}

const JOURNAL = '/webhooks-journal/';

/** The token that a call carries; empty where it carries none. */
export const bearerOf = (request: FastifyRequest): string =>
  /^Bearer (.+)$/i.exec(request.headers.authorization ?? '')?.[1] ?? '';

/** Knows the bearer tokens of the one app, in all accounts that have installed it. */
export class Tokens {
  readonly appId: number;
  lifeMs = 1_800_000;
  /** How many times sooner than they say tokens end. */
  clockFactor = 1;
  readonly #tokens = new Map<string, Token>();
  readonly #refresh = new Map<string, Installation>();
  readonly #codes = new Map<string, Consent>();
  readonly #portalId: number;
  readonly #random: Random;

  constructor(appId: number, accessToken: string, portalId: number, random: Random) {
    this.appId = appId;
    this.#portalId = portalId;
    this.#random = random;
    this.#tokens.set(accessToken, { expiresAt: null });
  }

  /** Throws the vendor's 401 or 403 unless the call carries a living token that may do this; tells what kind it is. */
  admit(request: FastifyRequest): { isOauth: boolean; isClients: boolean } {
    const known = this.#tokens.get(bearerOf(request));
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
    return this.#refresh.get(token)?.scopes ?? this.#tokens.get(token)?.scopes ?? ALL_SCOPES;
  }

  /** Lets an installation of the app be good from now on, in the sandbox's own account unless told otherwise. */
  install(refreshToken: string, { portalId = this.#portalId, scopes }: Partial<Installation> = {}): void {
    this.#refresh.set(refreshToken, { portalId, ...(scopes ? { scopes } : {}) });
  }

  /** Gives a code for what a person agreed to: it is good once. */
  agree(consent: Consent): string {
    const code = `na1-code-${this.#random.uuid()}`;
    this.#codes.set(code, consent);
    return code;
  }

  /** The accounts that have the app, and how their tokens were asked for; never a token. */
  get installations(): readonly Installation[] {
    return [...this.#refresh.values()];
  }

  /** The account that a token is of. */
  portalOf(token: string): number {
    return this.#refresh.get(token)?.portalId ?? this.#tokens.get(token)?.portalId ?? this.#portalId;
  }

  /** Ends an installation by one of its access tokens, as the app itself may. */
  uninstall(accessToken: string): void {
    const refreshToken = this.#tokens.get(accessToken)?.refreshToken;
    if (refreshToken !== undefined) this.revoke(refreshToken);
  }

  readonly callerOf: CallerOf = () => ({ source: 'INTEGRATION', sourceId: String(this.appId) });

  /** Gives new tokens for a code (once) or a refresh token. */
  grant(form: Record<string, unknown>): { accessToken: string; refreshToken: string; expiresIn: number } {
    const refreshToken =
      form['grant_type'] === 'authorization_code' ? this.#take(form) : String(form['refresh_token'] ?? '');
    const installation = this.#refresh.get(refreshToken);
    if (installation === undefined) throw badGrant();
    const accessToken = `sandbox-access-${this.#random.hex(32)}`;
    const { grants = 0, endsAt = Infinity, late = 0 } = installation;
    const isLate = endsAt < Date.now();
    Object.assign(installation, { grants: grants + 1, endsAt: this.#end(), late: late + (isLate ? 1 : 0) });
    const { portalId, scopes } = installation;
    this.#tokens.set(accessToken, { portalId, ...(scopes ? { scopes } : {}), expiresAt: this.#end(), refreshToken });
    return { accessToken, refreshToken, expiresIn: Math.floor(this.lifeMs / 1000) };
  }

  /** The refresh token of a new installation for a code, if it was given for this address and to who knows the verifier. */
  #take(form: Record<string, unknown>): string {
    const code = String(form['code'] ?? '');
    const consent = this.#codes.get(code);
    // Whoever brings a code wrongly has spent it.
    this.#codes.delete(code);
    if (consent === undefined || consent.redirectUri !== form['redirect_uri']) throw badCode();
    const { portalId, scopes, challenge } = consent;
    const verifier = createHash('sha256')
      .update(String(form['code_verifier'] ?? ''))
      .digest('base64url');
    if (challenge !== undefined && challenge !== verifier) throw badCode();
    const refreshToken = `na1-${this.#random.uuid()}`;
    this.install(refreshToken, { portalId, ...(scopes ? { scopes } : {}) });
    return refreshToken;
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
