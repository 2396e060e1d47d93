import type { Change, RecordRef } from '../crm/record-store.ts';

export const JOURNAL_ACTIONS = ['CREATE', 'UPDATE', 'DELETE', 'MERGE', 'RESTORE'] as const;
export type JournalAction = (typeof JOURNAL_ACTIONS)[number];

/** An event as it stands in a file of the journal: it says what changed and when, not who did it. */
export interface JournalEvent {
  type: 'crmObject';
  portalId: number;
  occurredAt: string;
  action: JournalAction;
  objectTypeId: string;
  objectId: number;
  propertyChanges?: Record<string, string>;
  mergedObjectIds?: number[];
}

const ACTION_OF: Partial<Record<Change['kind'], JournalAction>> = {
  creation: 'CREATE',
  propertyChange: 'UPDATE',
  deletion: 'DELETE',
  merge: 'MERGE',
  restore: 'RESTORE',
};

/** The events of the changes that one action made: those of a record's properties are one, with its creation if it has one. */
export function journalEvents(changes: readonly Change[], portalId: number): JournalEvent[] {
  const told = changes.filter((change) => ACTION_OF[change.kind] !== undefined);
  const groups = Map.groupBy(told, (change) => {
    const { type, id } = recordOf(change);
    const isOwn = change.kind !== 'propertyChange' && change.kind !== 'creation';
    return JSON.stringify([type.id, id, change.occurredAt, isOwn && change.kind]);
  });
  return [...groups.values()].flatMap((group) => {
    const [first] = group;
    return first ? [eventOf(first, group, portalId)] : [];
  });
}

function eventOf(first: Change, group: readonly Change[], portalId: number): JournalEvent {
  const { type, id } = recordOf(first);
  const isNew = group.some(({ kind }) => kind === 'creation');
  const properties = group.flatMap((one) =>
    one.kind === 'propertyChange' ? [[one.propertyName, one.propertyValue] as const] : [],
  );
  return {
    type: 'crmObject',
    portalId,
    occurredAt: new Date(first.occurredAt).toISOString(),
    action: isNew ? 'CREATE' : (ACTION_OF[first.kind] ?? 'UPDATE'),
    objectTypeId: type.id,
    objectId: Number(id),
    ...(properties.length > 0 ? { propertyChanges: Object.fromEntries(properties) } : {}),
    ...(first.kind === 'merge' ? { mergedObjectIds: first.mergedIds.map(Number) } : {}),
  };
}

const recordOf = (change: Change): RecordRef => (change.kind === 'associationChange' ? change.from : change.record);
