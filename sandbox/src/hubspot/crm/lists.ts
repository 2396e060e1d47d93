import { missing } from '../errors.ts';
import type { ObjectType } from './object-types.ts';

export type ProcessingType = 'MANUAL' | 'SNAPSHOT' | 'DYNAMIC';

export interface List {
  id: string;
  name: string;
  type: ObjectType;
  processingType: ProcessingType;
  /** Ids of its records, in the order in which they joined. */
  members: Set<string>;
}

/** Holds an account's lists. */
export class Lists {
  readonly #lists = new Map<string, List>();

  put(list: Omit<List, 'members'>): List {
    const made = { ...list, members: this.#lists.get(list.id)?.members ?? new Set<string>() };
    this.#lists.set(list.id, made);
    return made;
  }

  /** Throws the vendor's 404 for one that is not there. */
  get(id: string): List {
    const found = this.#lists.get(id);
    if (found === undefined) throw missing(id);
    return found;
  }
}
