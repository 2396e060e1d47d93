import {
  type EventOf,
  foundStream,
  JOURNAL_TENANT,
  journalStream,
  journalSubject,
  recordOf,
  subjectOf,
  type sweepEvents,
} from '#libs/contracts';
import { type EffectOutcome, type Target, UnreadableRecord } from '#libs/process';
import type { RecordJournaled } from './found.decider';
import type { JournalInput, LookAnswer } from './journal.decider';

/** The apps whose journals are read, and how soon after its end each is looked at again, in milliseconds. */
export interface Journals {
  apps: readonly string[];
  everyMs: number;
}

type HandedOn = Extract<EventOf<typeof sweepEvents>, { type: 'JournalHandedOn' }>['data'];

/** Whoever starts asks for the first part. */
export function askedFor(subject: string): Target<JournalInput> {
  const about = recordOf(subject);
  if (!about) throw new UnreadableRecord(`${subject} is no journal`);
  return partOf(about.id, 1, { type: 'journal-asked', app: about.id });
}

export const handedOn = (handed: HandedOn): Target<JournalInput> =>
  partOf(handed.app, handed.leg, { type: 'journal-handed-on', handed });

const partOf = (app: string, leg: number, input: JournalInput): Target<JournalInput> => ({
  streamId: journalStream(app, leg),
  tenant: JOURNAL_TENANT,
  subject: journalSubject(app),
  input,
});

/** The records of which a file tells: each is told so. */
export function journaledIn({ state, answer }: EffectOutcome): Target<RecordJournaled>[] {
  if (state !== 'done') return [];
  return (answer as LookAnswer).changes.map((change) => {
    const { tenant, object: type, id } = change;
    const streamId = foundStream(tenant, { type, id });
    return { streamId, tenant, subject: subjectOf({ type, id }), input: { type: 'journaled', streamId, change } };
  });
}
