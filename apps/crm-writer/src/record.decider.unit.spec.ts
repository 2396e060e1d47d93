import type { CrmEvent, Guard } from '#libs/contracts';
import fc from 'fast-check';
import { given as givenOf } from '../../../libs/process/src/testing/given';
import { recordDecider, type RecordInput, type RecordState } from './record.decider';

const given = (...history: CrmEvent[]) => givenOf(recordDecider, ...history);
const record = { type: 'contact', id: '7' };
const guard = (rank: number, number = 1, at = '2026-11-21T10:00:00.000Z'): Guard => ({ at, number, rank });

const want = (properties: Record<string, string>, g: Guard): RecordInput => ({
  type: 'wanted',
  record,
  properties,
  guard: g,
  because: 'test',
});
const wanted = (properties: Record<string, string>, g: Guard): CrmEvent => ({
  type: 'RecordChangeWanted',
  data: { properties, guard: g, because: 'test' },
});
const owed = (write: number, properties: Record<string, string>): CrmEvent => ({
  type: 'RecordUpdateOwed',
  data: { write, properties },
});
const updated = (write: number, properties: Record<string, string>): CrmEvent => ({
  type: 'RecordUpdated',
  data: { write, properties },
});
const update = (write: number, properties: Record<string, string>) => ({
  kind: 'hubspot.update',
  purpose: `write-${String(write)}`,
  request: { record, properties },
  orderKey: 'contact:7',
});

const pending = { status: 'PENDING' };
const done = { status: 'COMPLETED', url: 'u' };

it('writes what is wanted', () => {
  expect(given()(want(pending, guard(1)))).toEqual({
    events: [wanted(pending, guard(1)), owed(1, pending)],
    effects: [update(1, pending)],
  });
});

it('keeps one write under way: what is wanted meanwhile waits and then goes in one', () => {
  const underWay = [wanted(pending, guard(1)), owed(1, pending)];
  expect(given(...underWay)(want(done, guard(3)))).toEqual({
    events: [wanted(done, guard(3))],
    supersede: [{ kind: 'hubspot.update', purpose: 'write-1' }],
  });
  const more = [...underWay, wanted(done, guard(3)), wanted({ score: '90' }, guard(3))];
  const all = { ...done, score: '90' };
  expect(given(...more)({ type: 'written', record, write: 1, ended: { state: 'done' } })).toEqual({
    events: [updated(1, pending), owed(2, all)],
    effects: [update(2, all)],
  });
});

it('writes the newest wanted state in the place of a write that was still waiting', () => {
  const waiting = [wanted(pending, guard(1)), owed(1, pending), wanted(done, guard(3))];
  const owedAt = '2026-11-21T10:00:00.000Z';
  const superseded: RecordInput = { type: 'written', record, write: 1, ended: { state: 'superseded', owedAt } };
  expect(given(...waiting)(superseded)).toEqual({
    events: [{ type: 'RecordUpdateSuperseded', data: { write: 1 } }, owed(2, done)],
    effects: [{ ...update(2, done), owedSince: owedAt }],
  });
});

it('leaves a waiting write alone that says already what is wanted', () => {
  const again = guard(1, 2, '2026-11-22T10:00:00.000Z');
  expect(given(wanted(pending, guard(1)), owed(1, pending))(want(pending, again))).toEqual({
    events: [wanted(pending, again)],
  });
});

it('writes everything wanted again when an older write may have come after a newer one', () => {
  const late: RecordInput = { type: 'written', record, write: 1, ended: { state: 'late' } };
  const both = [
    wanted(pending, guard(1)),
    owed(1, pending),
    updated(1, pending),
    wanted(done, guard(3)),
    owed(2, done),
  ];
  const doubted: CrmEvent = { type: 'RecordUpdateDoubted', data: { write: 1 } };
  expect(given(...both, updated(2, done))(late)).toEqual({
    events: [doubted, owed(3, done)],
    effects: [update(3, done)],
  });
  // While the newer one is under way it is in doubt too, and written again once it has ended.
  expect(given(...both)(late)).toEqual({ events: [doubted] });
  expect(given(...both, doubted)({ type: 'written', record, write: 2, ended: { state: 'done' } })).toEqual({
    events: [updated(2, done), owed(3, done)],
    effects: [update(3, done)],
  });
  // A late answer of the newest write itself changes nothing.
  expect(given(...both.slice(0, 3))(late)).toEqual({ events: [] });
});

it('never lets a late PENDING overwrite COMPLETED', () => {
  const history = [wanted(done, guard(3)), owed(1, done), updated(1, done)];
  expect(given(...history)(want(pending, guard(1)))).toEqual({ events: [] });
});

it('never lets an older render’s late COMPLETED overwrite a newer one', () => {
  const history = [wanted({ url: 'new' }, guard(3, 2, '2026-11-22T10:00:00.000Z')), owed(1, { url: 'new' })];
  expect(given(...history)(want({ url: 'old' }, guard(3, 1)))).toEqual({ events: [] });
});

it('takes the same wish with another value: the same event, read by mended code', () => {
  const history = [wanted({ url: 'wrong' }, guard(3)), owed(1, { url: 'wrong' }), updated(1, { url: 'wrong' })];
  expect(given(...history)(want({ url: 'right' }, guard(3))).effects).toEqual([update(2, { url: 'right' })]);
  expect(given(...history)(want({ url: 'wrong' }, guard(3)))).toEqual({ events: [] });
});

it('writes nothing that is written already', () => {
  const history = [wanted(done, guard(3)), owed(1, done), updated(1, done)];
  const again = guard(3, 2, '2026-11-22T10:00:00.000Z');
  expect(given(...history)(want(done, again))).toEqual({ events: [wanted(done, again)] });
});

it('clears what was written, and writes no emptiness where nothing was', () => {
  const none = { error: '' };
  expect(given()(want({ ...done, ...none }, guard(3))).effects).toEqual([update(1, done)]);
  const history = [wanted({ error: 'x' }, guard(2)), owed(1, { error: 'x' }), updated(1, { error: 'x' })];
  expect(given(...history)(want(none, guard(3))).effects).toEqual([update(2, none)]);
});

it('gives up a refused value, not the properties beside it that change later', () => {
  const refusal: RecordInput = { type: 'written', record, write: 1, ended: { state: 'dead', code: 'INVALID_OPTION' } };
  const history = [wanted(pending, guard(1)), owed(1, pending)];
  const rejected = given(...history)(refusal);
  expect(rejected).toEqual({
    events: [
      {
        type: 'RecordUpdateRejected',
        data: { write: 1, properties: pending, code: 'INVALID_OPTION', reason: 'HubSpot did not take the write' },
      },
    ],
  });
  expect(given(...history, ...rejected.events)(want(done, guard(3))).effects).toEqual([update(2, done)]);
});

it('ignores the end of a write that is not under way', () => {
  expect(given()({ type: 'written', record, write: 4, ended: { state: 'done' } })).toEqual({ events: [] });
});

// Whatever the order in which wishes and ends of writes arrive: the newest wish of every property is what HubSpot has
// in the end, each write differs from what was there, and no two writes are under way at once.
it('ends with the newest wishes written, in any order of inputs', () => {
  const wish = fc.record({
    name: fc.constantFrom('a', 'b', 'c'),
    value: fc.constantFrom('1', '2', '3'),
    number: fc.integer({ min: 1, max: 4 }),
    rank: fc.integer({ min: 1, max: 3 }),
  });
  const step = fc.oneof(wish, fc.constant('write ends' as const));
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
      let state: RecordState = recordDecider.initial;
      const portal: Record<string, string> = {};
      const newest: Record<string, { value: string; order: number }> = {};
      const feed = (input: RecordInput) => {
        const decision = recordDecider.decide(state, input);
        expect((decision.effects ?? []).length).toBeLessThanOrEqual(1);
        state = decision.events.reduce(recordDecider.evolve, state);
      };
      const endWrite = () => {
        if (!state.underWay) return;
        for (const [name, value] of Object.entries(state.underWay.properties)) {
          expect(portal[name]).not.toBe(value);
          portal[name] = value;
        }
        feed({ type: 'written', record, write: state.underWay.write, ended: { state: 'done' } });
      };
      for (const s of steps) {
        if (s === 'write ends') {
          endWrite();
          continue;
        }
        const order = s.number * 10 + s.rank;
        const known = newest[s.name];
        if (!known || order >= known.order) newest[s.name] = { value: s.value, order };
        feed(want({ [s.name]: s.value }, guard(s.rank, s.number)));
      }
      while (state.underWay) endWrite();
      expect(portal).toEqual(Object.fromEntries(Object.entries(newest).map(([name, n]) => [name, n.value])));
    }),
  );
});
