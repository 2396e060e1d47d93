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
  underWay?: { write: number; properties: Record<string, string> };
}

export type RecordInput =
  | { type: 'wanted'; record: RecordRef; properties: Record<string, string>; guard: Guard; because: string }
  | {
      type: 'written';
      record: RecordRef;
      write: number;
      ended: { state: 'done' } | { state: 'dead' | 'held'; code: string };
    };

/**
 * Writes wanted state. One write of a record is under way at a time; what is wanted meanwhile goes into the next one,
 * so changes coalesce and arrive in order, and nothing that was written is written again.
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
    case 'RecordUpdated':
      return { ...state, written: { ...state.written, ...event.data.properties }, underWay: undefined };
    case 'RecordUpdateRejected':
      return { ...state, wanted: withRefused(state.wanted, event.data.properties), underWay: undefined };
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
  return withNextWrite(state, [wanted], input.record);
}

function onWritten(state: RecordState, input: RecordInput & { type: 'written' }): Decision<CrmEvent> {
  const { underWay } = state;
  if (underWay?.write !== input.write) return nothing();
  const ended: CrmEvent =
    input.ended.state === 'done'
      ? { type: 'RecordUpdated', data: underWay }
      : {
          type: 'RecordUpdateRejected',
          data: { ...underWay, code: input.ended.code, reason: 'HubSpot did not take the write' },
        };
  return withNextWrite(state, [ended], input.record);
}

function withNextWrite(before: RecordState, events: CrmEvent[], record: RecordRef): Decision<CrmEvent> {
  const state = events.reduce(evolve, before);
  const properties = outstanding(state);
  if (state.underWay || Object.keys(properties).length === 0) return { events };
  const write = state.writes + 1;
  return {
    events: [...events, { type: 'RecordUpdateOwed', data: { write, properties } }],
    effects: [
      {
        kind: 'hubspot.update',
        purpose: `write-${String(write)}`,
        request: { record, properties },
        orderKey: `${record.type}:${record.id}`,
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
