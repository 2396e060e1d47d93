import { isPrimary } from '../crm/associations.ts';
import type { Change, RecordRef } from '../crm/record-store.ts';

export interface Subscription {
  id: number;
  subscriptionType: string;
  propertyName?: string;
  objectTypeId?: string;
  active: boolean;
}

export type WebhookEvent = Record<string, unknown> & { attemptNumber: number };

const CLASSIC = ['contact', 'company', 'deal', 'ticket', 'line_item', 'product'];

export function defaultSubscriptions(): Subscription[] {
  const actions = ['creation', 'deletion', 'propertyChange', 'associationChange', 'merge', 'restore'];
  const types = ['contact', 'company', 'deal', 'ticket'].flatMap((type) =>
    actions.map((action) => `${type}.${action}`),
  );
  return [...types, 'contact.privacyDeletion'].map((subscriptionType, index) => ({
    id: 7_500_001 + index,
    subscriptionType,
    active: true,
  }));
}

const subjectOf = (change: Change): RecordRef => (change.kind === 'associationChange' ? change.from : change.record);

/** Tells whether the change is one that the subscription asks for. */
export function isSubscribed(subscription: Subscription, change: Change): boolean {
  if (!subscription.active) return false;
  const [thing, action] = subscription.subscriptionType.split('.');
  if (action !== change.kind) return false;
  const { type } = subjectOf(change);
  if (thing === 'object') {
    if (subscription.objectTypeId !== undefined && subscription.objectTypeId !== type.id) return false;
    if (change.kind === 'privacyDeletion') return false;
  } else if (thing !== type.singular) return false;
  if (change.kind === 'associationChange' && thing !== 'object' && !CLASSIC.includes(change.to.type.singular))
    return false;
  return (
    change.kind !== 'propertyChange' ||
    subscription.propertyName === undefined ||
    subscription.propertyName === change.propertyName
  );
}

export interface EventFrame {
  portalId: number;
  appId: number;
  eventId: number;
  generic: boolean;
}

const idNumber = (id: string): number | string => (/^\d{1,15}$/.test(id) ? Number(id) : id);

/** Builds the event as it stands in the array that the subscriber gets. */
export function eventOf(change: Change, subscription: Subscription, frame: EventFrame): WebhookEvent {
  const { type, id } = subjectOf(change);
  const asGeneric = subscription.subscriptionType.startsWith('object.') || frame.generic;
  const generic = asGeneric && change.kind !== 'privacyDeletion';
  return {
    eventId: frame.eventId,
    subscriptionId: subscription.id,
    portalId: frame.portalId,
    appId: frame.appId,
    occurredAt: change.occurredAt,
    subscriptionType: generic ? `object.${change.kind}` : subscription.subscriptionType,
    attemptNumber: 0,
    ...(change.kind === 'associationChange' ? {} : { objectId: idNumber(id) }),
    ...(generic && change.kind !== 'associationChange' ? { objectTypeId: type.id } : {}),
    ...detailsOf(change, generic),
    changeSource:
      change.kind === 'associationChange' && change.origin.source === 'CRM_UI' ? 'USER' : change.origin.source,
    sourceId: change.origin.sourceId,
    ...(generic && change.kind === 'propertyChange' ? { isSensitive: false } : {}),
  };
}

function detailsOf(change: Change, generic: boolean): Record<string, unknown> {
  switch (change.kind) {
    case 'propertyChange':
      return { propertyName: change.propertyName, propertyValue: change.propertyValue };
    case 'creation':
      return { changeFlag: 'CREATED' };
    case 'deletion':
      return { changeFlag: 'DELETED' };
    case 'merge':
      return {
        primaryObjectId: idNumber(change.primaryId),
        mergedObjectIds: change.mergedIds.map(idNumber),
        newObjectId: change.newId === null ? null : idNumber(change.newId),
        numberOfPropertiesMoved: change.propertiesMoved,
      };
    case 'associationChange': {
      const { from, to, typeId, category, removed } = change;
      const sides = generic
        ? {
            fromObjectTypeId: from.type.id,
            toObjectTypeId: to.type.id,
            associationTypeId: typeId,
            associationCategory: category,
          }
        : {};
      return {
        associationType: `${from.type.singular}_TO_${to.type.singular}`.toUpperCase(),
        fromObjectId: idNumber(from.id),
        toObjectId: idNumber(to.id),
        associationRemoved: removed,
        isPrimaryAssociation: isPrimary(typeId),
        ...sides,
      };
    }
    default:
      return {};
  }
}
