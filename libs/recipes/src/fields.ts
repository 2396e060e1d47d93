import { readHubspot, recordOf } from '#libs/contracts';
import type { LogRecord } from './steps-due';
import type { Recipe } from './recipe';

/** A field that events bring: a property of a HubSpot record, or a path within the body of another source's event. */
export interface Field {
  /** Whose it is: `hubspot contact`, or source and type of event, such as `billing invoice.paid`. */
  of: string;
  field: string;
  /** How often each type of value came; `empty` is none at all. */
  types: Record<string, number>;
  count: number;
  /** When it came first and last (RFC 3339), as far as was read. */
  firstSeen: string;
  lastSeen: string;
  /** Where the first value stands of a type that is not the most frequent one: topic/partition/offset. */
  conflict?: string;
  /** Recipes that wait for it by name. */
  recipes: string[];
}

/** A list is one field: its items are told together. */
const MOST_DEPTH = 6;
/** A sender that makes up names, such as ids as keys, is not followed for ever. */
const MOST_FIELDS = 10_000;

/**
 * Counts what fields the events of a topic bring, by the types of their values, never the values themselves. Records of
 * one field may come in any order.
 */
export class FieldTally {
  private readonly fields = new Map<string, Seen>();
  /** Fields that were not counted any more, of senders that bring ever new ones. */
  beyond = 0;

  /** Counts one record; `place` is topic/partition/offset. What cannot be read counts as nothing. */
  add(record: LogRecord, place: string): void {
    for (const { of, field, type } of fieldsOf(record)) {
      const seen = this.seen(of, field);
      if (!seen) {
        this.beyond += 1;
        continue;
      }
      const { time } = record.envelope;
      seen.firstSeen = before(time, seen.firstSeen) ? time : seen.firstSeen;
      seen.lastSeen = before(seen.lastSeen, time) ? time : seen.lastSeen;
      const known = seen.types.get(type);
      if (known) known.count += 1;
      else seen.types.set(type, { count: 1, place });
    }
  }

  /** All fields, by name. */
  result(recipes: readonly Recipe[] = []): Field[] {
    return [...this.fields.values()]
      .map(({ types, ...about }) => {
        const typed = [...types].filter(([type]) => type !== EMPTY).sort(([, a], [, b]) => b.count - a.count);
        const other = typed[1]?.[1].place;
        return {
          ...about,
          types: Object.fromEntries([...types].map(([type, { count }]) => [type, count])),
          count: [...types.values()].reduce((sum, { count }) => sum + count, 0),
          ...(other === undefined ? {} : { conflict: other }),
          recipes: recipes.filter((recipe) => waitsFor(recipe, about)).map(({ id }) => id),
        };
      })
      .sort((a, b) => (a.of === b.of ? compare(a.field, b.field) : compare(a.of, b.of)));
  }

  private seen(of: string, field: string): Seen | undefined {
    const key = `${of} ${field}`;
    const known = this.fields.get(key);
    if (known) return known;
    if (this.fields.size >= MOST_FIELDS) return undefined;
    const seen: Seen = { of, field, types: new Map(), firstSeen: LAST, lastSeen: FIRST };
    this.fields.set(key, seen);
    return seen;
  }
}

interface Seen {
  of: string;
  field: string;
  types: Map<string, { count: number; place: string }>;
  firstSeen: string;
  lastSeen: string;
}

const FIRST = '0000-01-01T00:00:00.000Z';
const LAST = '9999-12-31T23:59:59.999Z';
const EMPTY = 'empty';

const before = (a: string, b: string): boolean => Date.parse(a) < Date.parse(b) || Number.isNaN(Date.parse(b));
const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

function fieldsOf(record: LogRecord): { of: string; field: string; type: string }[] {
  let value: unknown;
  try {
    ({ value } = record);
  } catch {
    return [];
  }
  const { envelope, eventType } = record;
  if (!envelope.source.startsWith('/hubspot/')) {
    const [, source = ''] = envelope.source.split('/');
    const of = [source, eventType ?? recordOf(envelope.subject)?.type ?? ''].join(' ').trim();
    return [...pathsIn(value)].map(({ path, type }) => ({ of, field: path, type }));
  }
  const read = readHubspot(value);
  if ('error' in read || read.change.property === undefined) return [];
  const { record: about, property, value: said } = read.change;
  return [{ of: `hubspot ${about.type}`, field: property, type: textType(said) }];
}

/** What a CRM property's text looks like. */
function textType(value: string | undefined): string {
  if (value === undefined || value.trim() === '') return EMPTY;
  if (/^(true|false)$/i.test(value)) return 'boolean';
  if (/^-?\d+(\.\d+)?$/.test(value)) return 'number';
  return /^\d{4}-\d{2}-\d{2}(T|$)/.test(value) ? 'date' : 'text';
}

function* pathsIn(value: unknown, path = '', depth = 0): Generator<{ path: string; type: string }> {
  if (typeof value !== 'object' || value === null) {
    if (path !== '') yield { path, type: value === null ? EMPTY : typeof value === 'string' ? 'text' : typeof value };
    return;
  }
  if (path !== '') yield { path, type: Array.isArray(value) ? 'list' : 'object' };
  if (depth >= MOST_DEPTH) return;
  if (Array.isArray(value)) {
    for (const item of value) yield* pathsIn(item, `${path}[]`, depth + 1);
    return;
  }
  for (const [name, inner] of Object.entries(value))
    yield* pathsIn(inner, path === '' ? name : `${path}.${name}`, depth + 1);
}

const waitsFor = ({ trigger }: Recipe, { of, field }: { of: string; field: string }): boolean =>
  trigger.source === undefined
    ? of === `hubspot ${trigger.object}` && (trigger.properties?.includes(field) || trigger.due?.date === field)
    : of.split(' ')[0] === trigger.source &&
      [...Object.values(trigger.take), ...(trigger.when ? [trigger.when] : [])].some(({ reads }) =>
        (reads['event'] ?? []).some(
          ([first, ...path]) => first === 'body' && path.length > 0 && `${field}.`.startsWith(`${path.join('.')}.`),
        ),
      );
