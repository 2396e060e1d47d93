import type { FastifyInstance } from 'fastify';
import { numberOf, objectOf, textOf, type JsonObject } from '../../frame/json.ts';
import { objectType } from '../crm/object-types.ts';
import type { Owners } from '../crm/owners.ts';
import { invalid, missing } from '../errors.ts';
import { bearerOf, type Tokens } from './auth.ts';

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
    app.get(`/account-info/${version}/details`, async (request) => ({
      portalId: account.tokens.portalOf(bearerOf(request)),
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
}
