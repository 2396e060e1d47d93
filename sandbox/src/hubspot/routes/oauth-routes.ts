import type { FastifyInstance } from 'fastify';
import { objectOf, textOf, type JsonObject } from '../../frame/json.ts';
import { VendorError } from '../../frame/server.ts';
import { missing, unauthorized } from '../errors.ts';
import { bearerOf, type Tokens } from './auth.ts';

export interface OauthApp {
  clientSecret: string;
  tokens: Tokens;
}

export function addOauthRoutes(app: FastifyInstance, of: OauthApp): void {
  addStaticTokens(app, of.tokens);
  addAuthorization(app, of.tokens);
  for (const version of ['v1', 'v3', '2026-03', '2026-09']) addOauth(app, of, `/oauth/${version}`);
  for (const version of ['v3', '2026-03', '2026-09']) {
    app.delete(`/appinstalls/${version}/external-install`, async (request, reply) => {
      of.tokens.uninstall(bearerOf(request));
      return reply.code(204).send();
    });
  }
}

/** Tells of tokens that have no client: of private and static apps, and service keys. */
function addStaticTokens(app: FastifyInstance, tokens: Tokens): void {
  app.post('/oauth/v2/private-apps/get/access-token-info', async (request) => {
    const token = textOf(objectOf(request.body)['tokenKey']) ?? '';
    if (tokens.lifeOf(token) === undefined) throw unauthorized();
    return {
      userId: 7001,
      hubId: tokens.portalOf(token),
      appId: tokens.appId,
      scopes: tokens.scopesOf(token),
      isUserToken: false,
    };
  });
}

/** A page that says what is wrong, as a person sees it whom an app has sent with a wrong address. */
const wrongAddress = (why: string): VendorError =>
  new VendorError(400, `<html><head><title>Authorization failed</title></head><body>${why}</body></html>`, {
    'content-type': 'text/html;charset=utf-8',
  });

/**
 * Where a person installs the app: who opens it agrees at once, for the account `portal`, which HubSpot lets a person choose.
 * `decline` is a click on "cancel". Optional scopes that the account lacks, named in `lacks`, are dropped without a word.
 */
function addAuthorization(app: FastifyInstance, tokens: Tokens): void {
  app.get('/oauth/authorize', async (request, reply) => {
    const query = objectOf(request.query);
    const asked = (name: string): string => textOf(query[name]) ?? '';
    const listed = (name: string): string[] => asked(name).split(' ').filter(Boolean);
    if (asked('client_id') !== clientIdOf(tokens)) throw wrongAddress('No app has this client id.');
    if (!URL.canParse(asked('redirect_uri'))) throw wrongAddress('The redirect URL is not one of the app.');
    if (listed('scope').length === 0) throw wrongAddress('The scopes are missing.');
    const challenge = textOf(query['code_challenge']);
    if (challenge !== undefined && asked('code_challenge_method') !== 'S256') throw wrongAddress('Only S256 is known.');
    const back = new URL(asked('redirect_uri'));
    if (query['state'] !== undefined) back.searchParams.set('state', asked('state'));
    if (query['decline'] !== undefined) {
      back.searchParams.set('error', 'access_denied');
      back.searchParams.set(
        'error_description',
        'The user has denied access to the scopes requested by the client app.',
      );
      return reply.redirect(back.href);
    }
    const optional = listed('optional_scope').filter((scope) => !listed('lacks').includes(scope));
    const code = tokens.agree({
      portalId: Number(asked('portal')) || tokens.portalOf(''),
      scopes: [...new Set([...listed('scope'), ...optional])],
      redirectUri: asked('redirect_uri'),
      ...(challenge === undefined ? {} : { challenge }),
    });
    back.searchParams.set('code', code);
    return reply.redirect(back.href);
  });
}

const badClient = (): VendorError =>
  new VendorError(400, { status: 'BAD_CLIENT_ID', message: 'missing or unknown client id' });

const clientIdOf = ({ appId }: Tokens): string => `client-${appId}`;

function addOauth(app: FastifyInstance, { clientSecret, tokens }: OauthApp, root: string): void {
  const described = (token: string): JsonObject => {
    const life = tokens.lifeOf(token);
    if (life === undefined) return { active: false };
    return {
      active: true,
      hub_id: tokens.portalOf(token),
      hub_domain: 'sandbox.example.com',
      user: 'ada@example.com',
      user_id: 7001,
      app_id: tokens.appId,
      client_id: clientIdOf(tokens),
      scopes: tokens.scopesOf(token),
      token_type: tokens.isRefreshToken(token) ? 'refresh' : 'access',
      token_use: tokens.isRefreshToken(token) ? 'refresh_token' : 'access_token',
      ...(life === null ? {} : { expires_in: life }),
    };
  };
  const ofClient = (form: JsonObject): JsonObject => {
    if (form['client_id'] !== clientIdOf(tokens)) throw badClient();
    const { accessToken, expiresIn } = tokens.grantToClient(textOf(form['scope']) ?? '');
    const token_use = 'client_credentials';
    return { access_token: accessToken, expires_in: expiresIn, token_type: 'bearer', token_use };
  };
  app.post(`${root}/token`, async (request) => {
    const form = objectOf(request.body);
    if (form['client_secret'] !== clientSecret)
      throw new VendorError(400, { status: 'BAD_CLIENT_SECRET', message: 'missing or invalid client secret' });
    if (form['grant_type'] === 'client_credentials') return ofClient(form);
    if (form['grant_type'] === 'authorization_code' && form['client_id'] !== clientIdOf(tokens)) throw badClient();
    const { accessToken, refreshToken, expiresIn } = tokens.grant(form);
    return {
      access_token: accessToken,
      refresh_token: refreshToken,
      expires_in: expiresIn,
      token_type: 'bearer',
      hub_id: tokens.portalOf(accessToken),
      scopes: tokens.scopesOf(accessToken),
      user_id: 7001,
      token_use: 'access_token',
    };
  });
  app.post(`${root}/token/introspect`, async (request) => {
    const form = objectOf(request.body);
    return described(textOf(form['token'] ?? form['access_token'] ?? form['refresh_token']) ?? '');
  });
  app.post(`${root}/token/revoke`, async (request) => {
    tokens.revoke(textOf(objectOf(request.body)['token']) ?? '');
    return {};
  });
  for (const kind of ['access-tokens', 'refresh-tokens']) {
    app.get(`${root}/${kind}/:token`, async (request) => {
      const found = described((request.params as { token: string }).token);
      if (found['active'] === false) throw missing('token');
      return found;
    });
  }
  app.delete(`${root}/refresh-tokens/:token`, async (request, reply) => {
    tokens.revoke((request.params as { token: string }).token);
    return reply.code(204).send();
  });
}
