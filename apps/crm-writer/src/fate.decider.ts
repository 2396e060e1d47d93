import type { CrmEvent, Fate, RecordRef } from '#libs/contracts';
import { type Decision, nothing } from '#libs/process';
import { following, isGone, WITHDRAW, withdrawAgainAt } from '#libs/recipes';
import { callsOf } from './action.decider';
import { evolve, type RecordState } from './record-state';
import { readingsOf, type Wanted } from './step.decider';
import { assignReadings } from './turns';
import { asWanted } from './wishes';
import { withNextWrite, writeUnderWay } from './writes';

/** What became of the record, or which records go on as it. */
export type FateInput =
  | { type: 'followed'; record: RecordRef; fate: Fate }
  | { type: 'took-over'; records: readonly RecordRef[] }
  /** Time to withdraw once more what waits for a record that is gone. */
  | { type: 'withdraw' };

export function onFate(state: RecordState, input: FateInput): Decision<CrmEvent> {
  switch (input.type) {
    case 'followed':
      return onFollowed(state, input.record, input.fate);
    case 'took-over':
      return onTookOver(state, input.records);
    case 'withdraw':
      return isGone(state.where) ? { events: [], ...cancelled(state) } : nothing();
  }
}

function onFollowed(state: RecordState, record: RecordRef, fate: Fate): Decision<CrmEvent> {
  if (!following(state.where, fate)) return nothing();
  const { what, at, into } = fate;
  const records = [record, ...state.others];
  switch (what) {
    case 'merged':
      return into ? onMerged(state, { records, into, at }) : nothing();
    case 'restored':
      return withNextWrite(state, [{ type: 'RecordRestored', data: { records, at } }], record);
    case 'deleted':
      return { events: [{ type: 'RecordDeleted', data: { records, at } }], ...withdrawn(state, fate) };
    case 'forgotten':
      return { events: [{ type: 'RecordErasureAsked', data: { records, at } }], ...withdrawn(state, fate) };
  }
}

/** What was not written yet, and the dates that did not come yet, are the other record's from now on. */
function onMerged(state: RecordState, data: { records: RecordRef[]; into: RecordRef; at: string }) {
  const merged: CrmEvent = { type: 'RecordMerged', data };
  const { wanted, written, dates } = state;
  // What was refused may have been so because the record was gone already.
  const open = Object.entries(wanted).filter(([name, { value }]) => (name in written ? written[name] : '') !== value);
  const handed = handedOn(
    data.into,
    asWanted(
      wanted,
      open.map(([name]) => name),
    ),
    waitingFor(dates),
  );
  const supersede = writeUnderWay(state);
  return { events: [merged, ...handed], ...(supersede.length > 0 ? { supersede } : {}) };
}

type HandedOn = Extract<CrmEvent, { type: 'RecordHandedOn' }>;
type HandedDate = HandedOn['data']['dates'][number];

const waitingFor = (dates: RecordState['dates']): HandedDate[] =>
  Object.entries(dates)
    .filter(([, { dueAt, reached }]) => dueAt !== undefined && !reached)
    .map(([recipe, { property, value, saidAt }]) => ({ recipe, property, value, saidAt }));

/** Hands on what is wanted of a record to the one that it goes on as. */
export function handedOn(into: RecordRef, wanted: readonly Wanted[], said: readonly HandedDate[]): HandedOn[] {
  const wishes = [...wanted];
  const dates = said.map(({ recipe, property, value, saidAt }) => ({ recipe, property, value, saidAt }));
  return wishes.length + dates.length > 0 ? [{ type: 'RecordHandedOn', data: { into, wishes, dates } }] : [];
}

// What runs already runs on: the CRM has no such record any more.
function cancelled(state: RecordState): Pick<Decision<CrmEvent>, 'supersede'> {
  const supersede = [
    ...writeUnderWay(state),
    ...callsOf(state.actions),
    ...[...readingsOf(state.steps), ...assignReadings(state.turns.assignments)].map(reading),
  ];
  return supersede.length > 0 ? { supersede } : {};
}

const withdrawn = (state: RecordState, fate: Fate): Pick<Decision<CrmEvent>, 'supersede' | 'timers'> => {
  const { supersede } = cancelled(state);
  return supersede ? { supersede, timers: [{ name: WITHDRAW, due: withdrawAgainAt(fate) }] } : {};
};

const reading = (purpose: string) => ({ kind: 'hubspot.read', purpose });

/** Records that go on as this one share its fate, whatever it was before or is later. */
function onTookOver(before: RecordState, all: readonly RecordRef[]): Decision<CrmEvent> {
  const records = all.filter((one) => !before.others.some((other) => other.id === one.id));
  if (records.length === 0) return nothing();
  const took: CrmEvent = { type: 'RecordTookOver', data: { records } };
  const { merged, lost, forgotten } = evolve(before, took).where;
  const events: CrmEvent[] = [took];
  const others = records.filter(({ id }) => id !== merged?.into.id);
  if (merged && others.length > 0)
    events.push({ type: 'RecordMerged', data: { records: others, into: merged.into, at: merged.at } });
  if (forgotten !== undefined) events.push({ type: 'RecordErasureAsked', data: { records, at: forgotten } });
  else if (lost && isGone(before.where)) events.push({ type: 'RecordDeleted', data: { records, at: lost.at } });
  return { events };
}
