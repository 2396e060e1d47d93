import type { Answer } from '#libs/contracts';
import { z } from 'zod';
import { request, sorted } from './answering';
import { NOT_REFRESHED, NoToken } from './errors';
import { isRevoked } from './oauth';
import { Sdk } from './sdk';
import { families } from './versions';

/** A customer's installation of an app; secrets are read for each use, so that they may change. */
export interface OauthApp {
  clientId: string;
  clientSecret: () => string;
  refreshToken: () => string;
}

/** An installation whose tokens are kept elsewhere, by all replicas together. */
export interface KeptApp {
  clientId: string;
  clientSecret: () => string;
  /** Rejects with {@link NoToken} where there is none. */
  token: () => Promise<string>;
  /** Told that HubSpot did not take the token that was given last. */
  forget: () => void;
}

/** Where an account's access token comes from: it stands somewhere, is got by a refresh token, or is kept elsewhere. */
export type TokenSource = (() => string) | OauthApp | KeptApp;

/** An app, where it speaks for itself and not for an account that has installed it. */
export interface ClientApp {
  clientId: string;
  clientSecret: () => string;
  scopes: readonly string[];
}

/** Reads what is declared, and throws where it cannot be; then gets a new access token, whose life counts from the asking. */
type Grant = () => (sdk: Sdk, signal: AbortSignal) => Promise<{ token: string; lifeMs: number }>;

const GRANT_LIMIT_MS = 10_000;
/** A token is renewed when this share of its life is over: calls under way with it end in time. */
const RENEWED_AT = 0.8;
const REFUSED_WAIT_MS = 60_000;
const FAILED_WAIT_MS = 5_000;

/**
 * The access token that a grant gives, by its life and not by a 401, which says nothing certain. One is asked for once for
 * all calls that wait for it. Where HubSpot refuses it, every call is refused unprocessed.
 */
export class GrantedTokens {
  private current: { token: string; renewAt: number; endsAt: number } | undefined;
  private asking: Promise<string> | undefined;
  private readonly sdk: Sdk;

  constructor(
    private readonly grant: Grant,
    baseUrl: string | undefined,
  ) {
    // The calls that get a token have none.
    this.sdk = new Sdk({ baseUrl, accessToken: () => Promise.reject(new Error('a token for a token')) });
  }

  /** Rejects with {@link NoToken} where there is none. */
  async token(): Promise<string> {
    const { current } = this;
    if (current && performance.now() < current.renewAt) return current.token;
    try {
      return await (this.asking ??= this.ask().finally(() => (this.asking = undefined)));
    } catch (error) {
      const passes = error instanceof NoToken && error.refusal.code === NOT_REFRESHED;
      if (passes && current && performance.now() < current.endsAt) return current.token;
      throw error;
    }
  }

  /** Says that HubSpot did not take the token: the next call gets another. */
  forget(): void {
    this.current = undefined;
  }

  private async ask(): Promise<string> {
    const call = this.grant();
    const asked = performance.now();
    const signal = AbortSignal.timeout(GRANT_LIMIT_MS);
    const answer = await sorted(signal, () => call(this.sdk, signal));
    if (answer.outcome !== 'done') throw new NoToken(refusalFor(answer));
    const { token, lifeMs } = answer.value;
    this.current = { token, renewAt: asked + lifeMs * RENEWED_AT, endsAt: asked + lifeMs };
    return token;
  }
}

/** By an installation's refresh token; where that is refused, the installation is revoked. */
export function byRefreshToken({ clientId, clientSecret, refreshToken }: OauthApp): Grant {
  let given: { declared: string; refreshToken: string } | undefined;
  return () => {
    const [declared, secret] = [refreshToken(), clientSecret()];
    // HubSpot may give another one with each answer; one that was declared since counts more.
    const newest = given?.declared === declared ? given.refreshToken : declared;
    return async ({ oauth: { tokensApi } }) => {
      const answer = await tokensApi.create('refresh_token', undefined, undefined, clientId, secret, newest);
      given = { declared, refreshToken: answer.refreshToken };
      return { token: answer.accessToken, lifeMs: answer.expiresIn * 1_000 };
    };
  };
}

/** By the app's own credentials: for what is no account's. */
export const byCredentials =
  ({ clientId: client_id, clientSecret, scopes }: ClientApp): Grant =>
  () => {
    const client_secret = clientSecret();
    const form = { grant_type: 'client_credentials', client_id, client_secret, scope: scopes.join(' ') };
    return async (sdk, signal) => {
      const path = `${families.oauth.root}/token`;
      const answer = ofCredentials.parse(await request(sdk, signal, { method: 'POST', path, form }));
      return { token: answer.access_token, lifeMs: answer.expires_in * 1_000 };
    };
  };

const ofCredentials = z.looseObject({ access_token: z.string().min(1), expires_in: z.number() });

// No call was made: whatever became of the refresh, nothing else can have happened.
function refusalFor(answer: Exclude<Answer, { outcome: 'done' }>): NoToken['refusal'] {
  const { message } = answer;
  const refused = { outcome: 'retry', message, refused: true } as const;
  if (answer.outcome === 'stop') {
    const code = isRevoked(answer) ? 'BAD_REFRESH_TOKEN' : 'no-token';
    return { ...refused, code, afterMs: REFUSED_WAIT_MS };
  }
  const afterMs = answer.outcome === 'retry' ? answer.afterMs : undefined;
  return { ...refused, code: NOT_REFRESHED, afterMs: afterMs ?? FAILED_WAIT_MS };
}
