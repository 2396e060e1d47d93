import type { KeyObject } from 'node:crypto';
import type { Looked } from './looked';

/** A row of a reference table, by column. */
export type Row = Readonly<Record<string, unknown>>;

/** Reference tables as they stand in memory; where they come from and when they are read again is their owner's. */
export interface Tables {
  /** The row of a key as `tableKey` writes it; undefined where the table has none. Throws ExpressionError without the table. */
  get(table: string, key: string): Row | undefined;
  /** Changes with the table's content, so that a decision can record what it looked into. */
  version(table: string): string | undefined;
}

/** What an evaluation is given besides its variables. */
export interface Given {
  tables?: Tables;
  /** Keeps what is looked up, and finds again what was looked up before. */
  looked?: Looked;
  /** The secret of `token(…)`, as `createSecretKey` makes it. */
  tokenKey?: KeyObject;
}

/** Writes a key as tables hold it: without blanks around it, in lower case. */
export const tableKey = (key: string): string => key.normalize('NFC').trim().toLowerCase();
