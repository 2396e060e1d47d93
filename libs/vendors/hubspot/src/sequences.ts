import type { Answer, RecordRef } from '#libs/contracts';
import { z } from 'zod';
import { type Look, type Made, onceOnly, request as call, sorted } from './answering';
import type { Sdk } from './sdk';
import { families } from './versions';

/** An enrolment of a contact in a sequence; `sender` is a connected address of the user. */
export interface SequenceRequest {
  record: RecordRef;
  sequence: { sequence: string; sender: string; user: string };
}

const ENROLMENTS = `${families.sequences.root}/enrollments`;
const NOT_FOUND = 'not-found';
const none: Look = { complete: true };

/** Enrols a contact in a sequence. A repeat asks first whether the contact is in it: another call would write to it twice. */
export function enrol(
  sdk: Sdk,
  { record, sequence }: SequenceRequest,
  isRepeat: boolean,
  signal: AbortSignal,
): Promise<Answer<Made>> {
  const look = async (): Promise<Answer<Look>> => {
    const path = `${ENROLMENTS}/contact/${record.id}`;
    const codes = [{ status: 404, code: NOT_FOUND }];
    const found = await sorted(signal, () => call(sdk, signal, { method: 'GET', path }), { codes });
    if (found.outcome === 'stop' && found.code === NOT_FOUND) return { outcome: 'done', value: none };
    if (found.outcome !== 'done') return found;
    const enrolment = enrolled.safeParse(found.value).data;
    const made = enrolment?.sequenceId === sequence.sequence ? { made: { id: enrolment.id } } : {};
    return { outcome: 'done', value: { ...none, ...made } };
  };
  const make = async (): Promise<Made> => {
    const body = { sequenceId: sequence.sequence, senderEmail: sequence.sender, contactId: record.id };
    const qs = { userId: sequence.user };
    const { id } = created.parse(await call(sdk, signal, { method: 'POST', path: ENROLMENTS, qs, body }));
    return { id };
  };
  return onceOnly(isRepeat, look, () => sorted(signal, make, { forbidden: 'stop' }));
}

const id = z.union([z.string(), z.number()]).transform(String);
const created = z.looseObject({ id });
const enrolled = z.looseObject({ id, sequenceId: id });
