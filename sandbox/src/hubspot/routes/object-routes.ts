import type { FastifyInstance, FastifyRequest } from 'fastify';
import { listOf, numberOf, objectOf, textOf } from '../../frame/json.ts';
import type { Crm } from '../crm/crm.ts';
import { objectType, type ObjectType } from '../crm/object-types.ts';
import { projectionOf, shownAfterWrite, shownRecord } from '../crm/record-view.ts';
import type { CrmRecord } from '../crm/record-store.ts';
import { invalid, missing } from '../errors.ts';
import type { CallerOf } from './auth.ts';

export const OBJECT_PREFIXES = ['/crm/v3/objects', '/crm/objects/2026-03', '/crm/objects/2026-09'];

interface Where {
  type: ObjectType;
  id: string;
  query: Record<string, unknown>;
  idProperty?: string;
}

export function whereOf(request: FastifyRequest): Where {
  const params = objectOf(request.params);
  const query = objectOf(request.query);
  return {
    type: objectType(textOf(params['objectType']) ?? ''),
    id: textOf(params['id']) ?? '',
    query,
    idProperty: textOf(query['idProperty']),
  };
}

export function addObjectRoutes(app: FastifyInstance, crm: Crm, callerOf: CallerOf): void {
  const read = ({ type, id, idProperty, query }: Where): CrmRecord => {
    const record = crm.records.find(type, id, idProperty, query['archived'] === 'true');
    if (record === undefined) throw missing(id);
    return record;
  };
  for (const prefix of OBJECT_PREFIXES) {
    app.post(`${prefix}/:objectType`, async (request, reply) => {
      const { type } = whereOf(request);
      const record = crm.create(type, objectOf(request.body), callerOf(request));
      return reply.code(201).header('location', `${prefix}/${type.name}/${record.id}`).send(shownAfterWrite(record));
    });
    app.get(`${prefix}/:objectType/:id`, async (request) => {
      const where = whereOf(request);
      return shownRecord(crm, read(where), projectionOf(where.query));
    });
    app.patch(`${prefix}/:objectType/:id`, async (request) => {
      const record = read(whereOf(request));
      const properties = objectOf(objectOf(request.body)['properties']);
      crm.update(record, properties, callerOf(request));
      return shownAfterWrite(
        record,
        Object.keys(properties).map((name) => name.toLowerCase()),
      );
    });
    app.delete(`${prefix}/:objectType/:id`, async (request, reply) => {
      const { type, id } = whereOf(request);
      const record = crm.records.find(type, id);
      if (record) crm.records.archive(record, callerOf(request));
      return reply.code(204).send();
    });
    app.get(`${prefix}/:objectType`, async (request) => listPage(crm, whereOf(request), prefix));
    app.post(`${prefix}/:objectType/search`, async (request) => {
      const { type } = whereOf(request);
      const body = objectOf(request.body);
      const { total, found, after } = crm.search.search(type, body, request.rawBody.length);
      const projection = { ...projectionOf({}), properties: listOf(body['properties']).map(String) };
      const results = found.map((record) => shownRecord(crm, record, projection));
      return { total, results, ...(after === undefined ? {} : { paging: { next: { after } } }) };
    });
    app.post(`${prefix}/:objectType/merge`, async (request) => {
      const body = objectOf(request.body);
      const [primary, other] = [textOf(body['primaryObjectId']), textOf(body['objectIdToMerge'])];
      if (!primary || !other) throw invalid('primaryObjectId and objectIdToMerge are needed');
      return shownAfterWrite(crm.merge(whereOf(request).type, primary, other, callerOf(request)));
    });
    app.post(`${prefix}/:objectType/gdpr-delete`, async (request, reply) => {
      const { type } = whereOf(request);
      const body = objectOf(request.body);
      const [id, idProperty] = [textOf(body['objectId']) ?? '', textOf(body['idProperty'])];
      const record = crm.records.find(type, id, idProperty) ?? crm.records.find(type, id, idProperty, true);
      if (record) crm.records.purge(record, callerOf(request));
      else if (idProperty === 'email') crm.records.blockedEmails.add(id.toLowerCase());
      return reply.code(204).send();
    });
  }
}

function listPage(crm: Crm, { type, query }: Where, prefix: string): object {
  const limit = numberOf(query['limit']) ?? 10;
  const most = projectionOf(query).propertiesWithHistory.length > 0 ? 50 : 100;
  if (limit < 1 || limit > most) throw invalid(`The limit must be from 1 to ${most}.`);
  const after = numberOf(query['after']) ?? 0;
  const archived = query['archived'] === 'true';
  const records = [...crm.records.of(type).values()].filter(
    (record) => (record.archivedAt !== undefined) === archived && Number(record.id) >= after,
  );
  const next = records[limit];
  const link = `${prefix}/${type.name}?limit=${limit}&after=${next?.id}`;
  return {
    results: records.slice(0, limit).map((record) => shownRecord(crm, record, projectionOf(query))),
    ...(next ? { paging: { next: { after: next.id, link } } } : {}),
  };
}
