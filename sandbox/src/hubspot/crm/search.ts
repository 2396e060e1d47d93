import { listOf, numberOf, objectOf, textOf, type JsonObject } from '../../frame/json.ts';
import { invalid } from '../errors.ts';
import type { Associations } from './associations.ts';
import { objectType, type ObjectType } from './object-types.ts';
import type { CrmRecord, RecordStore } from './record-store.ts';

/** A record as the index has it. */
type Snapshot = CrmRecord;

const QUERIED = [
  'firstname',
  'lastname',
  'email',
  'phone',
  'company',
  'name',
  'domain',
  'dealname',
  'subject',
  'hs_note_body',
];

const comparable = (text: string): number | string => {
  if (/^-?\d+(\.\d+)?$/.test(text)) return Number(text);
  const time = /^\d{4}-\d\d-\d\d/.test(text) ? Date.parse(text) : Number.NaN;
  return Number.isNaN(time) ? text.toLowerCase() : time;
};

function compared(left: string, right: string): number {
  const [a, b] = [comparable(left), comparable(right)];
  if (typeof a === typeof b) return a < b ? -1 : a > b ? 1 : 0;
  return left < right ? -1 : left > right ? 1 : 0;
}

function hasToken(value: string, wanted: string): boolean {
  const pattern = wanted
    .toLowerCase()
    .replace(/[.+?^${}()|[\]\\]/g, '\\$&')
    .replaceAll('*', '.*');
  const words = value.toLowerCase().split(/[\s@.,;/-]+/);
  return [value.toLowerCase(), ...words].some((word) => new RegExp(`^${pattern}$`).test(word));
}

function matches(filter: JsonObject, value: string): boolean {
  const wanted = textOf(filter['value']) ?? '';
  const values = listOf(filter['values']).map((item) => String(item));
  switch (filter['operator']) {
    case 'EQ':
      return value !== '' && compared(value, wanted) === 0;
    case 'NEQ':
      return compared(value, wanted) !== 0;
    case 'GT':
      return value !== '' && compared(value, wanted) > 0;
    case 'GTE':
      return value !== '' && compared(value, wanted) >= 0;
    case 'LT':
      return value !== '' && compared(value, wanted) < 0;
    case 'LTE':
      return value !== '' && compared(value, wanted) <= 0;
    case 'BETWEEN':
      return value !== '' && compared(value, wanted) >= 0 && compared(value, textOf(filter['highValue']) ?? '') <= 0;
    case 'IN':
      return value !== '' && values.some((item) => compared(value, item) === 0);
    case 'NOT_IN':
      return value !== '' && !values.some((item) => compared(value, item) === 0);
    case 'HAS_PROPERTY':
      return value !== '';
    case 'NOT_HAS_PROPERTY':
      return value === '';
    case 'CONTAINS_TOKEN':
      return hasToken(value, wanted);
    case 'NOT_CONTAINS_TOKEN':
      return !hasToken(value, wanted);
    default:
      throw invalid(`Invalid input JSON: unknown operator ${String(filter['operator'])}`);
  }
}

/** Searches a copy of the records that may lag behind them, as the vendor's index does. */
export class SearchIndex {
  lagMs = 2000;
  readonly #index = new Map<string, Map<string, Snapshot>>();
  #pending: { due: number; record: CrmRecord }[] = [];
  readonly #associations: Associations;
  readonly #records: RecordStore;

  constructor(records: RecordStore, associations: Associations) {
    this.#records = records;
    this.#associations = associations;
    records.onTouch = (record) => {
      if (this.lagMs === 0) this.#put(record);
      else this.#pending.push({ due: Date.now() + this.lagMs, record });
    };
  }

  search(
    type: ObjectType,
    body: JsonObject,
    bodyLength: number,
  ): { total: number; found: CrmRecord[]; after?: string } {
    const groups = this.#checkedGroups(body, bodyLength);
    const limit = numberOf(body['limit']) || 10;
    const after = numberOf(body['after']) ?? 0;
    if (limit > 200) throw invalid('The limit must be at most 200.');
    if (after + limit > 10_000) throw invalid('Searches return at most 10000 results; page no further.');
    this.#catchUp();
    const query = textOf(body['query'])?.toLowerCase() ?? '';
    const hits = [...(this.#index.get(type.name)?.values() ?? [])].filter(
      (snapshot) =>
        (query === '' || QUERIED.some((name) => snapshot.properties.get(name)?.toLowerCase().includes(query))) &&
        (groups.length === 0 || groups.some((filters) => filters.every((filter) => this.#meets(snapshot, filter)))),
    );
    const found = sorted(hits, listOf(body['sorts'])[0]);
    const page = found.slice(after, after + limit);
    const more = after + limit < found.length;
    return { total: found.length, found: page, ...(more ? { after: String(after + limit) } : {}) };
  }

  #checkedGroups(body: JsonObject, bodyLength: number): JsonObject[][] {
    const groups = listOf(body['filterGroups']).map((group) => listOf(objectOf(group)['filters']).map(objectOf));
    if (bodyLength > 3000) throw invalid('The request body must be at most 3000 characters.');
    if (groups.length > 5) throw invalid('At most 5 filterGroups are allowed.');
    if (groups.some((filters) => filters.length > 6)) throw invalid('At most 6 filters are allowed in a filterGroup.');
    if (groups.flat().length > 18) throw invalid('At most 18 filters are allowed.');
    if (listOf(body['sorts']).length > 1) throw invalid('At most one sort is allowed.');
    return groups;
  }

  #meets(record: Snapshot, filter: JsonObject): boolean {
    const name = textOf(filter['propertyName']) ?? '';
    if (!name.startsWith('associations.')) return matches(filter, record.properties.get(name) ?? '');
    const toType = objectType(name.slice('associations.'.length));
    const ids = this.#associations.of(record, toType).map(({ toObjectId }) => toObjectId);
    if (filter['operator'] === 'HAS_PROPERTY') return ids.length > 0;
    if (filter['operator'] === 'NOT_HAS_PROPERTY') return ids.length === 0;
    return ids.some((id) => matches(filter, id));
  }

  #put(record: CrmRecord): void {
    const index = this.#index.get(record.type.name) ?? new Map<string, Snapshot>();
    this.#index.set(record.type.name, index);
    const living = this.#records.of(record.type).get(record.id) === record && record.archivedAt === undefined;
    if (living) index.set(record.id, { ...record, properties: new Map(record.properties) });
    else index.delete(record.id);
  }

  #catchUp(): void {
    const now = Date.now();
    for (const { due, record } of this.#pending) if (due <= now) this.#put(record);
    this.#pending = this.#pending.filter(({ due }) => due > now);
  }
}

function sorted(hits: Snapshot[], sort: unknown): Snapshot[] {
  const given = typeof sort === 'string' ? sort : (textOf(objectOf(sort)['propertyName']) ?? 'createdate');
  const down = given.startsWith('-') || objectOf(sort)['direction'] === 'DESCENDING';
  const name = given.replace(/^-/, '');
  const direction = down ? -1 : 1;
  return hits.sort(
    (a, b) =>
      direction * compared(a.properties.get(name) ?? '', b.properties.get(name) ?? '') || Number(a.id) - Number(b.id),
  );
}
