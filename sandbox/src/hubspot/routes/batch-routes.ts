import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { isObject, listOf, objectOf, textOf, type JsonObject } from '../../frame/json.ts';
import { VendorError } from '../../frame/server.ts';
import type { Crm } from '../crm/crm.ts';
import { instant, type ObjectType } from '../crm/object-types.ts';
import { projectionOf, shownAfterWrite, shownRecord } from '../crm/record-view.ts';
import type { CrmRecord, Origin } from '../crm/record-store.ts';
import { invalid } from '../errors.ts';
import type { CallerOf } from './auth.ts';
import { OBJECT_PREFIXES, whereOf } from './object-routes.ts';

const MOST = 100;

export function inputsOf(request: FastifyRequest, most = MOST): JsonObject[] {
  const inputs = listOf(objectOf(request.body)['inputs']).map(objectOf);
  if (inputs.length > most) throw invalid(`The maximum number of inputs supported in a batch request is ${most}`);
  return inputs;
}

/** Sends a batch's answer: `good` when every row went well, else 207. */
export function sendBatch(reply: FastifyReply, good: number, results: unknown[], errors: JsonObject[]): FastifyReply {
  const now = instant(Date.now());
  const body = { status: 'COMPLETE', results, startedAt: now, completedAt: now };
  return errors.length === 0
    ? reply.code(good).send(body)
    : reply.code(207).send({ ...body, numErrors: errors.length, errors });
}

export const notFoundRows = (ids: string[]): JsonObject[] =>
  ids.length === 0
    ? []
    : [
        {
          status: 'error',
          category: 'OBJECT_NOT_FOUND',
          message: 'Could not get some objects, they may be deleted or not exist. Check that ids are valid.',
          context: { ids },
        },
      ];

function rowError(error: unknown, traceId: string): JsonObject {
  if (!(error instanceof VendorError) || !isObject(error.body)) throw error;
  const { category, message } = error.body;
  return { status: 'error', category, message, context: { objectWriteTraceId: [traceId] } };
}

function refuseRepeats(inputs: JsonObject[]): void {
  const ids = inputs.map((input) => textOf(input['id']) ?? '');
  const repeated = ids.filter((id, at) => ids.indexOf(id) !== at);
  if (repeated.length > 0)
    throw invalid(`Duplicate IDs found in batch input: [${[...new Set(repeated)].join(', ')}]. No duplicates allowed.`);
}

export function addBatchRoutes(app: FastifyInstance, crm: Crm, callerOf: CallerOf): void {
  for (const prefix of OBJECT_PREFIXES) {
    const at = (action: string): string => `${prefix}/:objectType/batch/${action}`;
    app.post(at('read'), async (request, reply) => {
      const { type, query } = whereOf(request);
      const body = objectOf(request.body);
      const projection = projectionOf(body);
      const ids = inputsOf(request).map((input) => textOf(input['id']) ?? '');
      const archived = query['archived'] === 'true';
      const found = ids.map((id) => crm.records.find(type, id, textOf(body['idProperty']), archived));
      const shown = [...new Set(found.filter((record) => record !== undefined))];
      const results = shown.map((record) => shownRecord(crm, record, projection));
      return sendBatch(reply, 200, results, notFoundRows(ids.filter((_, index) => found[index] === undefined)));
    });
    app.post(at('create'), async (request, reply) => {
      const { results, errors } = createAll(crm, whereOf(request).type, inputsOf(request), callerOf(request));
      return sendBatch(reply, 201, results, errors);
    });
    app.post(at('update'), async (request, reply) => {
      const { results, errors } = updateAll(crm, whereOf(request).type, inputsOf(request), callerOf(request));
      return sendBatch(reply, 200, results, errors);
    });
    app.post(at('upsert'), async (request, reply) => {
      const { results, errors } = upsertAll(crm, whereOf(request).type, inputsOf(request), callerOf(request));
      return sendBatch(reply, 200, results, errors);
    });
    app.post(at('archive'), async (request, reply) => {
      for (const input of inputsOf(request)) {
        const record = crm.records.find(whereOf(request).type, textOf(input['id']) ?? '');
        if (record) crm.records.archive(record, callerOf(request));
      }
      return reply.code(204).send();
    });
  }
}

interface Rows {
  results: JsonObject[];
  errors: JsonObject[];
}

/** All rows or none, unless every row brings an `objectWriteTraceId`: then each row stands for itself. */
function createAll(crm: Crm, type: ObjectType, inputs: JsonObject[], origin: Origin): Rows {
  const traces = inputs.map((input) => textOf(input['objectWriteTraceId']));
  if (traces.some((trace) => trace === undefined)) {
    refuseWholeBatch(crm, type, inputs);
    return { results: inputs.map((input) => shownAfterWrite(crm.create(type, input, origin))), errors: [] };
  }
  const rows: Rows = { results: [], errors: [] };
  for (const [index, input] of inputs.entries()) {
    const objectWriteTraceId = traces[index] ?? '';
    try {
      rows.results.push({ ...shownAfterWrite(crm.create(type, input, origin)), objectWriteTraceId });
    } catch (error) {
      rows.errors.push(rowError(error, objectWriteTraceId));
    }
  }
  return rows;
}

function refuseWholeBatch(crm: Crm, type: ObjectType, inputs: JsonObject[]): void {
  const emails = new Set<string>();
  for (const input of inputs) {
    const values = crm.checked(type, input['properties']);
    const email = type.name === 'contacts' ? values.get('email') : undefined;
    if (!email) continue;
    const holder = crm.records.find(type, email, 'email');
    if (holder) throw new VendorError(409, conflictBody(`Contact already exists. Existing ID: ${holder.id}`));
    if (emails.has(email)) throw invalid(`Duplicate values in batch input for email: ${email}`);
    emails.add(email);
  }
}

const conflictBody = (message: string): JsonObject => ({ status: 'error', message, category: 'CONFLICT' });

function updateAll(crm: Crm, type: ObjectType, inputs: JsonObject[], origin: Origin): Rows {
  for (const { idProperty } of inputs) refuseNonUnique(crm, type, idProperty, ['email', 'hs_object_id']);
  refuseRepeats(inputs);
  const rows = inputs.map((input) => ({
    input,
    record: crm.records.find(type, textOf(input['id']) ?? '', textOf(input['idProperty'])),
    trace: textOf(input['objectWriteTraceId']),
  }));
  for (const { input, trace } of rows) if (trace === undefined) crm.checked(type, input['properties']);
  const unknown = rows.filter(({ record }) => record === undefined).map(({ input }) => textOf(input['id']) ?? '');
  const result: Rows = { results: [], errors: notFoundRows(unknown) };
  for (const { input, record, trace } of rows) {
    if (record === undefined) continue;
    try {
      result.results.push(written(crm, record, input, origin));
    } catch (error) {
      if (trace === undefined) throw error;
      result.errors.push(rowError(error, trace));
    }
  }
  return result;
}

function written(crm: Crm, record: CrmRecord, input: JsonObject, origin: Origin): JsonObject {
  const properties = objectOf(input['properties']);
  crm.update(record, properties, origin);
  return shownAfterWrite(record, Object.keys(properties));
}

function refuseNonUnique(crm: Crm, type: ObjectType, idProperty: unknown, never: string[] = []): void {
  const name = textOf(idProperty);
  if (name === undefined) return;
  if (never.includes(name) || !crm.definitions.get(type.name, name)?.hasUniqueValue)
    throw invalid(`Unable to perform update/upsert by non-unique ${type.id} property`);
}

/** A row that brings an `objectWriteTraceId` fails alone; one without it fails the whole batch. */
function upsertAll(crm: Crm, type: ObjectType, inputs: JsonObject[], origin: Origin): Rows {
  refuseRepeats(inputs);
  for (const input of inputs) {
    if (textOf(input['idProperty']) === undefined) throw invalid('idProperty is required for upsert');
    refuseNonUnique(crm, type, input['idProperty']);
    if (textOf(input['objectWriteTraceId']) === undefined) crm.checked(type, input['properties']);
  }
  const rows: Rows = { results: [], errors: [] };
  for (const input of inputs) {
    const trace = textOf(input['objectWriteTraceId']);
    try {
      rows.results.push(upserted(crm, type, input, origin));
    } catch (error) {
      if (trace === undefined) throw error;
      rows.errors.push(rowError(error, trace));
    }
  }
  return rows;
}

function upserted(crm: Crm, type: ObjectType, input: JsonObject, origin: Origin): JsonObject {
  const [id, idProperty] = [textOf(input['id']) ?? '', textOf(input['idProperty']) ?? ''];
  const trace = textOf(input['objectWriteTraceId']);
  const shared = trace === undefined ? {} : { objectWriteTraceId: trace };
  const record = crm.records.find(type, id, idProperty);
  if (record) return { ...written(crm, record, input, origin), ...shared, new: false };
  const properties = { ...objectOf(input['properties']), [idProperty]: id };
  return { ...shownAfterWrite(crm.create(type, { ...input, properties }, origin)), ...shared, new: true };
}
