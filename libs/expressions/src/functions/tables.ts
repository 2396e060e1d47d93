import { givenNow } from '../bounds';
import { ExpressionError } from '../fault';
import { tableKey, type Tables } from '../given';
import type { Found } from '../looked';
import { choiceOf, type FunctionGroup, shortTextOf } from './definition';

/** The functions whose first argument names a table; it must be a literal, so that an expression's tables are known. */
export const tableFunctions: ReadonlySet<string> = new Set(['lookup']);

export const tables: FunctionGroup = {
  title: 'Reference tables',
  functions: [
    {
      signature: 'lookup(table, key, column?)',
      says:
        'The row of a reference table as a map, or one column of it; null where the table has no such key. Keys are ' +
        'compared without case and blanks around them. The examples’ table `segments` has the columns `code` and `name`.',
      examples: [
        ['lookup("segments", " ENT ")', { code: 'ent', name: 'Enterprise' }],
        ['lookup("segments", "ent", "name")', 'Enterprise'],
        ['lookup("segments", "unknown", "name")', null],
      ],
      cost: 5,
      run: (table: unknown, key: unknown, column?: unknown) => {
        const { tables, looked } = givenNow();
        const text = shortTextOf(key, 1_000);
        if (text === null) return null;
        const at = {
          table: choiceOf(table),
          key: tableKey(text),
          ...(column === undefined ? {} : { column: choiceOf(column) }),
        };
        const now = () => found(tables, at);
        return looked ? looked.find(at, now) : now();
      },
    },
  ],
};

function found(
  tables: Tables | undefined,
  { table, key, column }: { table: string; key: string; column?: string },
): Found {
  if (!tables) throw new ExpressionError('no-table', 'There are no reference tables');
  const row = tables.get(table, key);
  if (row === undefined) return null;
  if (column === undefined) return row;
  if (!Object.hasOwn(row, column)) throw new ExpressionError('no-table', 'The table has no such column');
  return row[column] ?? null;
}
