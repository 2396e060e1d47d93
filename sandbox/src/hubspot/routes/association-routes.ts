import type { FastifyInstance, FastifyRequest } from 'fastify';
import { listOf, numberOf, objectOf, textOf, type JsonObject } from '../../frame/json.ts';
import { defaultTypeId, kindsBetween, type AssociationSpec } from '../crm/associations.ts';
import { readSpecs, type Crm } from '../crm/crm.ts';
import { instant, objectType, type ObjectType } from '../crm/object-types.ts';
import type { Origin } from '../crm/record-store.ts';
import { invalid, missing } from '../errors.ts';
import type { CallerOf } from './auth.ts';
import { inputsOf, notFoundRows, sendBatch } from './batch-routes.ts';

interface Pair {
  from: { type: ObjectType; id: string };
  to: { type: ObjectType; id: string };
}

function pairOf(request: FastifyRequest): Pair {
  const params = objectOf(request.params);
  const text = (name: string): string => textOf(params[name]) ?? '';
  return {
    from: { type: objectType(text('fromType')), id: text('fromId') },
    to: { type: objectType(text('toType')), id: text('toId') },
  };
}

const rowPair = ({ from, to }: Pair, input: JsonObject): Pair => ({
  from: { type: from.type, id: textOf(objectOf(input['from'])['id']) ?? '' },
  to: { type: to.type, id: textOf(objectOf(input['to'])['id']) ?? '' },
});

const plain = ({ from, to }: Pair): AssociationSpec => ({
  associationCategory: 'HUBSPOT_DEFINED',
  associationTypeId: defaultTypeId(from.type, to.type),
});

function tie(crm: Crm, { from, to }: Pair, specs: AssociationSpec[], origin: Origin): void {
  if (crm.records.find(from.type, from.id) === undefined) throw missing(from.id);
  crm.associations.check(from.type, to, specs);
  crm.associations.link(from, to, specs, origin);
  crm.noteActivity(from.type, to.type, to.id);
  crm.noteActivity(to.type, from.type, from.id);
}

const shownPair = ({ from, to }: Pair, specs: AssociationSpec[]): JsonObject => ({
  fromObjectTypeId: from.type.id,
  fromObjectId: from.id,
  toObjectTypeId: to.type.id,
  toObjectId: to.id,
  labels: kindsBetween(from.type, to.type)
    .filter(({ typeId, label }) => label !== null && specs.some((spec) => spec.associationTypeId === typeId))
    .map(({ label }) => label),
});

const shownDefaults = ({ from, to }: Pair): JsonObject[] => [
  { from: { id: from.id }, to: { id: to.id }, associationSpec: plain({ from, to }) },
  { from: { id: to.id }, to: { id: from.id }, associationSpec: plain({ from: to, to: from }) },
];

export function addAssociationRoutes(app: FastifyInstance, crm: Crm, callerOf: CallerOf): void {
  for (const prefix of ['/crm/v4/objects', '/crm/objects/2026-03', '/crm/objects/2026-09', '/crm/v3/objects']) {
    const root = `${prefix}/:fromType/:fromId/associations`;
    app.put(`${root}/default/:toType/:toId`, async (request) => {
      const pair = pairOf(request);
      tie(crm, pair, [plain(pair)], callerOf(request));
      const now = instant(Date.now());
      return { status: 'COMPLETE', results: shownDefaults(pair), startedAt: now, completedAt: now };
    });
    app.put(`${root}/:toType/:toId`, async (request, reply) => {
      const pair = pairOf(request);
      const specs = readSpecs(request.body);
      if (specs.length === 0) throw invalid('At least one association type is needed.');
      tie(crm, pair, specs, callerOf(request));
      return reply.code(201).send(shownPair(pair, specs));
    });
    app.get(`${root}/:toType`, async (request) => {
      const { from, to } = pairOf(request);
      if (crm.records.find(from.type, from.id) === undefined) throw missing(from.id);
      return onePage(crm.associations.of(from, to.type), objectOf(request.query));
    });
    app.delete(`${root}/:toType/:toId`, async (request, reply) => {
      const { from, to } = pairOf(request);
      crm.associations.unlink(from, to, callerOf(request));
      return reply.code(204).send();
    });
  }
  for (const prefix of ['/crm/v4/associations', '/crm/associations/2026-03', '/crm/associations/2026-09'])
    addBatches(app, crm, callerOf, `${prefix}/:fromType/:toType`);
}

function onePage(all: { toObjectId: string }[], query: JsonObject): object {
  const limit = numberOf(query['limit']) ?? 500;
  if (limit < 1 || limit > 500) throw invalid('The limit must be from 1 to 500.');
  const after = textOf(query['after']);
  const start = after === undefined ? 0 : all.findIndex(({ toObjectId }) => toObjectId === after) + 1;
  const results = all.slice(start, start + limit);
  const last = results.at(-1);
  const isMore = last !== undefined && start + limit < all.length;
  return { results, ...(isMore ? { paging: { next: { after: last.toObjectId } } } : {}) };
}

function addBatches(app: FastifyInstance, crm: Crm, callerOf: CallerOf, root: string): void {
  app.post(`${root}/batch/read`, async (request, reply) => {
    const { from, to } = pairOf(request);
    const ids = inputsOf(request, 1000).map((input) => textOf(input['id']) ?? '');
    const results = ids
      .map((id) => ({ from: { id }, to: crm.associations.of({ type: from.type, id }, to.type) }))
      .filter((row) => row.to.length > 0);
    const unknown = ids.filter((id) => crm.records.find(from.type, id) === undefined);
    return sendBatch(reply, 200, results, notFoundRows(unknown));
  });
  app.post(`${root}/batch/create`, async (request, reply) => {
    const results = inputsOf(request, 2000).map((input) => {
      const pair = rowPair(pairOf(request), input);
      const specs = readSpecs(input['types']);
      tie(crm, pair, specs, callerOf(request));
      return shownPair(pair, specs);
    });
    return sendBatch(reply, 201, results, []);
  });
  app.post(`${root}/batch/associate/default`, async (request, reply) => {
    const results = inputsOf(request, 2000).flatMap((input) => {
      const pair = rowPair(pairOf(request), input);
      tie(crm, pair, [plain(pair)], callerOf(request));
      return shownDefaults(pair);
    });
    return sendBatch(reply, 200, results, []);
  });
  app.post(`${root}/batch/archive`, async (request, reply) => {
    for (const input of inputsOf(request, 2000)) {
      const { from, to } = rowPair(pairOf(request), { ...input, to: {} });
      for (const other of listOf(input['to']))
        crm.associations.unlink(from, { type: to.type, id: textOf(objectOf(other)['id']) ?? '' }, callerOf(request));
    }
    return reply.code(204).send();
  });
  app.get(`${root}/labels`, async (request) => {
    const { from, to } = pairOf(request);
    return { results: kindsBetween(from.type, to.type) };
  });
}
