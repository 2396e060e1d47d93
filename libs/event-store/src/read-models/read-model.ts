import type { StoredEvent } from '../shapes';

/** One statement with its values. */
export interface Statement {
  text: string;
  values: unknown[];
}

/**
 * Tables that are made from events and from nothing else, so that they can be made again at any time without an effect.
 * They stand in a schema of the model's name; statements name them without it, since each build has a schema of its own.
 */
export interface ReadModel {
  /** Lower-case letters and underscores; also the name of its schema. */
  name: string;
  /** Raised with every change of tables or statements: the model is then built anew beside the old one. */
  version: number;
  says: string;
  tables: readonly string[];
  /** What a page of events, in the order of their positions, does to the tables. Pure; unknown types are skipped. */
  apply(events: readonly StoredEvent[]): Statement[];
}
