import type { CrmEvent } from '#libs/contracts';
import type { AwaitedDate } from '#libs/recipes';
import { given as givenOf } from '../../../libs/process/src/testing/given';
import { recordDecider, type RecordInput } from './record.decider';

const given = (...history: CrmEvent[]) => givenOf(recordDecider, ...history);
const day = 86_400_000;
const renewal = { recipe: 'renewal', property: 'contract_end' };
const said: AwaitedDate = { ...renewal, value: '2027-03-31', offsetMs: -60 * day, saidAt: '2026-11-21T10:00:00.000Z' };
const dueAt = '2027-01-30T00:00:00.000Z';

const told = (...dates: AwaitedDate[]): RecordInput => ({
  type: 'told',
  record: { type: 'deal', id: '7' },
  wishes: [],
  steps: [],
  dates,
});
const awaited: CrmEvent = {
  type: 'RecordDateAwaited',
  data: { ...renewal, value: said.value, saidAt: said.saidAt, dueAt },
};
const reached: CrmEvent = { type: 'RecordDateReached', data: { ...renewal, value: said.value, dueAt } };
const due = (over: object = {}): RecordInput => ({
  type: 'date-due',
  date: { recipe: 'renewal', due: dueAt, offsetMs: -60 * day, ...over },
});

it('waits until so long before the date, and says so once', () => {
  expect(given()(told(said))).toEqual({ events: [awaited], timers: [{ name: 'date-renewal', due: dueAt }] });
  expect(given(awaited)(told(said))).toEqual({ events: [] });
  expect(given(awaited)(due())).toEqual({ events: [reached] });
  expect(given(awaited, reached)(due())).toEqual({ events: [] });
});

it.each([
  ['a day', '2027-03-31'],
  ['milliseconds', String(Date.UTC(2027, 2, 31))],
  ['a time', '2027-03-31T00:00:00Z'],
])('reads %s', (_, value) => {
  expect(given()(told({ ...said, value })).timers).toEqual([{ name: 'date-renewal', due: dueAt }]);
});

it('waits for the newest date only, whichever order they come in', () => {
  const later = { ...said, value: '2027-05-31', saidAt: '2026-11-22T10:00:00.000Z' };
  const { events, timers } = given(awaited)(told(later));
  expect(timers).toEqual([{ name: 'date-renewal', due: '2027-04-01T00:00:00.000Z' }]);
  expect(given(awaited, ...events)(due())).toEqual({ events: [] });
  expect(given(...events)(told(said))).toEqual({ events: [] });
});

it('waits no more where the date was taken away', () => {
  const gone = { ...said, value: '', saidAt: '2026-11-22T10:00:00.000Z' };
  const { events, timers } = given(awaited)(told(gone));
  expect(events).toEqual([{ type: 'RecordDateAwaited', data: { ...renewal, value: '', saidAt: gone.saidAt } }]);
  expect(timers).toBeUndefined();
  expect(given(awaited, ...events)(due())).toEqual({ events: [] });
  expect(given()(told(gone))).toEqual({ events: [] });
});

it('says nothing of a contract that had ended already, and at once what is due already', () => {
  expect(given()(told({ ...said, value: '2026-11-20' }))).toEqual({ events: [] });
  const soon = given()(told({ ...said, value: '2026-12-01' }));
  expect(soon.timers).toEqual([{ name: 'date-renewal', due: '2026-10-02T00:00:00.000Z' }]);
});

it('goes by what the recipe says when the date has come: longer, or not any more', () => {
  const { events, timers } = given(awaited)(due({ offsetMs: -30 * day }));
  expect(events).toEqual([{ ...awaited, data: { ...awaited.data, dueAt: '2027-03-01T00:00:00.000Z' } }]);
  expect(timers).toEqual([{ name: 'date-renewal', due: '2027-03-01T00:00:00.000Z' }]);
  expect(given(awaited)(due({ offsetMs: undefined }))).toEqual({ events: [] });
});

it.each(['soon', '99999999999999999999', 'NaN', '2027-13-45'])('does not take %s for a date', (value) => {
  expect(given()(told({ ...said, value }))).toEqual({ events: [] });
});

it('knows a date that is found in the record again as the one that was told, also after it was reached', () => {
  const found = { ...said, value: String(Date.UTC(2027, 2, 31)), saidAt: '2026-11-25T10:00:00.000Z' };
  expect(given(awaited)(told(found))).toEqual({ events: [] });
  expect(given(awaited, reached)(told(found))).toEqual({ events: [] });
});

it('waits less where the recipe wants it earlier by now, unless it was reached', () => {
  const earlier = { ...said, offsetMs: -90 * day };
  expect(given(awaited)(told(earlier)).timers).toEqual([{ name: 'date-renewal', due: '2026-12-31T00:00:00.000Z' }]);
  expect(given(awaited, reached)(told(earlier))).toEqual({ events: [] });
});

it('does not reach what was due before a sweep looks, and no longer what the record says no more', () => {
  const past = {
    ...said,
    value: '2027-02-28',
    notBefore: '2027-01-15T00:00:00.000Z',
    saidAt: '2026-11-25T10:00:00.000Z',
  };
  expect(given()(told(past))).toEqual({ events: [] });
  const { events, timers } = given(awaited)(told(past));
  expect(events).toMatchObject([{ type: 'RecordDateAwaited', data: { value: past.value } }]);
  expect(timers).toBeUndefined();
  expect(given(awaited, ...events)(due())).toEqual({ events: [] });
});
