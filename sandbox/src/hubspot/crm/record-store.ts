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
  | {
      kind: 'merge';
      record: RecordRef;
      primaryId: string;
      mergedIds: string[];
      /** null where the primary record survives under its own id. */
      newId: string | null;
      propertiesMoved: number;
    }
  | { kind: 'associationChange'; from: RecordRef; to: RecordRef; typeId: number; category: string; removed: boolean }
);

/** Reports the changes of one action together, in the order in which they happened. */
export type ChangeListener = (changes: Change[]) => void;

const mergedIdsOf = (record: CrmRecord): string[] =>
  record.properties.get('hs_merged_object_ids')?.split(';').filter(Boolean) ?? [];

const UNANNOUNCED =
  /^(createdate|hs_createdate|lastmodifieddate|hs_lastmodifieddate|hs_object_.*|hs_merged_object_ids|hs_additional_emails)$/;

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
  /** Whether a merge makes a new record, as the vendor's of contacts do, or lets the primary one live on. */
  mergesMakeNew = true;
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
    const record = this.of(type).get(this.#survivorOf(type, known));
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

  /**
   * Makes one record out of two: a new one, or the primary one grown. The ids that are gone lead to it from then on, also
   * after it was merged itself.
   */
  merge(primary: CrmRecord, other: CrmRecord, origin: Origin): CrmRecord {
    const now = Date.now();
    const { type } = primary;
    const moved = [...other.properties].filter(([name]) => !primary.properties.get(name));
    const id = this.mergesMakeNew ? this.#takeId(type) : primary.id;
    const gone = [primary, other].filter((old) => old.id !== id);
    for (const old of [primary, other]) this.#forget(old);
    for (const old of gone) {
      this.of(type).delete(old.id);
      this.#merged.set(`${type.name}/${old.id}`, id);
      this.onTouch(old);
    }
    const record: CrmRecord = { ...primary, id, history: new Map([...other.history, ...primary.history]) };
    record.properties = new Map([...moved, ...primary.properties]);
    this.of(type).set(id, record);
    const ids = [...mergedIdsOf(primary), ...mergedIdsOf(other), ...gone.map((old) => old.id)];
    const values = new Map([
      ['hs_object_id', id],
      ['hs_merged_object_ids', [...new Set(ids)].join(';')],
    ]);
    const further = other.properties.get('email');
    const isFurther = type.name === 'contacts' && further && further !== record.properties.get('email');
    if (isFurther) values.set('hs_additional_emails', further);
    this.#write(record, values, origin, now);
    // The merged contact's address goes on standing for the record.
    if (isFurther) this.#unique.set(`contacts/email/${further.toLowerCase()}`, id);
    this.#announce([
      {
        kind: 'merge',
        record,
        primaryId: primary.id,
        mergedIds: [other.id],
        newId: id === primary.id ? null : id,
        propertiesMoved: moved.length,
        origin,
        occurredAt: now,
      },
    ]);
    return record;
  }

  #survivorOf(type: ObjectType, id: string): string {
    const heir = this.#merged.get(`${type.name}/${id}`);
    return heir === undefined ? id : this.#survivorOf(type, heir);
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
