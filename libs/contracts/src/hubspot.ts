import { z } from 'zod';
import type { RecordRef } from './keys';

const id = z.union([z.int().nonnegative(), z.string().regex(/^\d{1,19}$/)]).transform(String);
const text = z.string().max(255);

/**
 * One event of HubSpot's Webhooks API, as portals really send it: `subscriptionType`, not `eventType`; ids where the
 * kind has them; unknown fields and unknown subscription types are kept. `occurredAt` is epoch milliseconds.
 */
export const hubspotWebhookEvent = z
  .looseObject({
    subscriptionType: z.string().regex(/^\w+(\.\w+)+$/, 'must look like contact.propertyChange'),
    eventId: z.int(),
    portalId: z.int(),
    occurredAt: z.int().positive(),
    subscriptionId: z.int().optional(),
    appId: z.int().optional(),
    objectId: id.optional(),
    objectTypeId: text.optional(),
    fromObjectId: id.optional(),
    fromObjectTypeId: text.optional(),
    toObjectId: id.optional(),
    primaryObjectId: id.optional(),
    mergedObjectIds: z.array(id).nullish(),
    newObjectId: id.nullish(),
    propertyName: text.optional(),
    propertyValue: z.string().nullish(),
    changeSource: text.optional(),
    changeFlag: text.optional(),
    sourceId: z.string().nullish(),
  })
  .refine((e) => e.objectId ?? e.fromObjectId ?? e.primaryObjectId, {
    message: 'names no object: one of objectId, fromObjectId, primaryObjectId is needed',
    path: ['objectId'],
  });

const portal = z.union([z.int().positive(), z.string().regex(/^\d{1,15}$/)]).transform(Number);

/**
 * What a workflow's "Send a webhook" sends: a body of its author's choice, the default body (of a contact in the shape of
 * HubSpot's first API, with `vid`, `portal-id` and `properties.{name}.value`), or the query of a GET, where every value is
 * a text. It has no `subscriptionType`, no `occurredAt` and often no portal; the id stands in one of several places.
 */
export const hubspotWorkflowCall = z
  .looseObject({
    objectId: id.optional(),
    hs_object_id: id.optional(),
    vid: id.optional(),
    properties: z.looseObject({ hs_object_id: z.looseObject({ value: id }).optional() }).optional(),
    objectType: text.optional(),
    objectTypeId: text.optional(),
    eventId: z.union([z.int(), z.string()]).optional(),
    portalId: portal.optional(),
    'portal-id': portal.optional(),
    propertyName: text.optional(),
    propertyValue: z.union([z.string(), z.number(), z.boolean()]).nullish(),
    changeSource: text.optional(),
    sourceId: z.string().nullish(),
  })
  .refine((e) => calledFor(e), {
    message: 'names no object: one of objectId, hs_object_id, vid, properties.hs_object_id.value is needed',
    path: ['objectId'],
  });

function calledFor(call: {
  objectId?: string;
  hs_object_id?: string;
  vid?: string;
  properties?: { hs_object_id?: { value: string } };
}): string | undefined {
  return call.objectId ?? call.hs_object_id ?? call.vid ?? call.properties?.hs_object_id?.value;
}

/** A HubSpot input in one shape, whichever way it came. */
export interface HubspotChange {
  delivery: 'webhook' | 'workflow';
  record: RecordRef;
  /** What happened to the record: `propertyChange`, `creation`, …; `workflow` where a workflow call does not say. */
  change: string;
  property?: string;
  value?: string;
  /** Ids of the records that a merge made go on as this one. */
  merged?: string[];
  portalId?: number;
  appId?: number;
  /** Epoch milliseconds; absent in workflow calls. */
  occurredAt?: number;
  changeSource?: string;
  sourceId?: string;
  /** Sent by the test button of HubSpot's settings: it speaks of no real record, and nothing may follow from it. */
  test?: true;
  /** The input's own identity within its connection (protocol 3); workflow calls add their content's hash. */
  identity: string;
}

const typeIds: Record<string, string> = {
  '0-1': 'contact',
  '0-2': 'company',
  '0-3': 'deal',
  '0-5': 'ticket',
  '0-18': 'communication',
  '0-27': 'task',
  '0-46': 'note',
  '0-47': 'meeting',
  '0-48': 'call',
  '0-49': 'email',
};

/** One name per object type: `0-1` becomes `contact`; custom types keep their id `2-NNN`. */
export const objectTypeOf = (typeOrId: string): string => typeIds[typeOrId] ?? typeOrId.toLowerCase();

/** HubSpot's id of a type by its name; undefined for a name that has none. */
export const objectTypeIdOf = (name: string): string | undefined =>
  /^\d+-\d+$/.test(name) ? name : Object.keys(typeIds).find((id) => typeIds[id] === name);

const plurals: Record<string, string> = Object.fromEntries(
  Object.values(typeIds).map((type) => [type === 'company' ? 'companies' : `${type}s`, type]),
);

/** The same for what a person writes: `contacts` is `contact` too. */
export const objectTypeNamed = (name: string): string => plurals[name.toLowerCase()] ?? objectTypeOf(name);

/** Whether a body is one of the Webhooks API (an event of an array) rather than a workflow's call. */
export const isWebhookEvent = (body: unknown): boolean =>
  typeof body === 'object' && body !== null && 'subscriptionType' in body;

/** Reads one Webhooks API event or one workflow call; the error names what is wrong with it. */
export function readHubspot(body: unknown): { change: HubspotChange } | { error: string } {
  return isWebhookEvent(body) ? readWebhookEvent(body) : readWorkflowCall(body);
}

function readWebhookEvent(body: unknown): { change: HubspotChange } | { error: string } {
  const parsed = hubspotWebhookEvent.safeParse(body);
  if (!parsed.success) return { error: z.prettifyError(parsed.error) };
  const e = parsed.data;
  const dot = e.subscriptionType.indexOf('.');
  const kind = e.subscriptionType.slice(0, dot);
  const change = e.subscriptionType.slice(dot + 1);
  const type = objectTypeOf(kind === 'object' ? (e.fromObjectTypeId ?? e.objectTypeId ?? kind) : kind);
  const objectId = changedObject(e, change) ?? '';
  const toId = e.toObjectId ? `>${e.toObjectId}` : '';
  return {
    change: {
      delivery: 'webhook',
      record: { type, id: objectId },
      change,
      property: e.propertyName,
      value: e.propertyValue ?? undefined,
      ...(change === 'merge' ? { merged: mergedInto(objectId, e) } : {}),
      portalId: e.portalId,
      appId: e.appId,
      occurredAt: e.occurredAt,
      changeSource: e.changeSource,
      sourceId: e.sourceId ?? undefined,
      test: isTest(e) ? true : undefined,
      identity: [
        e.portalId,
        e.subscriptionId ?? '',
        e.subscriptionType,
        `${type}:${objectId}${toId}`,
        e.eventId,
        e.occurredAt,
        e.propertyName ?? '',
      ].join('|'),
    },
  };
}

/** An association belongs to the record it goes out from, a merge to the record that goes on. */
const changedObject = (e: WebhookEvent, change: string): string | undefined =>
  e.fromObjectId ??
  e.newObjectId ??
  (change === 'merge' ? e.primaryObjectId : undefined) ??
  e.objectId ??
  e.primaryObjectId;

/** Where a merge made a new record, the primary one is merged away too. */
const mergedInto = (survivor: string, { primaryObjectId = survivor, mergedObjectIds }: WebhookEvent): string[] =>
  [...new Set([primaryObjectId, ...(mergedObjectIds ?? [])])].filter((one) => one !== survivor);

type WebhookEvent = z.infer<typeof hubspotWebhookEvent>;

/** The test button sends HubSpot's documented examples: these ids, and a source that no real change has. */
const isTest = ({ eventId, objectId, changeSource }: WebhookEvent): boolean =>
  (eventId === 1 || eventId === 100) && objectId === '123' && changeSource === 'CRM';

function readWorkflowCall(body: unknown): { change: HubspotChange } | { error: string } {
  const parsed = hubspotWorkflowCall.safeParse(body);
  if (!parsed.success) return { error: z.prettifyError(parsed.error) };
  const e = parsed.data;
  return {
    change: {
      delivery: 'workflow',
      record: {
        type: objectTypeOf(e.objectTypeId ?? e.objectType ?? 'contact'),
        id: calledFor(e) ?? '',
      },
      change: e.propertyName === undefined ? 'workflow' : 'propertyChange',
      property: e.propertyName,
      value: e.propertyValue === null || e.propertyValue === undefined ? undefined : String(e.propertyValue),
      portalId: e.portalId ?? e['portal-id'],
      changeSource: e.changeSource,
      sourceId: e.sourceId ?? undefined,
      identity: String(e.eventId ?? ''),
    },
  };
}

/** Header of a HubSpot record that the test button set off; its value says who pressed it. */
export const TEST_EVENT = 'refrain_test';

/** Wire type of a record on `ingress.hubspot.v1`; its value is the vendor's own JSON. */
export const HUBSPOT_RECEIVED = 'refrain.hubspot-change.received.v1';
