import type { Answer } from '#libs/contracts';
import { z } from 'zod';
import { request, sorted } from './answering';
import { Sdk } from './sdk';
import { tokenInfo, type TokenInfo } from './token-info';
import { families } from './versions';

/** An app as OAuth knows it: secrets are read for each use, so that they may change. */
export interface OauthClient {
  clientId: string;
  clientSecret: () => string;
  baseUrl?: string;
}

/** What HubSpot gives for a code or a refresh token. */
export interface GivenTokens {
  accessToken: string;
  /** The one to go on with: HubSpot may give another one with each answer. */
  refreshToken: string;
  /** Of the access token, from when it was asked for. */
  lifeMs: number;
}

/** What a person is asked for who installs an app. */
export interface AuthorizeRequest {
  clientId: string;
  redirectUri: string;
  scopes: readonly string[];
  optionalScopes: readonly string[];
  state: string;
  /** SHA-256 of the verifier, in base64url (RFC 7636, S256). */
  challenge: string;
}

/** Codes by which HubSpot says that a refresh token, and with it the installation, is no longer good. */
const REVOKED = new Set(['BAD_REFRESH_TOKEN', 'invalid_grant']);

/** Whether a refusal says that the customer took the app's access back. */
export const isRevoked = (answer: Answer): boolean => answer.outcome === 'stop' && REVOKED.has(answer.code);

/** Where a person who installs an app is sent (developers.hubspot.com, working with OAuth); `appUrl` is HubSpot's own. */
export function authorizeUrl(appUrl: string, asked: AuthorizeRequest): string {
  const { clientId, redirectUri, scopes, optionalScopes, state, challenge } = asked;
  const query = new URLSearchParams({
    client_id: clientId,
    redirect_uri: redirectUri,
    scope: scopes.join(' '),
    ...(optionalScopes.length > 0 ? { optional_scope: optionalScopes.join(' ') } : {}),
    state,
    code_challenge: challenge,
    code_challenge_method: 'S256',
  });
  return `${appUrl}/oauth/authorize?${query.toString().replaceAll('+', '%20')}`;
}

/** What an app asks HubSpot about installations of it. Never throws: every answer is sorted. */
export class HubspotOauth {
  private readonly sdk: Sdk;

  constructor(private readonly client: OauthClient) {
    this.sdk = new Sdk({
      baseUrl: client.baseUrl,
      accessToken: () => Promise.reject(new Error('a token for a token')),
    });
  }

  /** Tokens for the code that a person brought; HubSpot takes a code once. */
  exchange(
    { code, redirectUri, verifier }: { code: string; redirectUri: string; verifier: string },
    signal: AbortSignal,
  ): Promise<Answer<GivenTokens>> {
    return this.grant(
      { grant_type: 'authorization_code', code, redirect_uri: redirectUri, code_verifier: verifier },
      signal,
    );
  }

  /** A new access token; {@link isRevoked} tells of a refusal whether the installation is over. */
  refresh(refreshToken: string, signal: AbortSignal): Promise<Answer<GivenTokens>> {
    return this.grant({ grant_type: 'refresh_token', refresh_token: refreshToken }, signal);
  }

  /** Whose an access token is, and what it may do. */
  describe(accessToken: string, signal: AbortSignal): Promise<Answer<TokenInfo>> {
    return sorted(signal, () => tokenInfo(this.sdk, accessToken, this.client, signal));
  }

  /** Gives a refresh token back: neither it nor its access tokens are good afterwards. */
  revoke(refreshToken: string, signal: AbortSignal): Promise<Answer<void>> {
    return sorted(signal, async () => {
      const form = { ...this.credentials(), token: refreshToken, token_type_hint: 'refresh_token' };
      await request(this.sdk, signal, { method: 'POST', path: `${families.oauth.root}/token/revoke`, form });
    });
  }

  /** Removes the app from the account that an access token is of; its administrators are told by HubSpot. */
  uninstall(accessToken: string, signal: AbortSignal): Promise<Answer<void>> {
    const sdk = new Sdk({ baseUrl: this.client.baseUrl, accessToken });
    return sorted(signal, async () => {
      await request(sdk, signal, { method: 'DELETE', path: `${families.installs.root}/external-install` });
    });
  }

  private grant(form: Record<string, string>, signal: AbortSignal): Promise<Answer<GivenTokens>> {
    return sorted(signal, async () => {
      const path = `${families.oauth.root}/token`;
      const whole = { ...form, ...this.credentials() };
      const given = grant.parse(await request(this.sdk, signal, { method: 'POST', path, form: whole }));
      return {
        accessToken: given.access_token,
        refreshToken: given.refresh_token,
        lifeMs: given.expires_in * 1_000,
      };
    });
  }

  private credentials(): { client_id: string; client_secret: string } {
    return { client_id: this.client.clientId, client_secret: this.client.clientSecret() };
  }
}

const grant = z.looseObject({
  access_token: z.string().min(1),
  refresh_token: z.string().min(1),
  expires_in: z.number().positive(),
});
