import type { KeyObject } from 'node:crypto';
import { ExpressionError, type Given, type Row, tableKey, type Tables } from '#libs/expressions';
import type { Asks } from './asks';

/** Reference tables, of which it is known beforehand which there are. */
export interface ReferenceTables extends Tables {
  /** Whether there is such a table. */
  has(table: string): boolean;
  names(): readonly string[];
  /** Resolves when all tables are known; rejects where one cannot be. */
  start?(): Promise<void>;
  stop?(): Promise<void>;
}

/**
 * What recipes are given besides what stands in them, and their expressions besides their variables. What is not there is refused when
 * a recipe is read, not when it runs.
 */
export interface Reference {
  tables?: ReferenceTables;
  /** The secret of `token(…)`. */
  tokenKey?: KeyObject;
  /** The asks of files; of recipes that hold what they use, none are needed. */
  asks?: Asks;
}

/** Any table and a secret are taken to be there: for recipes that are only looked at, and run elsewhere. */
export const elsewhere: Reference = {
  tables: { has: () => true, names: () => [], get: () => undefined, version: () => undefined },
  tokenKey: {} as KeyObject,
};

/** Rows as somebody gives them, by table and key. */
export type GivenRows = Readonly<Record<string, Readonly<Record<string, Row>>>>;

/** Tables as given, each in the place of the one of its name. */
export function tablesWith(given: GivenRows, others?: ReferenceTables): ReferenceTables {
  const own = new Map(
    Object.entries(given).map(([name, rows]) => [
      name,
      new Map(Object.entries(rows).map(([key, row]) => [tableKey(key), row])),
    ]),
  );
  return {
    has: (table) => own.has(table) || (others?.has(table) ?? false),
    names: () => [...new Set([...own.keys(), ...(others?.names() ?? [])])].sort(),
    get(table, key) {
      const rows = own.get(table);
      if (rows) return rows.get(key);
      if (!others) throw new ExpressionError('no-table', `There is no reference table ${table}`);
      return others.get(table, key);
    },
    version: (table) => (own.has(table) ? 'given' : others?.version(table)),
  };
}

/** Tables of which some are known by their name alone: to look into such a one fails. */
export function tablesNamed(names: readonly string[], others?: ReferenceTables): ReferenceTables {
  const known = tablesWith({}, others);
  return {
    ...known,
    has: (table) => names.includes(table) || known.has(table),
    names: () => [...new Set([...names, ...known.names()])].sort(),
  };
}

/** What is wrong with a text's looking into tables and its secret; undefined where both are there. */
export function missingFor(
  { tables, keyed }: { tables: readonly string[]; keyed: boolean },
  reference: Reference,
): string | undefined {
  const { tables: known, tokenKey } = reference;
  if (keyed && !tokenKey)
    return 'token() has no secret here: set RECIPES_TOKEN_KEY or RECIPES_TOKEN_KEY_FILE, the same for all services';
  const unknown = tables.find((table) => !known?.has(table));
  if (unknown === undefined) return undefined;
  return known
    ? `there is no reference table ${unknown}; there are: ${known.names().join(', ') || 'none'}`
    : `there is no reference table ${unknown}: no folder of tables is given (TABLES_DIR of a service, --tables of a command)`;
}

/** The part of a reference that an evaluation is given. */
export const givenOf = ({ tables, tokenKey }: Reference): Given => ({
  ...(tables ? { tables } : {}),
  ...(tokenKey ? { tokenKey } : {}),
});
