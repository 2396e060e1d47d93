import type { FastifyInstance } from 'fastify';
import { numberOf, objectOf, textOf, type JsonObject } from '../../frame/json.ts';
import { VendorError } from '../../frame/server.ts';
import { objectType } from '../crm/object-types.ts';
import type { Owners } from '../crm/owners.ts';
import { invalid, missing, unauthorized } from '../errors.ts';
import type { Tokens } from './auth.ts';

const CREATED = '2026-01-05T09:00:00Z';

function pipeline(id: string, label: string, stages: [id: string, label: string, metadata: JsonObject][]): JsonObject {
  const shared = { createdAt: CREATED, updatedAt: CREATED, archived: false };
  const listed = stages.map(([stageId, stageLabel, metadata], displayOrder) => ({
    id: stageId,
    label: stageLabel,
    displayOrder,
    metadata,
    writePermissions: 'CRM_PERMISSIONS_ENFORCEMENT',
    ...shared,
  }));
  return { id, label, displayOrder: 0, stages: listed, ...shared };
}

const PIPELINES: Record<string, JsonObject[]> = {
  deals: [
    pipeline('default', 'Sales Pipeline', [
      ['appointmentscheduled', 'Appointment scheduled', { isClosed: 'false', probability: '0.2' }],
      ['qualifiedtobuy', 'Qualified to buy', { isClosed: 'false', probability: '0.4' }],
      ['presentationscheduled', 'Presentation scheduled', { isClosed: 'false', probability: '0.6' }],
      ['contractsent', 'Contract sent', { isClosed: 'false', probability: '0.9' }],
      ['4711', 'Risk', { isClosed: 'false', probability: '0.1' }],
      ['closedwon', 'Closed won', { isClosed: 'true', probability: '1.0' }],
      ['closedlost', 'Closed lost', { isClosed: 'true', probability: '0.0' }],
    ]),
  ],
  tickets: [
    pipeline('0', 'Support Pipeline', [
      ['1', 'New', { ticketState: 'OPEN', isClosed: 'false' }],
      ['2', 'Waiting on contact', { ticketState: 'OPEN', isClosed: 'false' }],
      ['3', 'Waiting on us', { ticketState: 'OPEN', isClosed: 'false' }],
      ['4', 'Closed', { ticketState: 'CLOSED', isClosed: 'true' }],
    ]),
  ],
};

export interface Account {
  portalId: number;
  clientSecret: string;
  tokens: Tokens;
  owners: Owners;
}

export function addAccountRoutes(app: FastifyInstance, account: Account): void {
  for (const version of ['v3', '2026-03', '2026-09']) {
    const owners = version === 'v3' ? '/crm/v3/owners' : `/crm/owners/${version}`;
    const pipelines = version === 'v3' ? '/crm/v3/pipelines' : `/crm/pipelines/${version}`;
    const list = async (request: { query: unknown }): Promise<object> => {
      const email = textOf(objectOf(request.query)['email']);
      const all = account.owners.list.filter((owner) => email === undefined || owner.email === email);
      const query = objectOf(request.query);
      const limit = numberOf(query['limit']) ?? 100;
      if (limit < 1 || limit > 500) throw invalid('The limit must be from 1 to 500.');
      const start = numberOf(query['after']) ?? 0;
      const next = start + limit < all.length ? { paging: { next: { after: String(start + limit) } } } : {};
      return { results: all.slice(start, start + limit), ...next };
    };
    app.get(owners, list);
    app.get(`${owners}/`, list);
    app.get(`${owners}/:id`, async (request) => {
      const { id = '' } = request.params as { id?: string };
      const byUser = objectOf(request.query)['idProperty'] === 'userId';
      const owner = account.owners.list.find((one) => (byUser ? String(one.userId) : one.id) === id);
      if (owner === undefined) throw missing(id);
      return owner;
    });
    const pipelinesOf = (params: unknown): JsonObject[] =>
      PIPELINES[objectType(textOf(objectOf(params)['objectType']) ?? '').name] ?? [];
    const one = (params: unknown): JsonObject => {
      const id = textOf(objectOf(params)['pipelineId']) ?? '';
      const found = pipelinesOf(params).find((candidate) => candidate['id'] === id);
      if (found === undefined) throw missing(id);
      return found;
    };
    app.get(`${pipelines}/:objectType`, async (request) => ({ results: pipelinesOf(request.params) }));
    app.get(`${pipelines}/:objectType/:pipelineId`, async (request) => one(request.params));
    app.get(`${pipelines}/:objectType/:pipelineId/stages`, async (request) => ({
      results: one(request.params)['stages'],
    }));
    app.get(`/account-info/${version}/details`, async () => ({
      portalId: account.portalId,
      accountType: 'DEVELOPER_TEST',
      timeZone: 'UTC',
      companyCurrency: 'USD',
      additionalCurrencies: [],
      utcOffset: '+00:00',
      utcOffsetMilliseconds: 0,
      uiDomain: 'app.hubspot.com',
      dataHostingLocation: 'na1',
    }));
  }
  addStaticTokens(app, account);
  for (const version of ['v1', 'v3', '2026-03', '2026-09']) addOauth(app, account, `/oauth/${version}`);
}

/** Tells of tokens that have no client: of private and static apps, and service keys. */
function addStaticTokens(app: FastifyInstance, { portalId, tokens }: Account): void {
  app.post('/oauth/v2/private-apps/get/access-token-info', async (request) => {
    const token = textOf(objectOf(request.body)['tokenKey']) ?? '';
    if (tokens.lifeOf(token) === undefined) throw unauthorized();
    return { userId: 7001, hubId: portalId, appId: tokens.appId, scopes: tokens.scopesOf(token), isUserToken: false };
  });
}

const clientIdOf = ({ appId }: Tokens): string => `client-${appId}`;

function addOauth(app: FastifyInstance, { portalId, clientSecret, tokens }: Account, root: string): void {
  const described = (token: string): JsonObject => {
    const life = tokens.lifeOf(token);
    if (life === undefined) return { active: false };
    return {
      active: true,
      hub_id: portalId,
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
    if (form['client_id'] !== clientIdOf(tokens))
      throw new VendorError(400, { status: 'BAD_CLIENT_ID', message: 'missing or unknown client id' });
    const { accessToken, expiresIn } = tokens.grantToClient(textOf(form['scope']) ?? '');
    const token_use = 'client_credentials';
    return { access_token: accessToken, expires_in: expiresIn, token_type: 'bearer', token_use };
  };
  app.post(`${root}/token`, async (request) => {
    const form = objectOf(request.body);
    if (form['client_secret'] !== clientSecret)
      throw new VendorError(400, { status: 'BAD_CLIENT_SECRET', message: 'missing or invalid client secret' });
    if (form['grant_type'] === 'client_credentials') return ofClient(form);
    const { accessToken, refreshToken, expiresIn } = tokens.grant(form);
    return {
      access_token: accessToken,
      refresh_token: refreshToken,
      expires_in: expiresIn,
      token_type: 'bearer',
      hub_id: portalId,
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
