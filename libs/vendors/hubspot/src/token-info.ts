import { z } from 'zod';
import { request } from './answering';
import type { Sdk } from './sdk';
import { families } from './versions';

/** What HubSpot says of an access token; never the token itself. */
export interface TokenInfo {
  /** The app whose it is. */
  appId: string;
  portalId?: number;
  scopes: readonly string[];
}

/**
 * Asks whose a token is and what it may do, of the app that it was given to; of a static token or a service key without
 * one. Rejects where HubSpot does not take it.
 */
export async function tokenInfo(
  sdk: Sdk,
  token: string,
  app: { clientId: string; clientSecret: () => string } | undefined,
  signal: AbortSignal,
): Promise<TokenInfo> {
  if (app === undefined) {
    const path = families.staticTokens.root;
    const found = ofStatic.parse(await request(sdk, signal, { method: 'POST', path, body: { tokenKey: token } }));
    return infoOf(found.appId, found.hubId, found.scopes);
  }
  const form = {
    token,
    token_type_hint: 'access_token',
    client_id: app.clientId,
    client_secret: app.clientSecret(),
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
