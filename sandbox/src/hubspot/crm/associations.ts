import { invalid } from '../errors.ts';
import { objectType, type ObjectType } from './object-types.ts';
import type { ChangeListener, Origin, RecordRef, RecordStore } from './record-store.ts';

export interface AssociationSpec {
  associationCategory: string;
  associationTypeId: number;
}

interface Kind {
  typeId: number;
  from: string;
  to: string;
  reverse: number;
  label: string | null;
  primary: boolean;
}

const KINDS = new Map<number, Kind>();

function define(from: string, to: string, typeId: number, reverse: number, label: string | null = null): void {
  const primary = label === 'Primary';
  KINDS.set(typeId, { typeId, from, to, reverse, label, primary });
  KINDS.set(reverse, { typeId: reverse, from: to, to: from, reverse: typeId, label, primary });
}

for (const [activity, contact, company, deal, ticket] of [
  ['tasks', 204, 192, 216, 230],
  ['notes', 202, 190, 214, 228],
  ['calls', 194, 182, 206, 220],
  ['emails', 198, 186, 210, 224],
  ['meetings', 200, 188, 212, 226],
] as const) {
  define(activity, 'contacts', contact, contact - 1);
  define(activity, 'companies', company, company - 1);
  define(activity, 'deals', deal, deal - 1);
  define(activity, 'tickets', ticket, ticket - 1);
}
define('communications', 'contacts', 81, 82);
define('communications', 'companies', 87, 88);
define('communications', 'deals', 85, 86);
define('communications', 'tickets', 83, 84);
define('contacts', 'companies', 279, 280);
define('contacts', 'companies', 1, 2, 'Primary');
define('deals', 'companies', 341, 342);
define('deals', 'companies', 5, 6, 'Primary');
define('tickets', 'companies', 339, 340);
define('tickets', 'companies', 26, 25, 'Primary');
define('deals', 'contacts', 3, 4);
define('tickets', 'contacts', 16, 15);
define('deals', 'tickets', 27, 28);
define('deals', 'line_items', 19, 20);
define('contacts', 'contacts', 449, 449);
define('companies', 'companies', 450, 450);
define('companies', 'companies', 13, 14, 'Child');

const CUSTOM_TYPE_ID = 9000;

/** The unlabelled kind between two types; pairs that are not predefined share one id. */
export function defaultTypeId(from: ObjectType, to: ObjectType): number {
  for (const kind of KINDS.values())
    if (kind.from === from.name && kind.to === to.name && kind.label === null) return kind.typeId;
  return CUSTOM_TYPE_ID;
}

export function kindsBetween(
  from: ObjectType,
  to: ObjectType,
): { category: string; typeId: number; label: string | null }[] {
  const kinds = [...KINDS.values()].filter((kind) => kind.from === from.name && kind.to === to.name);
  return kinds.map(({ typeId, label }) => ({ category: 'HUBSPOT_DEFINED', typeId, label }));
}

export const kindTarget = (typeId: number): { from: string; to: string } | undefined => KINDS.get(typeId);

export const isPrimary = (typeId: number): boolean => KINDS.get(typeId)?.primary ?? false;

interface Edge {
  to: RecordRef;
  kinds: Map<number, string>;
}

const keyOf = (ref: RecordRef): string => `${ref.type.name}/${ref.id}`;

/** Holds which record is tied to which, always seen from both sides. */
export class Associations {
  readonly #edges = new Map<string, Map<string, Edge>>();
  readonly #records: RecordStore;
  readonly #announce: ChangeListener;

  constructor(records: RecordStore, announce: ChangeListener) {
    this.#records = records;
    this.#announce = announce;
  }

  /** Throws the vendor's 400 for a wrong direction or an unknown record. */
  check(fromType: ObjectType, to: RecordRef, specs: AssociationSpec[]): void {
    for (const { associationTypeId, associationCategory } of specs) {
      const kind = KINDS.get(associationTypeId);
      if (associationCategory !== 'HUBSPOT_DEFINED' || associationTypeId === CUSTOM_TYPE_ID) continue;
      if (kind === undefined) throw invalid(`association type ${associationTypeId} does not exist`);
      const wrongFrom = kind.from !== fromType.name;
      if (!wrongFrom && kind.to === to.type.name) continue;
      const side = wrongFrom ? 'from' : 'to';
      const expected = objectType(wrongFrom ? kind.from : kind.to).id;
      const given = wrongFrom ? fromType.id : to.type.id;
      throw invalid(`invalid ${side} object type ${given} for associations to be created. expected: ${expected}`);
    }
    if (this.#records.find(to.type, to.id) === undefined)
      throw invalid('One or more associations are invalid', { context: { INVALID_OBJECT_IDS: [to.id] } });
  }

  link(from: RecordRef, to: RecordRef, specs: AssociationSpec[], origin: Origin): void {
    const wanted = [...specs];
    if (specs.some(({ associationTypeId }) => isPrimary(associationTypeId)))
      wanted.push({ associationCategory: 'HUBSPOT_DEFINED', associationTypeId: defaultTypeId(from.type, to.type) });
    for (const { associationTypeId, associationCategory } of wanted) {
      const edge = this.#edge(from, to);
      if (edge.kinds.has(associationTypeId)) continue;
      const reverse = KINDS.get(associationTypeId)?.reverse ?? associationTypeId;
      edge.kinds.set(associationTypeId, associationCategory);
      this.#edge(to, from).kinds.set(reverse, associationCategory);
      this.#tell(from, to, associationTypeId, reverse, associationCategory, false, origin);
    }
  }

  unlink(from: RecordRef, to: RecordRef, origin: Origin): void {
    const kinds = this.#edges.get(keyOf(from))?.get(keyOf(to))?.kinds;
    this.#edges.get(keyOf(from))?.delete(keyOf(to));
    this.#edges.get(keyOf(to))?.delete(keyOf(from));
    for (const [typeId, category] of kinds ?? [])
      this.#tell(from, to, typeId, KINDS.get(typeId)?.reverse ?? typeId, category, true, origin);
  }

  /** Gives a merged record the ties of the records it was made of. */
  inherit(heir: RecordRef, oldIds: string[], origin: Origin): void {
    for (const id of oldIds) {
      const old = { type: heir.type, id };
      for (const { to, kinds } of [...(this.#edges.get(keyOf(old))?.values() ?? [])]) {
        this.#edges.get(keyOf(to))?.delete(keyOf(old));
        const specs = [...kinds].map(([associationTypeId, associationCategory]) => ({
          associationTypeId,
          associationCategory,
        }));
        this.link(heir, to, specs, origin);
      }
      this.#edges.delete(keyOf(old));
    }
  }

  /** Lists the living records of one type that are tied to `from`. */
  of(from: RecordRef, toType: ObjectType): { toObjectId: string; associationTypes: object[] }[] {
    const edges = [...(this.#edges.get(keyOf(from))?.values() ?? [])];
    return edges
      .filter(({ to }) => to.type.name === toType.name && this.#records.find(to.type, to.id) !== undefined)
      .map(({ to, kinds }) => ({
        toObjectId: to.id,
        associationTypes: [...kinds].map(([typeId, category]) => ({
          category,
          typeId,
          label: KINDS.get(typeId)?.label ?? null,
        })),
      }));
  }

  #edge(from: RecordRef, to: RecordRef): Edge {
    const edges = this.#edges.get(keyOf(from)) ?? new Map<string, Edge>();
    this.#edges.set(keyOf(from), edges);
    const edge = edges.get(keyOf(to)) ?? { to: { type: to.type, id: to.id }, kinds: new Map<number, string>() };
    edges.set(keyOf(to), edge);
    return edge;
  }

  #tell(
    from: RecordRef,
    to: RecordRef,
    typeId: number,
    reverse: number,
    category: string,
    removed: boolean,
    origin: Origin,
  ): void {
    const shared = { kind: 'associationChange' as const, category, removed, origin, occurredAt: Date.now() };
    this.#announce([
      { ...shared, from, to, typeId },
      { ...shared, from: to, to: from, typeId: reverse },
    ]);
  }
}
