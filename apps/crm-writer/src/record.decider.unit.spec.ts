import type { CrmEvent, Guard } from '#libs/contracts';
import fc from 'fast-check';
import { given as givenOf } from '../../../libs/process/src/testing/given';
import { recordDecider, type RecordInput } from './record.decider';
import type { RecordState } from './record-state';
import type { Ended } from './writes';

const given = (...history: CrmEvent[]) => givenOf(recordDecider, ...history);
const AT = '2026-11-21T10:00:00.000Z';
const record = { type: 'contact', id: '7' };
const guard = (rank: number, number = 1, at = '2026-11-21T10:00:00.000Z'): Guard => ({ at, number, rank });

const want = (properties: Record<string, string>, g: Guard): RecordInput => ({
  type: 'told',
  record,
  wishes: [{ properties, guard: g, because: 'test' }],
  steps: [],
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
/** As it is said when the write ends: see {@link end}. */
const updatedNow = (write: number, properties: Record<string, string>, more: object = {}): CrmEvent => ({
  type: 'RecordUpdated',
  data: { write, properties, writtenAt: AT, ...more },
});
const update = (write: number, properties: Record<string, string>) => ({
  kind: 'hubspot.update',
  purpose: `write-${String(write)}`,
  request: { record, properties },
  orderKey: 'contact:7',
});

const end = (write: number, ended: Ended): RecordInput => ({ type: 'written', record, write, at: AT, ended });

const pending = { status: 'PENDING' };
const done = { status: 'COMPLETED', url: 'u' };

it('says what the record said before, as far as that was known, and as of when', () => {
  const earlier = '2026-11-20T08:00:00.000Z';
  const before = { status: { value: 'PENDING', at: earlier }, url: { value: null, at: earlier } };
  const written: CrmEvent = { type: 'RecordUpdated', data: { write: 1, properties: pending, writtenAt: earlier } };
  const read: CrmEvent = {
    type: 'RecordChangeWanted',
    data: { properties: { ...done, score: '9' }, guard: guard(3), because: 'test', known: { url: before.url } },
  };
  const all = { ...done, score: '9' };
  const history = [wanted(pending, guard(1)), owed(1, pending), written, read, owed(2, all)];
  expect(given(...history)(end(2, { state: 'done' })).events).toEqual([updatedNow(2, all, { before })]);
});

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
  expect(given(...more)(end(1, { state: 'done' }))).toEqual({
    events: [updatedNow(1, pending), owed(2, all)],
    effects: [update(2, all)],
  });
});

it('writes the newest wanted state in the place of a write that was still waiting', () => {
  const waiting = [wanted(pending, guard(1)), owed(1, pending), wanted(done, guard(3))];
  const owedAt = '2026-11-21T10:00:00.000Z';
  const superseded: RecordInput = end(1, { state: 'superseded', owedAt });
  expect(given(...waiting)(superseded)).toEqual({
    events: [{ type: 'RecordUpdateSuperseded', data: { write: 1 } }, owed(2, done)],
    effects: [{ ...update(2, done), owedSince: owedAt }],
  });
});

it('writes again what it wrote before, where a write that gave way may have been obeyed by a call of unknown outcome', () => {
  const first = [wanted(done, guard(3)), owed(1, done), updated(1, done)];
  const again = { status: 'PENDING', job: 'j2' };
  const next = [wanted(again, guard(0, 2)), owed(2, again), wanted({ status: 'COMPLETED' }, guard(3, 2))];
  const unsure = { unsure: true } as const;
  const both = { status: 'COMPLETED', job: 'j2' };
  expect(given(...first, ...next)(end(2, { state: 'superseded', ...unsure }))).toEqual({
    events: [{ type: 'RecordUpdateSuperseded', data: { write: 2, ...unsure } }, owed(3, both)],
    effects: [update(3, both)],
  });
  // It may still come: the record is read back behind the newest write.
  const superseded: CrmEvent = { type: 'RecordUpdateSuperseded', data: { write: 2, ...unsure } };
  expect(given(...first, ...next, superseded, owed(3, both))(end(3, { state: 'done' })).timers).toEqual([
    { name: 'read-back-3', due: expect.any(String) as string },
  ]);
  // One that never began changed nothing.
  const job = { job: 'j2' };
  expect(given(...first, ...next)(end(2, { state: 'superseded' })).events[1]).toEqual(owed(3, job));
});

it('leaves a waiting write alone that says already what is wanted', () => {
  const again = guard(1, 2, '2026-11-22T10:00:00.000Z');
  expect(given(wanted(pending, guard(1)), owed(1, pending))(want(pending, again))).toEqual({
    events: [wanted(pending, again)],
  });
});

it('writes everything wanted again when an older write may have come after a newer one', () => {
  const late: RecordInput = end(1, { state: 'late' });
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
  expect(given(...both, doubted)(end(2, { state: 'done' }))).toEqual({
    events: [updatedNow(2, done), owed(3, done)],
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
  const refusal: RecordInput = end(1, { state: 'dead', code: 'INVALID_OPTION' });
  const history = [wanted(pending, guard(1)), owed(1, pending)];
  const rejected = given(...history)(refusal);
  expect(rejected).toEqual({
    events: [
      {
        type: 'RecordUpdateRejected',
        data: {
          write: 1,
          properties: pending,
          code: 'INVALID_OPTION',
          reason: 'HubSpot did not take status: INVALID_OPTION',
        },
      },
    ],
  });
  expect(given(...history, ...rejected.events)(want(done, guard(3))).effects).toEqual([update(2, done)]);
});

describe('a write of several values of which HubSpot refuses one', () => {
  const several = { score: '7', nonsense: 'x', url: 'u' };
  const refusal: Ended = { state: 'dead', code: 'one-of-several-refused' };
  const split: CrmEvent = { type: 'RecordUpdateSplit', data: { write: 1, properties: several } };
  const history = [wanted(several, guard(3)), owed(1, several)];
  const splitted = [...history, split, owed(2, { score: '7' })];
  const refused = (write: number, properties: Record<string, string>): CrmEvent => ({
    type: 'RecordUpdateRejected',
    data: {
      write,
      properties,
      code: 'PROPERTY_DOESNT_EXIST',
      reason: `HubSpot did not take ${Object.keys(properties).join(', ')}: PROPERTY_DOESNT_EXIST`,
    },
  });
  const nonsense = { nonsense: 'x' };
  const all = [...splitted, updated(2, { score: '7' }), owed(3, nonsense), refused(3, nonsense), owed(4, { url: 'u' })];

  it('is written value by value: the others arrive, and only the one is given up', () => {
    expect(given(...history)(end(1, refusal))).toEqual({
      events: [split, owed(2, { score: '7' })],
      effects: [update(2, { score: '7' })],
    });
    const next = given(...splitted)(end(2, { state: 'done' }));
    expect(next).toEqual({
      events: [updatedNow(2, { score: '7' }), owed(3, nonsense)],
      effects: [update(3, nonsense)],
    });
    const given3 = given(...splitted, ...next.events);
    expect(given3(end(3, { state: 'dead', code: 'PROPERTY_DOESNT_EXIST' }))).toEqual({
      events: [refused(3, nonsense), owed(4, { url: 'u' })],
      effects: [update(4, { url: 'u' })],
    });
    expect(given(...all)(end(4, { state: 'done' })).events).toEqual([updatedNow(4, { url: 'u' })]);
  });

  it('writes what comes later together again, and the refused property by itself behind it', () => {
    const later = { score: '8', nonsense: 'y', url: 'v' };
    const { events, effects } = given(
      ...all,
      updated(4, { url: 'u' }),
    )(want(later, guard(3, 2, '2026-11-22T10:00:00.000Z')));
    expect(effects).toEqual([update(5, { score: '8', url: 'v' })]);
    const then = given(...all, updated(4, { url: 'u' }), ...events)(end(5, { state: 'done' }));
    expect(then.effects).toEqual([update(6, { nonsense: 'y' })]);
  });

  it('writes what is wanted meanwhile first, and nothing of it twice', () => {
    const more = given(...splitted)(want({ other: 'o' }, guard(3)));
    expect(more.events).toEqual([wanted({ other: 'o' }, guard(3))]);
    const next = given(...splitted, ...more.events)(end(2, { state: 'done' }));
    expect(next.effects).toEqual([update(3, { other: 'o' })]);
  });
});

it('ignores the end of a write that is not under way', () => {
  expect(given()(end(4, { state: 'done' }))).toEqual({ events: [] });
});

it('clears again, too, what an older write may have set back', () => {
  const [x, none] = [{ error: 'x' }, { error: '' }];
  const history = [
    wanted(x, guard(2)),
    owed(1, x),
    updated(1, x),
    wanted(none, guard(3)),
    owed(2, none),
    updated(2, none),
  ];
  expect(given(...history)(end(1, { state: 'late' })).effects).toEqual([update(3, none)]);
});

it('gives up all that was wanted when its subject is erased, and decides normally what comes then', () => {
  const history = [wanted(pending, guard(1)), owed(1, pending), wanted(done, guard(3))];
  const erased = given(...history)(end(1, { state: 'erased' }));
  const data = { write: 1, properties: done, code: 'erased', reason: 'its subject was erased' };
  expect(erased).toEqual({ events: [{ type: 'RecordUpdateRejected', data }] });
  const later = want({ score: '90' }, guard(3));
  expect(given(...history, ...erased.events)(later).effects).toEqual([update(2, { score: '90' })]);
});

describe('after a write whose outcome was unknown for a while', () => {
  const timer = (write: number) => ({ name: `read-back-${String(write)}`, due: '2026-11-21T10:00:24.000Z' });
  const due = (write: number): RecordInput => ({ type: 'read-due', record, write });
  const readBack = (write: number, ...properties: string[]) => ({
    kind: 'hubspot.read',
    purpose: `read-back-${String(write)}`,
    request: { record, properties, notes: 0 },
  });
  const read = (write: number, properties?: Record<string, string | null>): RecordInput => ({
    type: 'read',
    record,
    write,
    properties,
  });
  const unsurely = (write: number, properties: Record<string, string>): CrmEvent => ({
    type: 'RecordUpdated',
    data: { write, properties, unsure: true },
  });
  const found = (write: number, undone: Record<string, string>, others: string[] = []): CrmEvent => ({
    type: 'RecordReadBack',
    data: { write, undone, others },
  });
  const first = [wanted(pending, guard(1)), owed(1, pending)];
  const newer = [...first, unsurely(1, pending), wanted(done, guard(3)), owed(2, done), updated(2, done)];

  it('sets the time to read it back, past lease and deadline', () => {
    expect(given(...first)(end(1, { state: 'done', unsure: true }))).toEqual({
      events: [updatedNow(1, pending, { unsure: true })],
      timers: [timer(1)],
    });
    expect(given(...first)(end(1, { state: 'done' })).timers).toBeUndefined();
  });

  it('waits for the newest write, however that ends', () => {
    const meanwhile = [...first, wanted(done, guard(3))];
    const decided = given(...meanwhile)(end(1, { state: 'done', unsure: true }));
    expect(decided.timers).toBeUndefined();
    expect(given(...meanwhile, ...decided.events)(end(2, { state: 'done' })).timers).toEqual([timer(2)]);
    const refused = given(...meanwhile, ...decided.events)(end(2, { state: 'dead', code: 'INVALID' }));
    expect(refused.timers).toEqual([timer(2)]);
  });

  it('counts a write that was given up as one that may arrive late', () => {
    const held = given(...first)(end(1, { state: 'held', code: 'deadline', unsure: true }));
    const history = [...first, ...held.events, wanted(done, guard(3)), owed(2, done), updated(2, done)];
    expect(given(...history)(due(2)).effects).toEqual([readBack(2, 'status')]);
  });

  it('reads what may have been set back, once, and not while a newer write is under way', () => {
    expect(given(...newer)(due(2))).toEqual({ events: [], effects: [readBack(2, 'status')] });
    expect(given(...newer)(due(1))).toEqual({ events: [] });
    expect(given(...newer, found(2, {}))(due(2))).toEqual({ events: [] });
    const underWay = [...newer, wanted({ status: 'FAILED' }, guard(4)), owed(3, { status: 'FAILED' })];
    expect(given(...underWay)(due(2))).toEqual({ events: [] });
    expect(given(...underWay)(read(2, pending))).toEqual({ events: [] });
  });

  it('writes once more what a late call of ours has set back', () => {
    const undone = given(...newer)(read(2, { status: 'PENDING', hs_object_id: '7' }));
    const again = { status: 'COMPLETED' };
    expect(undone).toEqual({ events: [found(2, pending), owed(3, again)], effects: [update(3, again)] });
    // That is all: its own end asks for no further look.
    expect(given(...newer, ...undone.events)(end(3, { state: 'done' })).timers).toBeUndefined();
  });

  it('clears once more what a late call has filled', () => {
    const [x, none] = [{ error: 'x' }, { error: '' }];
    const cleared = [
      wanted(x, guard(2)),
      owed(1, x),
      unsurely(1, x),
      wanted(none, guard(3)),
      owed(2, none),
      updated(2, none),
    ];
    expect(given(...cleared)(read(2, { error: null }))).toEqual({ events: [found(2, {})] });
    expect(given(...cleared)(read(2, x)).effects).toEqual([update(3, none)]);
  });

  it('does not fight over a value that somebody else has written, and says so', () => {
    expect(given(...newer)(read(2, { status: 'by hand' }))).toEqual({ events: [found(2, {}, ['status'])] });
    expect(given(...newer)(read(2, { status: null }))).toEqual({ events: [found(2, {}, ['status'])] });
  });

  it('says that all is well, and that is the end of it', () => {
    expect(given(...newer)(read(2, { status: 'COMPLETED' }))).toEqual({ events: [found(2, {})] });
    expect(given(...newer, found(2, {}))(read(2, { status: 'PENDING' }))).toEqual({ events: [] });
  });

  it('leaves it where the record cannot be read, and the next write asks again', () => {
    expect(given(...newer)(read(2))).toEqual({ events: [] });
    const next = [...newer, wanted({ score: '90' }, guard(3)), owed(3, { score: '90' })];
    expect(given(...next)(end(3, { state: 'done' })).timers).toEqual([timer(3)]);
  });

  it('looks for nothing any more once its subject was erased', () => {
    const history = [...newer, wanted({ score: '90' }, guard(3)), owed(3, { score: '90' })];
    expect(given(...history)(end(3, { state: 'erased' })).timers).toBeUndefined();
  });
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
        feed(end(state.underWay.write, { state: 'done' }));
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
