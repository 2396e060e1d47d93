import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { Outcome } from '../courier.ts';
import { refuse } from '../frame/control.ts';
import { isObject, listOf, numberOf, objectOf, parsedOr, textOf, type JsonObject } from '../frame/json.ts';
import { VendorError } from '../frame/server.ts';
import { adopt } from '../frame/switches.ts';
import type { Crm } from './crm/crm.ts';
import type { List, ProcessingType } from './crm/lists.ts';
import { instant, objectType } from './crm/object-types.ts';
import type { CrmRecord, Origin } from './crm/record-store.ts';
import { wholeRecord } from './crm/record-view.ts';
import type { RateLimit } from './rate-limit.ts';
import type { Tokens } from './routes/auth.ts';
import type { Consents } from './routes/consent-routes.ts';
import type { Workflows } from './crm/workflows.ts';
import { shownList } from './routes/list-routes.ts';
import type { Sequences } from './routes/sequence-routes.ts';
import { defaultSubscriptions, type Subscription } from './webhooks/event-shapes.ts';
import { SIGNATURE_PROFILES } from './webhooks/signatures.ts';
import type { WebhookEmitter } from './webhooks/webhook-emitter.ts';

export interface ControlledHubspot {
  crm: Crm;
  emitter: WebhookEmitter;
  rateLimit: RateLimit;
  tokens: Tokens;
  consents: Consents;
  sequences: Sequences;
  switches: { htmlNotFound: boolean; clockSkewMs: number };
  workflows: Workflows;
}

export function addHubspotControl(app: FastifyInstance, hubspot: ControlledHubspot): void {
  addPerson(app, hubspot.crm);
  addWebhookSwitches(app, hubspot.emitter);
  addDeliveries(app, hubspot.emitter);
  addAccountSwitches(app, hubspot);
  addLists(app, hubspot.crm);
}

/** A person by default; a body may name another source, such as FORM or IMPORT. */
function originOf(body: JsonObject): Origin {
  const userId = numberOf(body['userId']) ?? 7001;
  const source = textOf(body['changeSource']) ?? 'CRM_UI';
  const sourceId = textOf(body['sourceId']) ?? `userId:${userId}`;
  return source === 'CRM_UI' ? { source, sourceId, userId } : { source, sourceId };
}

function addPerson(app: FastifyInstance, crm: Crm): void {
  const record = (request: FastifyRequest, archived = false): CrmRecord => {
    const { type = '', id = '' } = request.params as { type?: string; id?: string };
    const found = crm.records.find(objectType(type), id, undefined, archived);
    if (found === undefined) throw new VendorError(404, { error: `no such record: ${type}/${id}` });
    return found;
  };
  const addNote = (to: CrmRecord, text: string, origin: Origin): CrmRecord => {
    const properties = { hs_note_body: text, hs_timestamp: instant(Date.now()) };
    const note = crm.create(objectType('notes'), { properties }, origin);
    crm.associations.link(note, to, [plainNote(to)], origin);
    crm.noteActivity(note.type, to.type, to.id);
    return note;
  };
  app.post('/_sandbox/ui/:type', async (request, reply) => {
    const body = objectOf(request.body);
    const { type } = request.params as { type: string };
    const input = { properties: body['properties'], associations: body['associations'] };
    const made = crm.create(objectType(type), input, originOf(body), { writeReadOnly: true });
    for (const text of listOf(body['notes'])) addNote(made, String(text), originOf(body));
    return reply.code(201).send(wholeRecord(crm, made));
  });
  app.patch('/_sandbox/ui/:type/:id', async (request) => {
    const body = objectOf(request.body);
    const changed = record(request);
    crm.update(changed, body['properties'], originOf(body), true);
    return wholeRecord(crm, changed);
  });
  app.post('/_sandbox/ui/:type/:id/notes', async (request, reply) => {
    const body = objectOf(request.body);
    const note = addNote(record(request), textOf(body['body']) ?? '', originOf(body));
    return reply.code(201).send(wholeRecord(crm, note));
  });
  app.delete('/_sandbox/ui/:type/:id', async (request, reply) => {
    crm.records.archive(record(request), originOf({}));
    return reply.code(204).send();
  });
  app.post('/_sandbox/ui/:type/:id/restore', async (request) => {
    const archived = record(request, true);
    crm.records.restore(archived, originOf(objectOf(request.body)));
    return wholeRecord(crm, archived);
  });
  app.post('/_sandbox/ui/:type/:id/merge', async (request) => {
    const body = objectOf(request.body);
    const { type, id } = record(request);
    const merged = crm.merge(type, id, textOf(body['objectIdToMerge']) ?? '', originOf(body));
    return wholeRecord(crm, merged);
  });
  app.post('/_sandbox/ui/:type/:id/gdpr-delete', async (request, reply) => {
    crm.records.purge(record(request), originOf(objectOf(request.body)));
    return reply.code(204).send();
  });
  app.get('/_sandbox/objects/:type/:id', async (request) => wholeRecord(crm, record(request)));
  app.get('/_sandbox/objects/:type', async (request) => {
    const { type } = request.params as { type: string };
    const records = [...crm.records.of(objectType(type)).values()];
    return { objects: records.filter((one) => one.archivedAt === undefined).map((one) => wholeRecord(crm, one)) };
  });
}

function plainNote(to: CrmRecord): { associationCategory: string; associationTypeId: number } {
  const ids: Record<string, number> = { contacts: 202, companies: 190, deals: 214, tickets: 228 };
  return { associationCategory: 'HUBSPOT_DEFINED', associationTypeId: ids[to.type.name] ?? 9000 };
}

function addLists(app: FastifyInstance, crm: Crm): void {
  const shown = (list: List): object => ({ ...shownList(list), members: [...list.members] });
  const idOf = (request: FastifyRequest): string => textOf(objectOf(request.params)['id']) ?? '';
  app.put('/_sandbox/lists/:id', async (request, reply) => {
    const { name, processingType = 'MANUAL', object = 'contacts' } = objectOf(request.body);
    if (!isProcessing(processingType)) return refuse(reply, `processingType: one of ${PROCESSING.join(', ')}`);
    const type = objectType(String(object));
    return shown(crm.lists.put({ id: idOf(request), name: textOf(name) ?? 'List', type, processingType }));
  });
  app.get('/_sandbox/lists/:id', async (request) => shown(crm.lists.get(idOf(request))));
}

const PROCESSING: readonly ProcessingType[] = ['MANUAL', 'SNAPSHOT', 'DYNAMIC'];
const isProcessing = (value: unknown): value is ProcessingType => PROCESSING.some((one) => one === value);

function addWebhookSwitches(app: FastifyInstance, emitter: WebhookEmitter): void {
  const isProfile = (value: unknown): boolean => SIGNATURE_PROFILES.includes(String(value));
  app.get('/_sandbox/webhooks', async () => emitter.switches);
  app.put('/_sandbox/webhooks', async (request, reply) => {
    const body = objectOf(request.body);
    if (body['signature'] !== undefined && !isProfile(body['signature']))
      return refuse(reply, `signature: one of ${SIGNATURE_PROFILES.join(', ')}`);
    const problem = adopt(emitter.switches, body);
    if (problem !== undefined) return refuse(reply, problem);
    emitter.resume();
    return emitter.switches;
  });
  app.get('/_sandbox/subscriptions', async () => ({ subscriptions: emitter.subscriptions }));
  app.put('/_sandbox/subscriptions', async (request) => {
    const given = objectOf(request.body)['subscriptions'] ?? request.body;
    emitter.subscriptions = Array.isArray(given) ? given.map(readSubscription) : defaultSubscriptions();
    return { subscriptions: emitter.subscriptions };
  });
}

function readSubscription(input: unknown, index: number): Subscription {
  const given = typeof input === 'string' ? { subscriptionType: input } : objectOf(input);
  return {
    id: numberOf(given['id']) ?? 7_600_001 + index,
    subscriptionType: textOf(given['subscriptionType']) ?? '',
    propertyName: textOf(given['propertyName']),
    objectTypeId: textOf(given['objectTypeId']),
    active: given['active'] !== false,
  };
}

const shownOutcome = ({ status, error, responseBody, durationMs }: Outcome): object => ({
  status,
  error,
  durationMs,
  body: responseBody === undefined ? undefined : parsedOr(responseBody),
});

function addDeliveries(app: FastifyInstance, emitter: WebhookEmitter): void {
  app.post('/_sandbox/workflow', async (request, reply) => {
    if (emitter.target === undefined) return refuse(reply, 'no target is set');
    const { signature, ...body } = objectOf(request.body);
    const { objectId, propertyName, propertyValue, changeSource, eventId, ...further } = body;
    const sent = {
      objectId: numberOf(objectId) ?? objectId,
      propertyName,
      propertyValue,
      changeSource: changeSource ?? 'AUTOMATION_PLATFORM',
      eventId: eventId ?? emitter.eventId(),
      ...further,
    };
    emitter.courier.ship(
      emitter.parcel('workflow', () => JSON.stringify(sent), {
        deadlineMs: 30_000,
        retryDelay: emitter.workflowRetry,
        signature: textOf(signature),
      }),
    );
    return reply.code(202).send({ sent });
  });
  app.post('/_sandbox/deliver', async (request, reply) => {
    if (emitter.target === undefined) return refuse(reply, 'no target is set');
    const { body, repeat, signature } = objectOf(request.body);
    if (body === undefined) return refuse(reply, 'body: a string (sent byte for byte) or an object is needed');
    const text = typeof body === 'string' ? body : JSON.stringify(body);
    const parcel = emitter.parcel('deliver', () => text, { signature: textOf(signature) });
    const results: object[] = [];
    for (let left = numberOf(repeat) ?? 1; left > 0; left--)
      results.push(shownOutcome(await emitter.courier.attempt(parcel)));
    return { results };
  });
}

function addAccountSwitches(app: FastifyInstance, hubspot: ControlledHubspot): void {
  const { crm, rateLimit, tokens, consents, sequences, switches, workflows } = hubspot;
  app.get('/_sandbox/rate-limit', async () => ({ ...rateLimit.limits, refused: rateLimit.refused }));
  app.put('/_sandbox/rate-limit', async (request, reply) => {
    const problem = adopt(rateLimit.limits, objectOf(request.body));
    if (problem !== undefined) return refuse(reply, problem);
    rateLimit.reset();
    return rateLimit.limits;
  });
  app.put('/_sandbox/settings', async (request, reply) => {
    if (!isObject(request.body)) return refuse(reply, 'an object is needed');
    const settings = {
      searchLagMs: crm.search.lagMs,
      tokenLifeMs: tokens.lifeMs,
      clockFactor: tokens.clockFactor,
      mergesMakeNew: crm.records.mergesMakeNew,
      dataPrivacy: consents.dataPrivacy,
      sequenceSeats: sequences.seats,
      ...switches,
    };
    const problem = adopt(settings, request.body);
    if (problem !== undefined) return refuse(reply, problem);
    crm.search.lagMs = settings.searchLagMs;
    tokens.lifeMs = settings.tokenLifeMs;
    tokens.clockFactor = settings.clockFactor;
    crm.records.mergesMakeNew = settings.mergesMakeNew;
    consents.dataPrivacy = settings.dataPrivacy;
    sequences.seats = settings.sequenceSeats;
    switches.htmlNotFound = settings.htmlNotFound;
    switches.clockSkewMs = settings.clockSkewMs;
    return settings;
  });
  app.put('/_sandbox/tokens', async (request, reply) => {
    const { token, refreshToken, scopes, revoked, expired, portalId } = objectOf(request.body);
    const [access, refresh] = [textOf(token), textOf(refreshToken)];
    if ((access === undefined) === (refresh === undefined)) return refuse(reply, 'token or refreshToken is needed');
    const granted = scopes === undefined ? undefined : listOf(scopes).map(String);
    const portal = numberOf(portalId);
    if (revoked === true) tokens.revoke(access ?? refresh ?? '');
    else if (access !== undefined) tokens.put(access, granted, expired === true);
    else
      tokens.install(refresh ?? '', {
        ...(granted ? { scopes: granted } : {}),
        ...(portal ? { portalId: portal } : {}),
      });
    return reply.code(204).send();
  });
  app.get('/_sandbox/installations', async () => ({ installations: tokens.installations }));
  app.put('/_sandbox/owners', async (request) => {
    crm.owners.grow(numberOf(objectOf(request.body)['count']) ?? 0);
    return { owners: crm.owners.list };
  });
  app.put('/_sandbox/workflows', async (request) => {
    workflows.list = listOf(objectOf(request.body)['workflows']).map((one) => {
      const { object, property, set } = objectOf(one);
      const values = Object.entries(objectOf(set)).map(([name, value]): [string, string] => [name, String(value)]);
      return {
        type: objectType(textOf(object) ?? 'contacts'),
        property: textOf(property) ?? '',
        set: Object.fromEntries(values),
      };
    });
    return { workflows: workflows.list.length };
  });
}
