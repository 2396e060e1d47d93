import { type CrmEvent, type Fate, type HubspotChange, type RecordRef, subjectOf } from '#libs/contracts';

/** Where a stream's record is, by all that is known of its fate. Nothing known: it is where it was. */
export interface Whereabouts {
  /** The record that it goes on as, and since when (RFC 3339). */
  merged?: { into: RecordRef; at: string };
  /** What was said last of the record, or of the one that it goes on as: whether that is deleted. */
  lost?: { of?: RecordRef; at: string; isBack: boolean };
  /** Since when (RFC 3339). */
  forgotten?: string;
}

/**
 * Where the record is after one more word of its fate; undefined where that says nothing new. Whatever order words come
 * in, the same comes of them: of two the later by the CRM's own time counts, and nothing comes back from being forgotten.
 */
export function following(before: Whereabouts, fate: Fate): Whereabouts | undefined {
  const { what, at, into, of } = fate;
  const { merged, lost } = before;
  switch (what) {
    case 'merged':
      return into && (!merged || isLater(at, merged.at)) ? { ...before, merged: { into, at } } : undefined;
    case 'forgotten':
      return before.forgotten ? undefined : { ...before, forgotten: at };
    case 'deleted':
    case 'restored':
      // The deletion of a record that goes on as another one is part of the merge.
      if (merged && !isSame(of, merged.into)) return undefined;
      if (lost && isSame(lost.of, of) && !isLater(at, lost.at)) return undefined;
      return { ...before, lost: { ...(of ? { of } : {}), at, isBack: what === 'restored' } };
  }
}

/** What is known after a word that was found new. */
export const followed = (before: Whereabouts, fate: Fate): Whereabouts => following(before, fate) ?? before;

/** Whether nothing can be done at the record any more, as of a time (RFC 3339): what is later shows that it lives. */
export const isGone = ({ merged, lost, forgotten }: Whereabouts, at?: string): boolean =>
  forgotten !== undefined ||
  (lost !== undefined && !lost.isBack && isSame(lost.of, merged?.into) && (at === undefined || !isLater(at, lost.at)));

/**
 * When what is owed to a record that is gone is withdrawn once more (RFC 3339): a call that ran when it was first, and came
 * to nothing, waits to be made again.
 */
export const withdrawAgainAt = ({ at }: Fate): string => new Date(Date.parse(at) + WITHDRAW_AGAIN_MS).toISOString();

// Longer than any call may take.
const WITHDRAW_AGAIN_MS = 60_000;

/** Names the timer of that. */
export const WITHDRAW = 'withdraw';

/** Why a step of a record that is gone does nothing. */
export const GONE = { code: 'record-deleted', reason: 'the record was deleted' } as const;

/** The record that is read and written from now on. */
export const goesOnAs = (record: RecordRef, { merged }: Whereabouts): RecordRef => merged?.into ?? record;

/** The subject that events speak of, where it is not the stream's own. */
export const subjectNow = ({ merged }: Whereabouts): { subject?: string } =>
  merged ? { subject: subjectOf(merged.into) } : {};

/** What a reading is for, asked of the record that it is now: another call than the one that was asked before the merge. */
export const purposeNow = (purpose: string, { merged }: Whereabouts): string =>
  merged ? `${purpose}${AT}${merged.into.id}` : purpose;

/** What a reading is for, whichever record it was asked of. */
export const purposeOf = (purpose: string): string => purpose.split(AT)[0] ?? purpose;

/** The record to ask instead, where a reading was asked of another one than it would be asked of now. */
export const askedNow = (purpose: string, { merged }: Whereabouts): RecordRef | undefined =>
  merged && !purpose.endsWith(`${AT}${merged.into.id}`) ? merged.into : undefined;

/** A record, and what became of it. */
export interface RecordFate {
  record: RecordRef;
  fate: Fate;
}

/** What a change says of the fate of records; `at` is its time (RFC 3339). */
export function fatesOfChange({ record, change, merged = [] }: HubspotChange, at: string): RecordFate[] {
  const what = fateIn[change];
  if (what !== undefined) return [{ record, fate: { what, at } }];
  const { type } = record;
  return merged.map((id) => ({ record: { type, id }, fate: { what: 'merged', at, into: record } }));
}

const fateIn: Readonly<Partial<Record<string, Fate['what']>>> = {
  deletion: 'deleted',
  privacyDeletion: 'forgotten',
  restore: 'restored',
};

/** What an event says of the fate of records: of the one that it is about, and of those that go on as it. */
export function fatesOfEvent(event: CrmEvent, about: RecordRef): RecordFate[] {
  if (event.type === 'RecordMerged') {
    const { records, into, at } = event.data;
    return records
      .filter((one) => !isSame(one, into))
      .map((record) => ({ record, fate: { what: 'merged', at, into } }));
  }
  const what = toldBy[event.type];
  if (what === undefined || !('records' in event.data) || !('at' in event.data)) return [];
  const { records, at } = event.data;
  return records.map((record) => ({ record, fate: { what, at, ...(isSame(record, about) ? {} : { of: about }) } }));
}

const toldBy: Readonly<Partial<Record<string, Fate['what']>>> = {
  RecordDeleted: 'deleted',
  RecordErasureAsked: 'forgotten',
  RecordRestored: 'restored',
};

const AT = '@';
const isLater = (one: string, other: string): boolean => Date.parse(one) > Date.parse(other);
const isSame = (one: RecordRef | undefined, other: RecordRef | undefined): boolean =>
  one?.id === other?.id && one?.type === other?.type;
