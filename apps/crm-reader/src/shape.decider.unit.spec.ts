import type { SweepEvent } from '#libs/contracts';
import { given as givenOf } from '../../../libs/process/src/testing/given';
import type { ShapeInput } from './shape.decider';
import { sweepDecider, type SweepInput } from './sweep.decider';

const given = (...history: SweepEvent[]) => givenOf<never, SweepEvent, SweepInput>(sweepDecider as never, ...history);
const hour = 3_600_000;
const noon = '2026-11-22T12:00:00.000Z';
const next = '2026-11-22T13:00:00.000Z';
const part = 'deal';
const asked = (over: object = {}): ShapeInput => ({
  type: 'shape-asked',
  part,
  isScheduled: true,
  at: noon,
  everyMs: hour,
  ...over,
});
const call = (look: number) => ({
  events: [],
  effects: [{ kind: 'hubspot.shape', purpose: `look-${String(look)}`, request: { part }, lane: 'backfill' }],
});
const read = (answer: Record<string, string>, look = 1): ShapeInput => ({
  type: 'shape-read',
  part,
  look,
  ended: { answer },
  at: noon,
  everyMs: hour,
});
const kept = (entries: Record<string, string>): SweepEvent => ({ type: 'ShapeKept', data: { part, entries } });
const looked = (look = 1, over: object = {}): SweepEvent => ({
  type: 'ShapeLooked',
  data: { part, look, next, ...over },
});
const first = { 'property amount': 'number (number)', 'stage default/1': 'New' };

it('looks when the service starts, and leaves to its time what has one', () => {
  expect(given()(asked())).toEqual(call(1));
  expect(given(kept(first), looked())(asked())).toEqual({ events: [] });
  expect(given(kept(first), looked())(asked({ at: '2026-11-22T13:00:01.000Z' }))).toEqual(call(2));
  expect(given(kept(first), looked())(asked({ everyMs: hour / 2 }))).toEqual(call(2));
  expect(given(kept(first), looked())(asked({ isScheduled: false }))).toEqual(call(2));
});

it('keeps what it sees first, and looks again', () => {
  expect(given()(read(first))).toEqual({
    events: [kept(first), looked()],
    timers: [{ name: 'look', due: next }],
    forget: [{ kind: 'hubspot.shape', purpose: 'look-1' }],
  });
});

it('says what is new, gone and other, once', () => {
  const now = { 'property amount': 'string (text)', 'property size': 'number (number)' };
  const changes = [
    { name: 'property amount', from: 'number (number)', to: 'string (text)' },
    { name: 'property size', from: undefined, to: 'number (number)' },
    { name: 'stage default/1', from: 'New', to: undefined },
  ];
  const changed: SweepEvent = { type: 'ShapeChanged', data: { part, changes } };
  expect(given(kept(first), looked())(read(now, 2)).events).toEqual([changed, looked(2)]);
  expect(given(kept(first), looked(), changed, looked(2))(read(now, 3)).events).toEqual([looked(3)]);
});

it('takes the first answer of looks that overlap, and no other', () => {
  expect(given(kept(first), looked())(read({}, 1))).toEqual({ events: [] });
});

it('takes nothing for gone where it could not look, and looks again', () => {
  const refused = { ...read({}, 2), ended: { code: 'missing-scope' } } as ShapeInput;
  expect(given(kept(first), looked())(refused)).toEqual({
    events: [looked(2, { code: 'missing-scope' })],
    timers: [{ name: 'look', due: next }],
    forget: [],
  });
});

it('goes by no timer that counts no more, nor for a part that nobody goes by', () => {
  const time = (due: string, isWanted = true): ShapeInput => ({ type: 'shape-time', part, due, isWanted });
  expect(given(kept(first), looked())(time(next))).toEqual(call(2));
  expect(given(kept(first), looked())(time(noon))).toEqual({ events: [] });
  expect(given(kept(first), looked())(time(next, false))).toEqual({ events: [] });
});
