import { ExpressionError } from './fault';

/** What a table says: a row, the value of one column, or null where it has no such key. */
export type Found = unknown;

/** One look into a reference table, and what was found. `column` is absent where the whole row was asked for. */
export interface Lookup {
  table: string;
  key: string;
  column?: string;
  found: Found;
}

/** How much one decision may look up, in characters of JSON: it is recorded in an event. */
const MOST_CHARACTERS = 65_536;

/**
 * What a decision looks up, each thing once. What was looked up `before`, when the same was decided, is found again
 * whatever the tables say now; only what was not is looked up now. Nothing that was not asked for is kept.
 */
export class Looked {
  private readonly found = new Map<string, Lookup>();
  private readonly before = new Map<string, Lookup>();
  private characters = 0;

  constructor(before: readonly Lookup[] = []) {
    // Of two of one name the older was found first.
    for (const one of before) if (!this.before.has(nameOf(one))) this.before.set(nameOf(one), one);
  }

  /** What was asked for so far, always in the same order. */
  get all(): Lookup[] {
    return [...this.found].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, one]) => one);
  }

  /** Finds it as before, or else by `now`. Throws ExpressionError where more is looked up than an event can hold. */
  find(at: Omit<Lookup, 'found'>, now: () => Found): Found {
    const name = nameOf(at);
    const known = this.found.get(name);
    if (known) return known.found;
    const one = this.before.get(name) ?? { ...at, found: now() };
    this.characters += JSON.stringify(one).length;
    if (this.characters > MOST_CHARACTERS)
      throw new ExpressionError('overrun', `More than ${String(MOST_CHARACTERS)} characters are looked up`);
    this.found.set(name, one);
    return one.found;
  }
}

const nameOf = ({ table, key, column }: Omit<Lookup, 'found'>): string => JSON.stringify([table, key, column]);
