import type { EventOf, JournalCursor, sweepEvents, SweepEvent } from '#libs/contracts';
import { type Decision, nothing, type Owed } from '#libs/process';
import type { Ended } from './leg.decider';

type DataOf<Type extends SweepEvent['type']> = Extract<EventOf<typeof sweepEvents>, { type: Type }>['data'];

/** A part of an app's journal, and how far it was read. */
export interface Journal {
  app: string;
  leg: number;
  cursor: JournalCursor;
  /** When the last file that was read was published (RFC 3339). */
  upTo?: string;
  /** How often something was read in this part. */
  reads: number;
  isOver: boolean;
}

/** A look at an app's journal. */
export interface LookRequest {
  app: string;
  cursor: JournalCursor;
}

/** What a look has found; without a cursor that there is nothing more, for now. */
export interface LookAnswer {
  cursor?: JournalCursor;
  upTo?: string;
  /** HubSpot knew the offset no longer: it is read again from when on (RFC 3339). */
  gapTo?: string;
  changes: JournaledChange[];
  left: number;
  undeclared: number;
}

/** A change of a tenant's record by which recipes go, without what it says. */
export interface JournaledChange {
  /** Its place: the offset of its file, and its number there. */
  place: string;
  tenant: string;
  object: string;
  id: string;
  /** RFC 3339. */
  at: string;
  properties: string[];
  /** Whether the record was made by it. */
  isNew: boolean;
  /** What became of the record, where that is all. */
  fate?: 'deleted' | 'restored';
}

/** How soon after its end a journal is looked at again, in milliseconds; absent where none is declared any more. */
interface Rhythm {
  at: string;
  everyMs?: number;
}

export type JournalInput =
  | { type: 'journal-asked'; app: string }
  | { type: 'journal-handed-on'; handed: DataOf<'JournalHandedOn'> }
  | ({ type: 'journal-looked'; purpose: string; ended: Ended<LookAnswer> } & Rhythm)
  | ({ type: 'journal-time'; due: string } & Rhythm);

/** The kind of call by which a journal is read. */
export const JOURNAL = 'hubspot.journal';
/** Reads of one part: the next part has a stream of its own, so that no stream becomes long. */
export const READS_A_LEG = 200;
/** How often it is seen whether a journal that is declared no more is so again. */
const UNDECLARED_MS = 3_600_000;

export function evolveJournal(journal: Journal | undefined, event: SweepEvent): Journal | undefined {
  if (event.type === 'JournalLegBegan') return { ...event.data, reads: 0, isOver: false };
  if (!journal) return undefined;
  switch (event.type) {
    case 'JournalRead': {
      const { cursor, upTo = journal.upTo } = event.data;
      return { ...journal, cursor, upTo, reads: journal.reads + 1 };
    }
    case 'JournalHandedOn':
      return { ...journal, isOver: true };
    default:
      return journal;
  }
}

/**
 * Reads one file after the other: the next look is owed by the answer of the one before, so a crash loses none. At the end
 * a timer looks again; a look that finds nothing leaves no event.
 */
export function decideJournal(journal: Journal | undefined, input: JournalInput): Decision<SweepEvent> {
  switch (input.type) {
    // Whoever starts asks: what is being read already is left alone.
    case 'journal-asked':
      return journal ? nothing() : begun({ app: input.app, leg: 1, cursor: { after: 'latest' } });
    case 'journal-handed-on':
      return journal ? nothing() : begun(input.handed);
    case 'journal-looked':
      return journal && !journal.isOver ? onLooked(journal, input) : nothing();
    case 'journal-time':
      return journal && !journal.isOver ? onTime(journal, input) : nothing();
  }
}

const begun = (leg: DataOf<'JournalLegBegan'>): Decision<SweepEvent> => ({
  events: [{ type: 'JournalLegBegan', data: leg }],
  effects: [lookAt(leg, 'look-0')],
});

function onTime(journal: Journal, { due, at, everyMs }: JournalInput & { type: 'journal-time' }): Decision<SweepEvent> {
  if (everyMs === undefined) return { events: [], timers: [lookAgain({ at })] };
  return { events: [], effects: [lookAt(journal, `look-${String(journal.reads)}@${due}`)] };
}

function onLooked(
  journal: Journal,
  { purpose, ended, ...rhythm }: JournalInput & { type: 'journal-looked' },
): Decision<SweepEvent> {
  if ('code' in ended || !ended.answer.cursor) return { events: [], timers: [lookAgain(rhythm)] };
  const { app, leg } = journal;
  const { cursor, upTo = journal.upTo, gapTo, changes, left, undeclared } = ended.answer;
  const gap: SweepEvent[] =
    gapTo === undefined ? [] : [{ type: 'JournalGapFound', data: { app, leg, from: journal.upTo, to: gapTo } }];
  const read: SweepEvent = {
    type: 'JournalRead',
    data: { app, leg, cursor, upTo, taken: changes.length, left, undeclared },
  };
  const events = [...gap, read];
  // It names many people's records: what it says of each stands there from now on.
  const forget = [{ kind: JOURNAL, purpose }];
  const reads = journal.reads + 1;
  if (reads < READS_A_LEG) return { events, effects: [lookAt({ app, cursor }, `look-${String(reads)}`)], forget };
  return { events: [...events, { type: 'JournalHandedOn', data: { app, leg: leg + 1, cursor, upTo } }], forget };
}

const lookAt = ({ app, cursor }: LookRequest, purpose: string): Owed => ({
  kind: JOURNAL,
  purpose,
  request: { app, cursor } satisfies LookRequest,
  lane: 'backfill',
});

const lookAgain = ({ at, everyMs = UNDECLARED_MS }: Rhythm) => ({
  name: 'look',
  due: new Date(Date.parse(at) + everyMs).toISOString(),
});
