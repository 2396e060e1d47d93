import type { Random } from '../../frame/seeded-random.ts';
import { conflict, invalid } from '../errors.ts';
import { instant, type ObjectType } from './object-types.ts';
import type { PropertyDefinitions } from './property-definitions.ts';
import { lifecycleRank } from './standard-properties.ts';

/** Who made a change: "INTEGRATION" + app id, "CRM_UI" + "userId:1", … */
export interface Origin {
  source: string;
  sourceId: string;
  userId?: number;
}

export interface HistoryEntry {
  value: string;
  timestamp: string;
  sourceType: string;
  sourceId: string;
  sourceLabel?: string;
  updatedByUserId?: number;
}

export interface CrmRecord {
  type: ObjectType;
  id: string;
  properties: Map<string, string>;
  /** Newest first. */
  history: Map<string, HistoryEntry[]>;
  createdAt: number;
  updatedAt: number;
  archivedAt?: number;
}

export interface RecordRef {
  type: ObjectType;
  id: string;
}

export type Change = { origin: Origin; occurredAt: number } & (
  | { kind: 'propertyChange'; record: RecordRef; propertyName: string; propertyValue: string }
  | { kind: 'creation' | 'deletion' | 'restore' | 'privacyDeletion'; record: RecordRef }
  | { kind: 'merge'; record: RecordRef; primaryId: string; mergedIds: string[]; propertiesMoved: number }
  | { kind: 'associationChange'; from: RecordRef; to: RecordRef; typeId: number; category: string; removed: boolean }
);

/** Reports the changes of one action together, in the order in which they happened. */
export type ChangeListener = (changes: Change[]) => void;

const UNANNOUNCED = /^(createdate|hs_createdate|lastmodifieddate|hs_lastmodifieddate|hs_object_.*)$/;

/** Holds all CRM records with the full history of each property. */
export class RecordStore {
  readonly #records = new Map<string, Map<string, CrmRecord>>();
  readonly #unique = new Map<string, string>();
  readonly #merged = new Map<string, string>();
  readonly #nextId = new Map<string, number>();
  readonly #definitions: PropertyDefinitions;
  readonly #random: Random;
  readonly #announce: ChangeListener;
  readonly blockedEmails = new Set<string>();
  /** Called after a record changed in any way. */
  onTouch: (record: CrmRecord) => void = () => {};

  constructor(definitions: PropertyDefinitions, random: Random, announce: ChangeListener) {
    this.#definitions = definitions;
    this.#random = random;
    this.#announce = announce;
  }

  of(type: ObjectType): Map<string, CrmRecord> {
    const found = this.#records.get(type.name);
    if (found) return found;
    const made = new Map<string, CrmRecord>();
    this.#records.set(type.name, made);
    return made;
  }

  counts(): Record<string, number> {
    return Object.fromEntries([...this.#records].map(([name, records]) => [name, records.size]));
  }

  /** Finds by id, or by the unique property `idProperty`; archived records only when asked for. */
  find(type: ObjectType, id: string, idProperty?: string, archived = false): CrmRecord | undefined {
    const known = idProperty === undefined || idProperty === 'hs_object_id' ? id : this.#byUnique(type, idProperty, id);
    if (known === undefined) return undefined;
    const record = this.of(type).get(this.#merged.get(`${type.name}/${known}`) ?? known);
    return record !== undefined && (record.archivedAt !== undefined) === archived ? record : undefined;
  }

  create(type: ObjectType, values: Map<string, string>, origin: Origin): CrmRecord {
    this.#refuseDuplicates(type, values);
    const now = Date.now();
    const record: CrmRecord = {
      type,
      id: this.#takeId(type),
      properties: new Map(),
      history: new Map(),
      createdAt: now,
      updatedAt: now,
    };
    this.of(type).set(record.id, record);
    if (type.name === 'contacts' && !values.get('lifecyclestage')) values.set('lifecyclestage', 'lead');
    const system: [string, string][] = [
      [type.name === 'notes' || type.name === 'tasks' ? 'hs_createdate' : 'createdate', instant(now)],
      ['hs_object_id', record.id],
      ['hs_object_source', origin.source],
      ['hs_object_source_id', origin.sourceId],
      ['hs_object_source_label', origin.source],
    ];
    const changes = this.#write(record, new Map([...values, ...system]), origin, now);
    this.#announce([...changes, { kind: 'creation', record, origin, occurredAt: now }]);
    return record;
  }

  /** Writes the values that differ; returns the names of those that really changed. */
  update(record: CrmRecord, values: Map<string, string>, origin: Origin, mayGoBack = false): string[] {
    const wanted = new Map([...values].filter(([name, value]) => (record.properties.get(name) ?? '') !== value));
    const stage = wanted.get('lifecyclestage');
    const current = record.properties.get('lifecyclestage');
    if (!mayGoBack && stage && current && lifecycleRank(stage) >= 0 && lifecycleRank(stage) < lifecycleRank(current))
      wanted.delete('lifecyclestage');
    if (wanted.size === 0) return [];
    this.#refuseDuplicates(record.type, wanted, record.id);
    this.#announce(this.#write(record, wanted, origin, Date.now()));
    return [...wanted.keys()];
  }

  archive(record: CrmRecord, origin: Origin): void {
    record.archivedAt = Date.now();
    this.#forget(record);
    this.onTouch(record);
    this.#announce([{ kind: 'deletion', record, origin, occurredAt: record.archivedAt }]);
  }

  restore(record: CrmRecord, origin: Origin): void {
    this.#refuseDuplicates(record.type, record.properties, record.id);
    delete record.archivedAt;
    this.#index(record);
    this.onTouch(record);
    this.#announce([{ kind: 'restore', record, origin, occurredAt: Date.now() }]);
  }

  /** Erases the record for good; the two notices come in either order. */
  purge(record: CrmRecord, origin: Origin): void {
    this.#forget(record);
    this.of(record.type).delete(record.id);
    record.archivedAt ??= Date.now();
    this.onTouch(record);
    const both: Change[] = (['privacyDeletion', 'deletion'] as const).map((kind) => ({
      kind,
      record,
      origin,
      occurredAt: Date.now(),
    }));
    this.#announce(this.#random.below(2) === 0 ? both : both.reverse());
  }

  /** Makes a new record out of two; both old ids lead to it from then on. */
  merge(primary: CrmRecord, other: CrmRecord, origin: Origin): CrmRecord {
    const now = Date.now();
    const moved = [...other.properties].filter(([name]) => !primary.properties.get(name));
    for (const old of [primary, other]) {
      this.#forget(old);
      this.of(old.type).delete(old.id);
    }
    const record: CrmRecord = { ...primary, id: this.#takeId(primary.type), history: new Map(primary.history) };
    record.properties = new Map([...moved, ...primary.properties, ['hs_object_id', record.id]]);
    record.updatedAt = now;
    record.properties.set(record.type.modifiedStamp, instant(now));
    this.of(record.type).set(record.id, record);
    this.#index(record);
    for (const old of [primary, other]) {
      this.#merged.set(`${record.type.name}/${old.id}`, record.id);
      this.onTouch(old);
    }
    this.onTouch(record);
    const mergedIds = [other.id];
    this.#announce([
      {
        kind: 'merge',
        record,
        primaryId: primary.id,
        mergedIds,
        propertiesMoved: moved.length,
        origin,
        occurredAt: now,
      },
    ]);
    return record;
  }

  #write(record: CrmRecord, values: Map<string, string>, origin: Origin, now: number): Change[] {
    const timestamp = instant(now);
    const changes: Change[] = [];
    this.#forget(record);
    for (const [name, value] of new Map([...values, [record.type.modifiedStamp, timestamp]])) {
      record.properties.set(name, value);
      const entry: HistoryEntry = { value, timestamp, sourceType: origin.source, sourceId: origin.sourceId };
      if (origin.userId !== undefined) entry.updatedByUserId = origin.userId;
      record.history.set(name, [entry, ...(record.history.get(name) ?? []).slice(0, 44)]);
      if (!UNANNOUNCED.test(name))
        changes.push({
          kind: 'propertyChange',
          record,
          propertyName: name,
          propertyValue: this.#webhookValue(record.type, name, value),
          origin,
          occurredAt: now,
        });
    }
    record.updatedAt = now;
    this.#index(record);
    this.onTouch(record);
    return changes;
  }

  #webhookValue(type: ObjectType, name: string, value: string): string {
    const kind = this.#definitions.get(type.name, name)?.type;
    return value !== '' && (kind === 'datetime' || kind === 'date') ? String(Date.parse(value)) : value;
  }

  #uniqueNames(type: ObjectType): string[] {
    return [...this.#definitions.properties(type.name).values()]
      .filter((property) => property.hasUniqueValue && property.name !== 'hs_object_id')
      .map((property) => property.name);
  }

  #byUnique(type: ObjectType, name: string, value: string): string | undefined {
    if (!this.#definitions.get(type.name, name)?.hasUniqueValue)
      throw invalid(`Unable to perform operation by non-unique ${type.id} property: ${name}`);
    return this.#unique.get(`${type.name}/${name}/${value.toLowerCase()}`);
  }

  #refuseDuplicates(type: ObjectType, values: Map<string, string>, ownId?: string): void {
    for (const name of this.#uniqueNames(type)) {
      const value = values.get(name);
      if (!value) continue;
      if (name === 'email' && this.blockedEmails.has(value)) throw invalid(`The address ${value} is on the blocklist.`);
      const holder = this.#unique.get(`${type.name}/${name}/${value.toLowerCase()}`);
      if (holder === undefined || holder === ownId) continue;
      const thing = type.singular[0]?.toUpperCase() + type.singular.slice(1);
      throw conflict(`${thing} already exists. Existing ID: ${holder}`);
    }
  }

  #index(record: CrmRecord): void {
    for (const name of this.#uniqueNames(record.type)) {
      const value = record.properties.get(name);
      if (value) this.#unique.set(`${record.type.name}/${name}/${value.toLowerCase()}`, record.id);
    }
  }

  #forget(record: CrmRecord): void {
    for (const name of this.#uniqueNames(record.type)) {
      const key = `${record.type.name}/${name}/${(record.properties.get(name) ?? '').toLowerCase()}`;
      if (this.#unique.get(key) === record.id) this.#unique.delete(key);
    }
  }

  #takeId(type: ObjectType): string {
    const base = type.name === 'contacts' ? 540_000_000_000 : 60_000_000_000;
    const id = this.#nextId.get(type.name) ?? base + this.#random.below(9_000_000_000);
    this.#nextId.set(type.name, id + 1);
    return String(id);
  }
}
