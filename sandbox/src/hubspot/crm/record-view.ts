import { listOf, objectOf, textOf, type JsonObject } from '../../frame/json.ts';
import type { Crm } from './crm.ts';
import { instant, objectType } from './object-types.ts';
import type { CrmRecord } from './record-store.ts';
import { defaultProperties } from './standard-properties.ts';

/** Reads a list that may be repeated, comma separated, or both. */
export function nameList(value: unknown): string[] {
  const parts = Array.isArray(value) ? value.map((item) => String(item)) : [textOf(value) ?? ''];
  return parts
    .flatMap((part) => part.split(','))
    .map((part) => part.trim())
    .filter((part) => part !== '');
}

export interface Projection {
  properties: string[];
  propertiesWithHistory: string[];
  associations: string[];
}

export function projectionOf(source: unknown): Projection {
  const given = objectOf(source);
  return {
    properties: nameList(given['properties']),
    propertiesWithHistory: nameList(given['propertiesWithHistory']),
    associations: nameList(given['associations']),
  };
}

const byName = ([a]: [string, unknown], [b]: [string, unknown]): number => (a < b ? -1 : a > b ? 1 : 0);

function head(record: CrmRecord): JsonObject {
  return {
    id: record.id,
    createdAt: instant(record.createdAt),
    updatedAt: instant(record.updatedAt),
    archived: record.archivedAt !== undefined,
    ...(record.archivedAt === undefined ? {} : { archivedAt: instant(record.archivedAt) }),
  };
}

/** Shows the asked properties: unknown names are left out, known ones without a value are null. */
export function shownRecord(crm: Crm, record: CrmRecord, projection: Projection): JsonObject {
  const wanted = [
    ...(projection.properties.length > 0 ? projection.properties : defaultProperties(record.type.name)),
    ...projection.propertiesWithHistory,
    ...[
      'hs_object_id',
      record.type.modifiedStamp,
      record.properties.has('createdate') ? 'createdate' : 'hs_createdate',
    ],
  ];
  const known = wanted.filter(
    (name) => crm.definitions.get(record.type.name, name) !== undefined || record.properties.has(name),
  );
  const properties = Object.fromEntries(
    [...new Set(known)]
      .map((name): [string, string | null] => [name, record.properties.get(name) || null])
      .sort(byName),
  );
  const result: JsonObject = { ...head(record), properties };
  if (projection.propertiesWithHistory.length > 0)
    result['propertiesWithHistory'] = Object.fromEntries(
      projection.propertiesWithHistory.map((name) => [name, record.history.get(name) ?? []]),
    );
  const ties = projection.associations
    .map((name) => shownTies(crm, record, name))
    .filter(([, list]) => list.length > 0);
  if (ties.length > 0) result['associations'] = Object.fromEntries(ties.map(([name, results]) => [name, { results }]));
  return result;
}

function shownTies(crm: Crm, record: CrmRecord, name: string): [string, JsonObject[]] {
  const toType = objectType(name);
  const ties = crm.associations.of(record, toType);
  const plain = `${record.type.singular}_to_${toType.singular}`;
  return [
    toType.name,
    ties.flatMap(({ toObjectId, associationTypes }) =>
      associationTypes.map((kind) => {
        const primaryPair = toType.name === 'companies' && objectOf(kind)['label'] === null;
        return { id: toObjectId, type: primaryPair ? `${plain}_unlabeled` : plain };
      }),
    ),
  ];
}

/** Shows what a write answers with: everything set on a create, the touched and the system values on an update. */
export function shownAfterWrite(record: CrmRecord, touched?: readonly string[]): JsonObject {
  const system = ['hs_object_id', 'createdate', 'hs_createdate', record.type.modifiedStamp];
  const shown = touched === undefined ? undefined : new Set([...touched, ...system]);
  const entries = [...record.properties].filter(([name, value]) =>
    shown === undefined ? value !== '' : shown.has(name),
  );
  return { ...head(record), properties: Object.fromEntries(entries.sort(byName)) };
}

/** Everything there is about a record, for the control API. */
export function wholeRecord(crm: Crm, record: CrmRecord): JsonObject {
  const types = ['contacts', 'companies', 'deals', 'tickets', 'notes', 'tasks'];
  return {
    ...head(record),
    type: record.type.name,
    properties: Object.fromEntries([...record.properties].sort(byName)),
    history: Object.fromEntries([...record.history].sort(byName)),
    associations: Object.fromEntries(
      types
        .map((name): [string, string[]] => [
          name,
          listOf(crm.associations.of(record, objectType(name))).map((tie) => String(objectOf(tie)['toObjectId'])),
        ])
        .filter(([, ids]) => ids.length > 0),
    ),
  };
}
