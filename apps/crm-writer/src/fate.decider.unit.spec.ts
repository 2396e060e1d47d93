import type { CrmEvent, Fate, Guard } from '#libs/contracts';
import { given as givenOf } from '../../../libs/process/src/testing/given';
import { recordDecider, type RecordInput } from './record.decider';
import type { Ended } from './writes';

const given = (...history: CrmEvent[]) => givenOf(recordDecider, ...history);
const contact = (id: string) => ({ type: 'contact', id });
const record = contact('7');
const into = contact('9');
const t = (minute: number): string => new Date(Date.UTC(2026, 10, 21, 10, minute)).toISOString();
const guard = (number = 1): Guard => ({ at: t(0), number, rank: 3 });

const fate = (what: Fate['what'], at: string, over: Partial<Fate> = {}): RecordInput => ({
  type: 'followed',
  record,
  fate: { what, at, ...over },
});
const tellMerge = fate('merged', t(5), { into });
const merged: CrmEvent = { type: 'RecordMerged', data: { records: [record], into, at: t(5) } };
const deleted: CrmEvent = { type: 'RecordDeleted', data: { records: [record], at: t(5) } };
const restored: CrmEvent = { type: 'RecordRestored', data: { records: [record], at: t(6) } };
const forgotten: CrmEvent = { type: 'RecordErasureAsked', data: { records: [record], at: t(5) } };

const wish = (properties: Record<string, string>, number = 1) => ({
  properties,
  guard: guard(number),
  because: 'test',
});
const tell = (properties: Record<string, string>, number = 1): RecordInput => ({
  type: 'told',
  record,
  wishes: [wish(properties, number)],
  steps: [],
});
const wanted = (properties: Record<string, string>): CrmEvent => ({
  type: 'RecordChangeWanted',
  data: wish(properties),
});
const owed = (properties: Record<string, string>, write = 1): CrmEvent => ({
  type: 'RecordUpdateOwed',
  data: { write, properties },
});
const updated = (properties: Record<string, string>): CrmEvent => ({
  type: 'RecordUpdated',
  data: { write: 1, properties },
});
const handedOn = (...wishes: ReturnType<typeof wish>[]): CrmEvent => ({
  type: 'RecordHandedOn',
  data: { into, wishes, dates: [] },
});
const written = (ended: Ended): RecordInput => ({ type: 'written', record, write: 1, at: t(7), ended });
const underWay = [wanted({ status: 'PENDING' }), owed({ status: 'PENDING' })];
const withdrawn = [{ kind: 'hubspot.update', purpose: 'write-1' }];
const superseded: CrmEvent = { type: 'RecordUpdateSuperseded', data: { write: 1 } };

describe('a merge', () => {
  it('hands on what was not written, and withdraws the write that waits', () => {
    const history = [
      wanted({ a: '1' }),
      owed({ a: '1' }),
      updated({ a: '1' }),
      wanted({ b: '2' }),
      owed({ b: '2' }, 2),
    ];
    expect(given(...history)(tellMerge)).toEqual({
      events: [merged, handedOn(wish({ b: '2' }))],
      supersede: [{ kind: 'hubspot.update', purpose: 'write-2' }],
    });
  });

  it('that is told twice, or is older than another, says nothing', () => {
    expect(given(merged)(tellMerge)).toEqual({ events: [], subject: 'contact:9' });
    expect(given(merged)(fate('merged', t(4), { into: contact('8') })).events).toEqual([]);
  });

  it.each([{ state: 'superseded' as const }, { state: 'dead' as const, code: 'OBJECT_NOT_FOUND' }])(
    'and the write under way ends without a word of the survivor: %j',
    (ended) => {
      expect(given(...underWay, merged, handedOn(wish({ status: 'PENDING' })))(written(ended))).toEqual({
        events: [superseded],
        subject: 'contact:9',
      });
    },
  );

  it('hands on what is wanted later, the newest of it once', () => {
    const decision = given(merged)(tell({ status: 'COMPLETED' }, 2));
    expect(decision).toEqual({ events: [handedOn(wish({ status: 'COMPLETED' }, 2))], subject: 'contact:9' });
    expect(given(merged, ...decision.events)(tell({ status: 'PENDING' }, 1)).events).toEqual([]);
  });

  it('leaves wishes to the guard of the survivor: an older one never overwrites its own', () => {
    const own = { ...tell({}), wishes: [wish({ status: 'COMPLETED' }, 2)] } as RecordInput;
    const history = given()(own).events;
    expect(given(...history)(tell({ status: 'PENDING' }, 1))).toEqual({ events: [] });
  });

  it('hands on the dates that recipes wait for; the survivor takes them where it waits for none', () => {
    const date = { recipe: 'r', property: 'contract_end', value: '2027-03-31', saidAt: t(0) };
    const awaited: CrmEvent = { type: 'RecordDateAwaited', data: { ...date, dueAt: '2027-01-30T00:00:00.000Z' } };
    expect(given(awaited)(tellMerge).events).toEqual([
      merged,
      { type: 'RecordHandedOn', data: { into, wishes: [], dates: [date] } },
    ]);
    const offsetMs = -60 * 86_400_000;
    const inherit: RecordInput = {
      type: 'told',
      record: into,
      wishes: [],
      steps: [],
      inherited: [{ ...date, offsetMs }],
    };
    expect(given()(inherit)).toEqual({
      events: [awaited],
      timers: [{ name: 'date-r', due: '2027-01-30T00:00:00.000Z' }],
    });
    const own: CrmEvent = { type: 'RecordDateAwaited', data: { ...date, value: '2028-03-31', dueAt: t(0) } };
    expect(given(own)(inherit)).toEqual({ events: [] });
    const due: RecordInput = { type: 'date-due', date: { recipe: 'r', due: '2027-01-30T00:00:00.000Z', offsetMs } };
    expect(given(awaited, merged, handedOn())(due).events).toEqual([]);
  });

  it('is told on where the survivor is merged itself, before or after', () => {
    const other = contact('3');
    const took: CrmEvent = { type: 'RecordTookOver', data: { records: [other] } };
    const takeOver: RecordInput = { type: 'took-over', records: [other] };
    expect(given()(takeOver)).toEqual({ events: [took] });
    expect(given(took)(takeOver)).toEqual({ events: [] });
    expect(given(took)(tellMerge).events).toEqual([
      { type: 'RecordMerged', data: { records: [record, other], into, at: t(5) } },
    ]);
    expect(given(merged)(takeOver).events).toEqual([
      took,
      { type: 'RecordMerged', data: { records: [other], into, at: t(5) } },
    ]);
  });
});

describe('a deletion', () => {
  it('withdraws what waits, keeps what is wanted, and a restore writes it', () => {
    expect(given(...underWay)(fate('deleted', t(5)))).toEqual({
      events: [deleted],
      supersede: withdrawn,
      timers: [{ name: 'withdraw', due: t(6) }],
    });
    expect(given(...underWay, deleted)({ type: 'withdraw' })).toEqual({ events: [], supersede: withdrawn });
    expect(given(...underWay, deleted, restored)({ type: 'withdraw' })).toEqual({ events: [] });
    expect(given(...underWay, deleted)(written({ state: 'superseded' }))).toEqual({ events: [superseded] });
    const done = { status: 'COMPLETED' };
    const later = given(...underWay, deleted, superseded)(tell(done, 2));
    expect(later).toEqual({ events: [{ type: 'RecordChangeWanted', data: wish(done, 2) }] });
    const back = given(...underWay, deleted, superseded, ...later.events)(fate('restored', t(6)));
    expect(back.events).toEqual([restored, owed(done, 2)]);
    expect(back.effects).toHaveLength(1);
  });

  it('that is older than the restore changes nothing, also where it comes after it', () => {
    expect(given(restored)(fate('deleted', t(5)))).toEqual({ events: [] });
    expect(given(deleted, restored)(fate('deleted', t(4)))).toEqual({ events: [] });
  });

  it('that HubSpot knew before the hub: what it refused is written when the record is back', () => {
    const refused = given(...underWay)(written({ state: 'dead', code: 'OBJECT_NOT_FOUND' })).events;
    expect(refused).toMatchObject([{ type: 'RecordUpdateRejected', data: { code: 'OBJECT_NOT_FOUND' } }]);
    const back = given(...underWay, ...refused, deleted)(fate('restored', t(6)));
    expect(back.events).toEqual([restored, owed({ status: 'PENDING' }, 2)]);
  });

  it('is told to the records that go on as this one', () => {
    const took: CrmEvent = { type: 'RecordTookOver', data: { records: [contact('3')] } };
    const both = { records: [record, contact('3')], at: t(5) };
    expect(given(took)(fate('deleted', t(5))).events).toEqual([{ type: 'RecordDeleted', data: both }]);
  });

  it('lets no date set off anything', () => {
    const due = '2027-01-30T00:00:00.000Z';
    const date = { recipe: 'r', property: 'p', value: '2027-01-30', saidAt: t(0), dueAt: due };
    const come: RecordInput = { type: 'date-due', date: { recipe: 'r', due, offsetMs: 0 } };
    const awaited: CrmEvent = { type: 'RecordDateAwaited', data: date };
    expect(given(awaited, deleted)(come)).toEqual({ events: [] });
    expect(given(awaited)(come).events).toHaveLength(1);
  });
});

describe('a privacy deletion', () => {
  it.each([
    ['before the deletion', [fate('forgotten', t(5)), fate('deleted', t(5))]],
    ['after it', [fate('deleted', t(5)), fate('forgotten', t(5))]],
  ])('told %s: nothing is written any more, restored or not', (_, told) => {
    const all = [...told, fate('restored', t(9)), tell({ status: 'COMPLETED' }, 2), written({ state: 'superseded' })];
    const history = all.reduce<CrmEvent[]>((before, input) => {
      const { events, effects = [] } = given(...before)(input);
      expect(effects).toEqual([]);
      return [...before, ...events];
    }, underWay);
    expect(history.slice(2).map(({ type }) => type)).toEqual([
      ...(told[0] && 'fate' in told[0] && told[0].fate.what === 'deleted' ? ['RecordDeleted'] : []),
      'RecordErasureAsked',
      'RecordUpdateSuperseded',
    ]);
  });

  it('is kept against a late retry of the write', () => {
    expect(given(...underWay, forgotten)(written({ state: 'late' }))).toEqual({ events: [] });
    expect(given(...underWay, forgotten)(written({ state: 'done' })).effects).toBeUndefined();
  });
});
