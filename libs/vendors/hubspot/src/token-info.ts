import { z } from 'zod';
import { request } from './answering';
import type { Sdk } from './sdk';
import type { TokenSource } from './tokens';
import { families } from './versions';

/** What HubSpot says of an access token; never the token itself. */
export interface TokenInfo {
  /** The app whose it is. */
  appId: string;
  portalId?: number;
  scopes: readonly string[];
}

/** Asks whose a token is and what it may do; rejects where HubSpot does not take it. */
export async function tokenInfo(sdk: Sdk, token: string, source: TokenSource, signal: AbortSignal): Promise<TokenInfo> {
  if (typeof source === 'function') {
    const path = families.staticTokens.root;
    const found = ofStatic.parse(await request(sdk, signal, { method: 'POST', path, body: { tokenKey: token } }));
    return infoOf(found.appId, found.hubId, found.scopes);
  }
  const form = {
    token,
    token_type_hint: 'access_token',
    client_id: source.clientId,
    client_secret: source.clientSecret(),
  };
  const path = `${families.oauth.root}/token/introspect`;
  const found = ofOauth.parse(await request(sdk, signal, { method: 'POST', path, form }));
  return infoOf(found.app_id, found.hub_id, found.scopes);
}

const infoOf = (appId: string, portalId: number | undefined, scopes: string[]): TokenInfo => ({
  appId,
  ...(portalId === undefined ? {} : { portalId }),
  scopes,
});

const id = z.union([z.string().min(1), z.number()]).transform(String);
const portal = z.number().optional().catch(undefined);
const scopes = z.array(z.string()).catch([]);
const ofStatic = z.looseObject({ appId: id, hubId: portal, scopes });
const ofOauth = z.looseObject({ app_id: id, hub_id: portal, scopes });
