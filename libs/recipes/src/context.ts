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

/** How a mask names the notes. */
export const NOTES = 'notes';
const NOT_TOLD = 'is not told: name a property, a fact, or notes or another kind of context';

/** An ask as its file says it, as far as this is about it. */
interface AskFile {
  properties: readonly string[];
  facts: Readonly<Record<string, unknown>>;
  mask?: Readonly<Record<string, unknown>>;
  notes: number;
  context?: Partial<Record<ContextKind | 'notes', number>> & { transcript?: string[] };
}

/** What a recipe's ask wants to be told of a record's surroundings, and what of it contradicts itself. */
export function contextIn(ask: AskFile) {
  const { notes = ask.notes, transcript, ...kinds } = ask.context ?? {};
  const faults: { at: string[]; message: string }[] = [];
  if (ask.notes > 0 && notes !== ask.notes)
    faults.push({ at: ['context', 'notes'], message: 'says another number of notes than `notes` beside it' });
  if (transcript && kinds.transcripts === undefined)
    faults.push({ at: ['context', 'transcript'], message: 'is told nowhere: say how many transcripts' });
  const most = Object.fromEntries(Object.entries(kinds).filter(([, number]) => number !== undefined));
  const told = [...ask.properties, ...Object.keys(ask.facts), NOTES, ...Object.keys(most)];
  for (const name of Object.keys(ask.mask ?? {}))
    if (!told.includes(name)) faults.push({ at: ['mask', name], message: NOT_TOLD });
  const context: ContextWish = { most, transcript: transcript ?? [TRANSCRIPT] };
  return { notes, context, faults };
}
