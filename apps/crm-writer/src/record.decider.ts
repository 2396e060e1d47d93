import type { CrmEvent, Guard, RecordRef } from '#libs/contracts';
import { type Decider, type Decision, nothing } from '#libs/process';

/** What one property should say, and whose wish that is. */
interface Wish {
  value: string;
  guard: Guard;
  /** HubSpot refused this very value: it is not sent again. */
  refused: boolean;
}

/** What a CRM record should say, what was written to it, and the one write that is under way. */
export interface RecordState {
  wanted: Readonly<Record<string, Wish>>;
  written: Readonly<Record<string, string>>;
  writes: number;
  underWay?: {
    write: number;
    properties: Record<string, string>;
    /** An older write may undo it. */ doubted?: boolean;
  };
}

export type RecordInput =
  | { type: 'wanted'; record: RecordRef; properties: Record<string, string>; guard: Guard; because: string }
  | {
      type: 'written';
      record: RecordRef;
      write: number;
      ended: Ended;
    };

/**
 * How a write ended. `superseded`: it never began; `owedAt` was its place in the queue. `late`: no end, but a given-up
 * attempt of it was answered after all, so it may have come to HubSpot after a newer write.
 */
export type Ended =
  | { state: 'done' }
  | { state: 'late' }
  | { state: 'dead' | 'held'; code: string }
  | { state: 'superseded'; owedAt?: string };

/**
 * Writes wanted state. One write of a record is under way at a time; what is wanted meanwhile goes into the next one,
 * so changes coalesce and arrive in order, and nothing that was written is written again. A write that still waits,
 * for a limit say, gives way to one of the newest wanted state, which takes its place in the queue.
 */
export const recordDecider: Decider<RecordState, CrmEvent, RecordInput> = {
  initial: { wanted: {}, written: {}, writes: 0 },
  evolve,
  decide: (state, input) => (input.type === 'wanted' ? onWanted(state, input) : onWritten(state, input)),
};

function evolve(state: RecordState, event: CrmEvent): RecordState {
  switch (event.type) {
    case 'RecordChangeWanted': {
      const { properties, guard } = event.data;
      const wishes = Object.entries(properties).map(([name, value]) => [name, { value, guard, refused: false }]);
      return { ...state, wanted: { ...state.wanted, ...(Object.fromEntries(wishes) as Record<string, Wish>) } };
    }
    case 'RecordUpdateOwed':
      return { ...state, writes: event.data.write, underWay: event.data };
    case 'RecordUpdated': {
      const { underWay, written } = state;
      return {
        ...state,
        written: underWay?.doubted ? {} : { ...written, ...event.data.properties },
        underWay: undefined,
      };
    }
    case 'RecordUpdateRejected':
      return { ...state, wanted: withRefused(state.wanted, event.data.properties), underWay: undefined };
    case 'RecordUpdateSuperseded':
      return { ...state, underWay: undefined };
    case 'RecordUpdateDoubted':
      return { ...state, written: {}, underWay: state.underWay && { ...state.underWay, doubted: true } };
  }
}

const withRefused = (wanted: RecordState['wanted'], properties: Record<string, string>): RecordState['wanted'] =>
  Object.fromEntries(
    Object.entries(wanted).map(([name, wish]) => [
      name,
      properties[name] === wish.value ? { ...wish, refused: true } : wish,
    ]),
  );

function onWanted(state: RecordState, input: RecordInput & { type: 'wanted' }): Decision<CrmEvent> {
  const newer = Object.entries(input.properties).filter(([name, value]) => {
    const wish = state.wanted[name];
    // The same wish with another value is the same event read by mended code.
    return !wish || precedes(wish.guard, input.guard) || (equal(wish.guard, input.guard) && wish.value !== value);
  });
  if (newer.length === 0) return nothing();
  const wanted: CrmEvent = {
    type: 'RecordChangeWanted',
    data: { properties: Object.fromEntries(newer), guard: input.guard, because: input.because },
  };
  const { underWay } = state;
  const { properties } = input;
  const differs = underWay && newer.some(([name]) => properties[name] !== underWay.properties[name]);
  return differs
    ? { events: [wanted], supersede: [{ kind: UPDATE, purpose: purposeOf(underWay.write) }] }
    : withNextWrite(state, [wanted], input.record);
}

const UPDATE = 'hubspot.update';
const purposeOf = (write: number): string => `write-${String(write)}`;

function onWritten(state: RecordState, input: RecordInput & { type: 'written' }): Decision<CrmEvent> {
  const { underWay } = state;
  const { ended, write, record } = input;
  if (ended.state === 'late') return onLate(state, write, record);
  if (underWay?.write !== write) return nothing();
  const { properties } = underWay;
  switch (ended.state) {
    case 'done':
      return withNextWrite(state, [{ type: 'RecordUpdated', data: { write, properties } }], record);
    case 'superseded':
      return withNextWrite(state, [{ type: 'RecordUpdateSuperseded', data: { write } }], record, ended.owedAt);
    default: {
      const reason = 'HubSpot did not take the write';
      const data = { write, properties, code: ended.code, reason };
      return withNextWrite(state, [{ type: 'RecordUpdateRejected', data }], record);
    }
  }
}

// An older write may have undone newer ones: everything wanted is written once more (protocol 17).
function onLate(state: RecordState, write: number, record: RecordRef): Decision<CrmEvent> {
  if (write >= state.writes) return nothing();
  return withNextWrite(state, [{ type: 'RecordUpdateDoubted', data: { write } }], record);
}

function withNextWrite(
  before: RecordState,
  events: CrmEvent[],
  record: RecordRef,
  owedSince?: string,
): Decision<CrmEvent> {
  const state = events.reduce(evolve, before);
  const properties = outstanding(state);
  if (state.underWay || Object.keys(properties).length === 0) return { events };
  const write = state.writes + 1;
  return {
    events: [...events, { type: 'RecordUpdateOwed', data: { write, properties } }],
    effects: [
      {
        kind: UPDATE,
        purpose: purposeOf(write),
        request: { record, properties },
        orderKey: `${record.type}:${record.id}`,
        ...(owedSince === undefined ? {} : { owedSince }),
      },
    ],
  };
}

const outstanding = ({ wanted, written }: RecordState): Record<string, string> =>
  Object.fromEntries(
    Object.entries(wanted)
      // What was never written is as good as empty.
      .filter(([name, wish]) => !wish.refused && (written[name] ?? '') !== wish.value)
      .map(([name, wish]) => [name, wish.value]),
  );

/** Whether a wish is older than another: by trigger time, then number, then rank of state (protocol 16). */
function precedes(older: Guard, newer: Guard): boolean {
  const byTime = Date.parse(older.at) - Date.parse(newer.at);
  if (byTime !== 0) return byTime < 0;
  if (older.number !== newer.number) return older.number < newer.number;
  return older.rank < newer.rank;
}

const equal = (one: Guard, other: Guard): boolean => !precedes(one, other) && !precedes(other, one);
