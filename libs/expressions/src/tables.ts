import { createHash } from 'node:crypto';
import { CsvError, parse } from 'csv-parse/sync';
import { ExpressionError } from './fault';
import { type Row, tableKey, type Tables } from './given';

/** A row of a file that cannot be one of the table. */
export interface TableFault {
  file: string;
  line: number;
  reason: string;
}

/** Names every bad row of a file; nothing of it is taken over. */
export class TableFaults extends Error {
  override readonly name = 'TableFaults';
  constructor(readonly faults: readonly TableFault[]) {
    super(faults.map(({ file, line, reason }) => `${file}:${String(line)}: ${reason}`).join('\n'));
  }
}

interface Table {
  version: string;
  rows: ReadonlyMap<string, Row>;
}

/** Most rows of one table: it is held in memory. */
export const MOST_ROWS = 100_000;

/** Reference tables held in memory. Loading one again replaces it whole, or leaves it as it was. */
export class HeldTables implements Tables {
  private readonly tables = new Map<string, Table>();

  /** Takes over a CSV file's rows under a table's name; throws TableFaults. The first column is the key. */
  load(name: string, file: string, csv: string): void {
    this.tables.set(name, readTable(file, csv));
  }

  /** Takes over rows under a table's name, by the column that holds the key; throws TableFaults, counting rows as lines. */
  loadRows(name: string, file: string, key: string, rows: readonly Row[]): void {
    this.tables.set(name, tableOf(file, key, rows));
  }

  /** How many rows a table has. */
  size(table: string): number {
    return this.tables.get(table)?.rows.size ?? 0;
  }

  get(table: string, key: string): Row | undefined {
    const known = this.tables.get(table);
    if (!known) throw new ExpressionError('no-table', `There is no reference table ${table}`);
    return known.rows.get(key);
  }

  version(table: string): string | undefined {
    return this.tables.get(table)?.version;
  }
}

function readTable(file: string, csv: string): Table {
  const faults: TableFault[] = [];
  const refuse = (line: number, reason: string) => void faults.push({ file, line, reason });
  const [header, ...records] = recordsOf(file, csv);
  const columns = header?.fields.map((column) => column.trim()) ?? [];
  if (columns.length === 0) refuse(1, 'there is no line with the names of the columns');
  for (const [index, column] of columns.entries()) {
    if (column === '') refuse(1, `column ${String(index + 1)} has no name`);
    else if (columns.indexOf(column) !== index) refuse(1, `the column ${column} is there twice`);
  }
  if (records.length > MOST_ROWS) throw tooMany(file);
  const rows = new Map<string, Row>();
  const lines = new Map<string, number>();
  for (const { line, fields } of records) {
    const key = tableKey(fields[0] ?? '');
    const before = lines.get(key);
    if (fields.length !== columns.length) {
      refuse(line, `it has ${String(fields.length)} fields, the table has ${String(columns.length)} columns`);
    } else if (key === '') refuse(line, 'the key is blank');
    else if (before !== undefined) refuse(line, `the key is that of line ${String(before)}`);
    else {
      lines.set(key, line);
      rows.set(key, Object.freeze(Object.fromEntries(columns.map((column, i) => [column, fields[i]?.trim() || null]))));
    }
  }
  if (faults.length > 0) throw new TableFaults(faults);
  return { version: createHash('sha256').update(csv).digest('hex').slice(0, 16), rows };
}

function tableOf(file: string, column: string, given: readonly Row[]): Table {
  if (given.length > MOST_ROWS) throw tooMany(file);
  const faults: TableFault[] = [];
  const rows = new Map<string, Row>();
  for (const [index, row] of given.entries()) {
    const value = row[column];
    const key = typeof value === 'string' || typeof value === 'number' ? tableKey(String(value)) : '';
    const refuse = (reason: string) => void faults.push({ file, line: index + 1, reason });
    if (!Object.hasOwn(row, column)) refuse(`there is no column ${column}`);
    else if (key === '') refuse('the key is blank, or neither text nor a number');
    else if (rows.has(key)) refuse('the key is that of a row before');
    else rows.set(key, Object.freeze(JSON.parse(JSON.stringify(row)) as Row));
    if (faults.length === MOST_FAULTS) break;
  }
  if (faults.length > 0) throw new TableFaults(faults);
  const version = createHash('sha256').update(JSON.stringify([...rows].sort(([a], [b]) => (a < b ? -1 : 1))));
  return { version: version.digest('hex').slice(0, 16), rows };
}

/** How many faults of rows without lines are told: they are alike. */
const MOST_FAULTS = 10;

const tooMany = (file: string): TableFaults =>
  new TableFaults([{ file, line: MOST_ROWS + 1, reason: `there are more than ${String(MOST_ROWS)} rows` }]);

function recordsOf(file: string, csv: string): { line: number; fields: string[] }[] {
  try {
    const options = { bom: true, info: true, relax_column_count: true, skip_empty_lines: true } as const;
    const records = parse(csv, options) as unknown as { info: { lines: number }; record: string[] }[];
    return records.map(({ info, record }) => ({ line: info.lines, fields: record }));
  } catch (error) {
    if (!(error instanceof CsvError)) throw error;
    const line = typeof error.lines === 'number' ? error.lines : 1;
    throw new TableFaults([{ file, line, reason: error.code.toLowerCase().replace(/^csv_/, '').replaceAll('_', ' ') }]);
  }
}
