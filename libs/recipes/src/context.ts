/** What else of a record's surroundings a model may be told, beside notes; transcripts are those of its calls. */
export const contextKinds = ['emails', 'calls', 'meetings', 'tickets', 'transcripts'] as const;
export type ContextKind = (typeof contextKinds)[number];

/** How many of each kind, the newest first; and the properties of a call that hold its transcript, in their order. */
export interface ContextWish {
  most: Readonly<Partial<Record<ContextKind, number>>>;
  transcript: readonly string[];
}

/** A note, or whatever else was written or said, newest first where several stand together. `at` is RFC 3339. */
export interface Note {
  at: string;
  title?: string;
  text: string;
}

/** What was read of a record beside its properties. */
export interface Told {
  notes: readonly Note[];
  context?: Readonly<Partial<Record<ContextKind, readonly Note[]>>>;
}

/** Where an account's recorder of calls writes transcripts, unless a recipe says otherwise. */
export const TRANSCRIPT = 'call_transcript';
