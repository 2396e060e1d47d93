import { invalid } from '../errors.ts';

export interface ObjectType {
  /** Plural name as in paths: "contacts". Custom types keep their id: "2-123". */
  name: string;
  singular: string;
  id: string;
  /** Name of the property that holds the time of the last change. */
  modifiedStamp: 'lastmodifieddate' | 'hs_lastmodifieddate';
  /** Custom types take any property. */
  lenient: boolean;
}

const STANDARD: [singular: string, plural: string, id: string][] = [
  ['contact', 'contacts', '0-1'],
  ['company', 'companies', '0-2'],
  ['deal', 'deals', '0-3'],
  ['ticket', 'tickets', '0-5'],
  ['product', 'products', '0-7'],
  ['line_item', 'line_items', '0-8'],
  ['communication', 'communications', '0-18'],
  ['task', 'tasks', '0-27'],
  ['note', 'notes', '0-46'],
  ['meeting', 'meetings', '0-47'],
  ['call', 'calls', '0-48'],
  ['email', 'emails', '0-49'],
];

const KNOWN = new Map<string, ObjectType>();
for (const [singular, name, id] of STANDARD) {
  const type: ObjectType = {
    name,
    singular,
    id,
    modifiedStamp: name === 'contacts' ? 'lastmodifieddate' : 'hs_lastmodifieddate',
    lenient: false,
  };
  for (const alias of [singular, name, id]) KNOWN.set(alias, type);
}

/** Finds the type by name, singular or id; ids like "2-123" and names like "p1_car" become custom types. */
export function objectType(given: string): ObjectType {
  const alias = given.toLowerCase();
  const known = KNOWN.get(alias);
  if (known) return known;
  if (!/^2-\d+$|^p\d+_\w+$/.test(alias)) throw invalid(`Unable to infer object type from: ${given}`);
  const custom: ObjectType = {
    name: alias,
    singular: alias,
    id: alias,
    modifiedStamp: 'hs_lastmodifieddate',
    lenient: true,
  };
  KNOWN.set(alias, custom);
  return custom;
}

/** Defines a type of the account's own, which holds only the properties that it was given. */
export function defineType(id: string, name: string): ObjectType {
  const type: ObjectType = { name: id, singular: id, id, modifiedStamp: 'hs_lastmodifieddate', lenient: false };
  for (const alias of [id, name.toLowerCase()]) KNOWN.set(alias, type);
  return type;
}

export const standardTypeNames = (): string[] => STANDARD.map(([, plural]) => plural);

/** Prints a time as Java's Instant does: no fraction when it is zero. */
export const instant = (ms: number): string => new Date(ms).toISOString().replace('.000Z', 'Z');
