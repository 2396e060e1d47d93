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
    subscriptionType: z.string().regex(/^[a-zA-Z_]+\.[a-zA-Z]+$/, 'must look like contact.propertyChange'),
    eventId: z.int(),
    portalId: z.int(),
    occurredAt: z.int().positive(),
    subscriptionId: z.int().optional(),
    appId: z.int().optional(),
    objectId: id.optional(),
    objectTypeId: text.optional(),
    fromObjectId: id.optional(),
    toObjectId: id.optional(),
    primaryObjectId: id.optional(),
    newObjectId: id.nullish(),
    propertyName: text.optional(),
    propertyValue: z.string().nullish(),
    changeSource: text.optional(),
    sourceId: z.string().nullish(),
  })
  .refine((e) => e.objectId ?? e.fromObjectId ?? e.primaryObjectId, {
    message: 'names no object: one of objectId, fromObjectId, primaryObjectId is needed',
    path: ['objectId'],
  });

/**
 * The single object that a workflow's "Send a webhook" posts. It has no `subscriptionType`, no `occurredAt` and often no
 * `portalId`; the id stands in one of several places, depending on what the workflow's author chose.
 */
export const hubspotWorkflowCall = z
  .looseObject({
    objectId: id.optional(),
    hs_object_id: id.optional(),
    vid: id.optional(),
    objectType: text.optional(),
    objectTypeId: text.optional(),
    eventId: z.union([z.int(), z.string()]).optional(),
    portalId: z.int().optional(),
    propertyName: text.optional(),
    propertyValue: z.union([z.string(), z.number(), z.boolean()]).nullish(),
    changeSource: text.optional(),
    sourceId: z.string().nullish(),
  })
  .refine((e) => e.objectId ?? e.hs_object_id ?? e.vid, {
    message: 'names no object: one of objectId, hs_object_id, vid is needed',
    path: ['objectId'],
  });

/** A HubSpot input in one shape, whichever way it came. */
export interface HubspotChange {
  delivery: 'webhook' | 'workflow';
  record: RecordRef;
  /** What happened to the record: `propertyChange`, `creation`, …; `workflow` where a workflow call does not say. */
  change: string;
  property?: string;
  value?: string;
  portalId?: number;
  appId?: number;
  /** Epoch milliseconds; absent in workflow calls. */
  occurredAt?: number;
  changeSource?: string;
  sourceId?: string;
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
  const [kind = '', change = ''] = e.subscriptionType.split('.');
  const type = objectTypeOf(kind === 'object' ? (e.objectTypeId ?? kind) : kind);
  const objectId = e.objectId ?? e.fromObjectId ?? e.primaryObjectId ?? '';
  const toId = e.toObjectId ? `>${e.toObjectId}` : '';
  return {
    change: {
      delivery: 'webhook',
      record: { type, id: objectId },
      change,
      property: e.propertyName,
      value: e.propertyValue ?? undefined,
      portalId: e.portalId,
      appId: e.appId,
      occurredAt: e.occurredAt,
      changeSource: e.changeSource,
      sourceId: e.sourceId ?? undefined,
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

function readWorkflowCall(body: unknown): { change: HubspotChange } | { error: string } {
  const parsed = hubspotWorkflowCall.safeParse(body);
  if (!parsed.success) return { error: z.prettifyError(parsed.error) };
  const e = parsed.data;
  return {
    change: {
      delivery: 'workflow',
      record: {
        type: objectTypeOf(e.objectTypeId ?? e.objectType ?? 'contact'),
        id: e.objectId ?? e.hs_object_id ?? e.vid ?? '',
      },
      change: e.propertyName === undefined ? 'workflow' : 'propertyChange',
      property: e.propertyName,
      value: e.propertyValue === null || e.propertyValue === undefined ? undefined : String(e.propertyValue),
      portalId: e.portalId,
      changeSource: e.changeSource,
      sourceId: e.sourceId ?? undefined,
      identity: String(e.eventId ?? ''),
    },
  };
}

/** Wire type of a record on `ingress.hubspot.v1`; its value is the vendor's own JSON. */
export const HUBSPOT_RECEIVED = 'refrain.hubspot-change.received.v1';
