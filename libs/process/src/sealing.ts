/** Where records of calls are kept: how they are sealed, and for how long. */
export interface Sealing {
  /** Seals a text for one place; opened for another, it is refused. */
  seal(text: string, place: string): Promise<string>;
  days: number;
}
