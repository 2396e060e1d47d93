import type { Answer } from '#libs/contracts';
import { sorted } from './answering';
import { NoToken } from './errors';
import { Sdk } from './sdk';

/** A customer's installation of an app; secrets are read for each use, so that they may change. */
export interface OauthApp {
  clientId: string;
  clientSecret: () => string;
  refreshToken: () => string;
}

/** Where an account's access token comes from: it stands somewhere, or is got by a refresh token. */
export type TokenSource = (() => string) | OauthApp;

const REFRESH_LIMIT_MS = 10_000;
/** A token is renewed when this share of its life is over: calls under way with it end in time. */
const RENEWED_AT = 0.8;
const REFUSED_WAIT_MS = 60_000;
const FAILED_WAIT_MS = 5_000;

/**
 * The access token of an account, by its life and not by a 401, which says nothing certain. A refresh is made once for
 * all calls that wait for it. Where HubSpot refuses one, the installation is revoked: every call is refused unprocessed.
 */
export class OauthTokens {
  private current: { token: string; renewAt: number; endsAt: number } | undefined;
  private given: { declared: string; refreshToken: string } | undefined;
  private refreshing: Promise<string> | undefined;
  private readonly sdk: Sdk;

  constructor(
    private readonly app: OauthApp,
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
      return await (this.refreshing ??= this.refresh().finally(() => (this.refreshing = undefined)));
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

  private async refresh(): Promise<string> {
    const { clientId, clientSecret, refreshToken } = this.app;
    const declared = refreshToken();
    // HubSpot may give another one with each answer; one that was declared since counts more.
    const newest = this.given?.declared === declared ? this.given.refreshToken : declared;
    const { tokensApi } = this.sdk.oauth;
    const asked = performance.now();
    const answer = await sorted(AbortSignal.timeout(REFRESH_LIMIT_MS), () =>
      tokensApi.create('refresh_token', undefined, undefined, clientId, clientSecret(), newest),
    );
    if (answer.outcome !== 'done') throw new NoToken(refusalFor(answer));
    const { accessToken, refreshToken: next, expiresIn } = answer.value;
    const lifeMs = expiresIn * 1_000;
    this.given = { declared, refreshToken: next };
    this.current = { token: accessToken, renewAt: asked + lifeMs * RENEWED_AT, endsAt: asked + lifeMs };
    return accessToken;
  }
}

const NOT_REFRESHED = 'token-not-refreshed';

// No call was made: whatever became of the refresh, nothing else can have happened.
function refusalFor(answer: Exclude<Answer, { outcome: 'done' }>): NoToken['refusal'] {
  const { message } = answer;
  const refused = { outcome: 'retry', message, refused: true } as const;
  if (answer.outcome === 'stop') {
    const code = answer.code === 'BAD_REFRESH_TOKEN' ? answer.code : 'no-token';
    return { ...refused, code, afterMs: REFUSED_WAIT_MS };
  }
  const afterMs = answer.outcome === 'retry' ? answer.afterMs : undefined;
  return { ...refused, code: NOT_REFRESHED, afterMs: afterMs ?? FAILED_WAIT_MS };
}
