import { listOf, objectOf, textOf, numberOf, type JsonObject } from '../../frame/json.ts';
import type { Random } from '../../frame/seeded-random.ts';
import { conflict, invalid } from '../errors.ts';
import { Associations, kindTarget, type AssociationSpec } from './associations.ts';
import { Lists } from './lists.ts';
import { instant, objectType, type ObjectType } from './object-types.ts';
import { Owners } from './owners.ts';
import { PropertyDefinitions } from './property-definitions.ts';
import { RecordStore, type ChangeListener, type CrmRecord, type Origin } from './record-store.ts';
import { SearchIndex } from './search.ts';
import { checkedProperties } from './validation.ts';

const ACTIVITIES = new Set(['notes', 'tasks', 'calls', 'emails', 'meetings', 'communications']);

/** One account's data with the rules for writing it. */
export class Crm {
  readonly portalId: number;
  readonly definitions = new PropertyDefinitions();
  readonly records: RecordStore;
  readonly associations: Associations;
  readonly search: SearchIndex;
  readonly lists = new Lists();
  readonly owners = new Owners();

  constructor(portalId: number, random: Random, announce: ChangeListener) {
    this.portalId = portalId;
    this.records = new RecordStore(this.definitions, random, announce);
    this.associations = new Associations(this.records, announce);
    this.search = new SearchIndex(this.records, this.associations);
  }

  /** Checks everything first, so that a refused create leaves nothing behind. */
  create(type: ObjectType, input: JsonObject, origin: Origin, options: { writeReadOnly?: boolean } = {}): CrmRecord {
    const values = this.checked(type, input['properties'], options);
    if (ACTIVITIES.has(type.name) && !type.lenient && !values.get('hs_timestamp'))
      throw invalid('Error creating object. Some required properties were not set.', {
        errors: [{ message: 'hs_timestamp is required', context: { properties: ['hs_timestamp'] } }],
      });
    const ties = listOf(input['associations']).map((item) => readTie(type, objectOf(item)));
    for (const { to, specs } of ties) this.associations.check(type, to, specs);
    const record = this.records.create(type, values, origin);
    for (const { to, specs } of ties) {
      this.associations.link(record, to, specs, origin);
      this.noteActivity(type, to.type, to.id);
    }
    return record;
  }

  update(record: CrmRecord, input: unknown, origin: Origin, asPerson = false): string[] {
    const values = this.checked(record.type, input, { writeReadOnly: asPerson });
    return this.records.update(record, values, origin, asPerson);
  }

  /** The values as they will be stored; throws the vendor's 400 that names every bad one. */
  checked(type: ObjectType, input: unknown, options: { writeReadOnly?: boolean } = {}): Map<string, string> {
    const { portalId, owners } = this;
    return checkedProperties(this.definitions, type, objectOf(input), { portalId, owners, ...options });
  }

  /** An activity that is tied to a record moves that record's last activity date. */
  noteActivity(activity: ObjectType, type: ObjectType, id: string): void {
    const record = this.records.find(type, id);
    if (!ACTIVITIES.has(activity.name) || record === undefined) return;
    if (this.definitions.get(type.name, 'notes_last_updated') === undefined) return;
    const origin = { source: 'ENGAGEMENTS', sourceId: 'last-activity' };
    this.records.update(record, new Map([['notes_last_updated', instant(Date.now())]]), origin);
  }

  merge(type: ObjectType, primaryId: string, otherId: string, origin: Origin): CrmRecord {
    const primary = this.records.find(type, primaryId);
    const other = this.records.find(type, otherId);
    if (primary === undefined || other === undefined) throw invalid('One of the records to merge does not exist.');
    if (primary === other) throw conflict('A record cannot be merged into itself.');
    const record = this.records.merge(primary, other, origin);
    this.associations.inherit(
      record,
      [primary.id, other.id].filter((id) => id !== record.id),
      origin,
    );
    return record;
  }
}

export function readSpecs(input: unknown): AssociationSpec[] {
  return listOf(input).map((item) => {
    const spec = objectOf(item);
    return {
      associationCategory: textOf(spec['associationCategory']) ?? 'HUBSPOT_DEFINED',
      associationTypeId: numberOf(spec['associationTypeId']) ?? 0,
    };
  });
}

/** Finds the other side's type from the type ids, since a create names only its id. */
function readTie(
  type: ObjectType,
  input: JsonObject,
): { to: { type: ObjectType; id: string }; specs: AssociationSpec[] } {
  const specs = readSpecs(input['types']);
  const id = textOf(objectOf(input['to'])['id']);
  const first = specs[0];
  if (id === undefined || first === undefined) throw invalid('associations need "to" and "types"');
  const target = targetOf(type, first.associationTypeId);
  return { to: { type: target, id }, specs };
}

function targetOf(type: ObjectType, typeId: number): ObjectType {
  const kind = kindTarget(typeId);
  if (kind === undefined) throw invalid(`association type ${typeId} does not exist`);
  if (kind.from !== type.name)
    throw invalid(
      `invalid from object type ${type.id} for associations to be created. expected: ${objectType(kind.from).id}`,
    );
  return objectType(kind.to);
}
