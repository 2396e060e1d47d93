import { type CrmEvent, ONE_OF_SEVERAL, type RecordRef } from '#libs/contracts';
import { type Decision, nothing } from '#libs/process';
import { isGone } from '#libs/recipes';
import { compare, type Doubts, readBackAt } from './read-back';
import { ERASED, evolve, type RecordState } from './record-state';
import { recipesOf, together, valuesOf } from './wishes';

/** What comes back of a write. */
export type WriteInput =
  | { type: 'written'; record: RecordRef; write: number; at: string; ended: Ended }
  /** Time to read back, if the write is the newest still. */
  | { type: 'read-due'; record: RecordRef; write: number }
  /** `properties` are absent where the record could not be read. */
  | { type: 'read'; record: RecordRef; write: number; properties?: Record<string, string | null> };

/**
 * How a write ended. `superseded`: it still waited, or waited to be repeated; `owedAt` was its place in the queue. `late`: no end, but a given-up
 * attempt of it was answered after all, so it may have come to HubSpot after a newer write. `unsure`: a call of it was
 * repeated, not knowing whether it had been obeyed, and may arrive late.
 */
export type Ended =
  | { state: 'done'; unsure?: true }
  | { state: 'late' | 'erased' }
  | { state: 'dead' | 'held'; code: string; unsure?: true }
  | { state: 'superseded'; owedAt?: string; unsure?: true };

export const UPDATE = 'hubspot.update';
const purposeFor = (write: number): string => `write-${String(write)}`;

// As HubSpot says that it has no such record.
const NO_RECORD: ReadonlySet<string> = new Set(['http-404', 'OBJECT_NOT_FOUND', 'record-missing']);

/** HubSpot's own word and what it is about, but nobody's values. */
const reasonOf = (code: string, properties: Record<string, string>): string =>
  NO_RECORD.has(code)
    ? `HubSpot has no such record: resource not found (${code})`
    : `HubSpot did not take ${Object.keys(properties).join(', ')}: ${code}`;

/** The write that is under way, as something that is wanted no longer. */
export const writeUnderWay = ({ underWay }: RecordState): { kind: string; purpose: string }[] =>
  underWay ? [{ kind: UPDATE, purpose: purposeFor(underWay.write) }] : [];

/** Whether nothing may be written here: it is written where the record goes on, later, or never. */
const isBarred = ({ where }: RecordState): boolean => where.merged !== undefined || isGone(where);

export function onWrite(state: RecordState, input: WriteInput): Decision<CrmEvent> {
  switch (input.type) {
    case 'written':
      return onWritten(state, input);
    case 'read-due':
      return onReadDue(state, input);
    case 'read':
      return onRead(state, input);
  }
}

function onWritten(state: RecordState, input: WriteInput & { type: 'written' }): Decision<CrmEvent> {
  if (input.ended.state === 'late') return onLate(state, input.write, input.record);
  if (state.underWay?.write !== input.write) return nothing();
  const decision = onEnd(state, state.underWay.properties, input);
  const after = decision.events.reduce(evolve, state);
  // The newest write has ended: whatever may still come late is looked for once, when it can come no more.
  if (after.underWay || isEmpty(after.doubts) || isBarred(after)) return decision;
  return { ...decision, timers: [{ name: readBackOf(after.writes), due: readBackAt(input.at) }] };
}

function onEnd(
  state: RecordState,
  properties: Record<string, string>,
  { ended, write, record, at }: WriteInput & { type: 'written' },
): Decision<CrmEvent> {
  const unsure = 'unsure' in ended && ended.unsure ? { unsure: ended.unsure } : {};
  // What was refused says nothing of the wishes: they stand elsewhere, or until the record is back.
  if (isBarred(state) && ended.state !== 'done' && ended.state !== 'erased')
    return { events: [{ type: 'RecordUpdateSuperseded', data: { write, ...unsure } }] };
  switch (ended.state) {
    case 'done': {
      const data = { write, properties, ...unsure, writtenAt: at, ...beforeOf(state, properties) };
      return withNextWrite(state, [{ type: 'RecordUpdated', data }], record);
    }
    case 'superseded':
      return withNextWrite(
        state,
        [{ type: 'RecordUpdateSuperseded', data: { write, ...unsure } }],
        record,
        ended.owedAt,
      );
    case 'erased': {
      // Nothing that was wanted until now is written any more.
      const all = { ...properties, ...outstanding(state) };
      const data = { write, properties: all, code: ERASED, reason: 'its subject was erased' };
      return withNextWrite(state, [{ type: 'RecordUpdateRejected', data }], record);
    }
    case 'dead':
    case 'held': {
      if (ended.code === ONE_OF_SEVERAL)
        return withNextWrite(state, [{ type: 'RecordUpdateSplit', data: { write, properties, ...unsure } }], record);
      const data = { write, properties, code: ended.code, reason: reasonOf(ended.code, properties), ...unsure };
      return withNextWrite(state, [{ type: 'RecordUpdateRejected', data }], record);
    }
    case 'late':
      return nothing();
  }
}

function beforeOf({ known }: RecordState, properties: Record<string, string>) {
  const before = Object.entries(known).filter(([name]) => name in properties);
  return before.length > 0 ? { before: Object.fromEntries(before) } : {};
}

const readBackOf = (write: number): string => `read-back-${String(write)}`;
const isEmpty = (doubts: Doubts): boolean => Object.keys(doubts).length === 0;

// A newer write meanwhile sets the time anew when it has ended.
const isNewest = (state: RecordState, write: number): boolean =>
  !state.underWay && state.writes === write && !isBarred(state);

function onReadDue(state: RecordState, { record, write }: WriteInput & { type: 'read-due' }): Decision<CrmEvent> {
  if (!isNewest(state, write) || isEmpty(state.doubts)) return nothing();
  const request = { record, properties: Object.keys(state.doubts).sort(), notes: 0 };
  return { events: [], effects: [{ kind: 'hubspot.read', purpose: readBackOf(write), request }] };
}

function onRead(state: RecordState, input: WriteInput & { type: 'read' }): Decision<CrmEvent> {
  const { record, write, properties } = input;
  if (!properties || !isNewest(state, write) || isEmpty(state.doubts)) return nothing();
  const found = compare(state.doubts, valuesOf(state.wanted), properties);
  return withNextWrite(state, [{ type: 'RecordReadBack', data: { write, ...found } }], record);
}

// An older write may have undone newer ones: everything wanted is written once more (protocol 17).
function onLate(state: RecordState, write: number, record: RecordRef): Decision<CrmEvent> {
  if (write >= state.writes || isBarred(state)) return nothing();
  return withNextWrite(state, [{ type: 'RecordUpdateDoubted', data: { write } }], record);
}

/** These events, and the write that is due after them. */
export function withNextWrite(
  before: RecordState,
  events: CrmEvent[],
  record: RecordRef,
  owedSince?: string,
): Decision<CrmEvent> {
  const state = events.reduce(evolve, before);
  const properties = together(state.wanted, outstanding(state));
  if (state.underWay || isBarred(state) || Object.keys(properties).length === 0) return { events };
  const write = state.writes + 1;
  return {
    events: [...events, { type: 'RecordUpdateOwed', data: { write, properties } }],
    effects: [
      {
        kind: UPDATE,
        purpose: purposeFor(write),
        request: { record, properties },
        orderKey: `${record.type}:${record.id}`,
        ...(owedSince === undefined ? {} : { owedSince }),
        ...recipesOf(state.wanted, Object.keys(properties)),
      },
    ],
  };
}

/** What is wanted and was not written. */
export const outstanding = ({ wanted, written }: RecordState): Record<string, string> =>
  Object.fromEntries(
    // What was never written is as good as empty.
    Object.entries(valuesOf(wanted)).filter(([name, value]) => (name in written ? written[name] : '') !== value),
  );
