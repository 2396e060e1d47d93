import fc from 'fast-check';
import type { CrmEvent } from '#libs/contracts';
import { given as givenOf } from '../../../libs/process/src/testing/given';
import { recordDecider } from './record.decider';
import { rotaOf, type TurnWanted } from './rota.decider';

const wanted = (id: string, over: Partial<TurnWanted> = {}): TurnWanted => ({
  recipe: 'r',
  recipeVersion: 'v',
  step: 'seller',
  rootCause: `cause-${id}`,
  record: { type: 'contact', id },
  rota: 'emea',
  among: ['11', '12', '13'],
  month: '2026-11',
  ...over,
});
const given = (...history: CrmEvent[]) => givenOf(recordDecider, ...history);

/** Asks one after the other; each sees the turns of those before. */
function turns(...asked: TurnWanted[]): string[] {
  const history: CrmEvent[] = [];
  return asked.map((one) => {
    const { events } = given(...history)({ type: 'turn-wanted', wanted: one });
    history.push(...events);
    const [event] = events;
    return event?.type === 'TurnTaken' ? event.data.owner : 'nothing';
  });
}

it('says who is next, and for which record', () => {
  const { events, effects } = given()({ type: 'turn-wanted', wanted: wanted('7', { among: ['11'] }) });
  const { among: _, month: __, ...about } = wanted('7');
  expect(events).toEqual([{ type: 'TurnTaken', data: { ...about, owner: '11' } }]);
  expect(effects).toBeUndefined();
});

it('gives one turn for each record, step and root cause, however often it is asked', () => {
  const asked = wanted('7');
  const again = { ...asked, among: ['99'], recipeVersion: 'another' };
  const [first, second, ...others] = turns(
    asked,
    again,
    wanted('7', { rootCause: 'another' }),
    wanted('7', { step: 'other' }),
  );
  expect([first, second]).toEqual([expect.stringMatching(/^1[123]$/), 'nothing']);
  expect(new Set([first, ...others])).toEqual(new Set(['11', '12', '13']));
});

it('takes who is there: one who is away is passed over, and one who comes back or is new is next, once', () => {
  const ask = (n: number, among: string[]) => wanted(String(n), { among });
  const away = turns(
    ...[1, 2, 3, 4].map((n) => ask(n, ['11', '12'])),
    ...[5, 6, 7, 8].map((n) => ask(n, ['11', '12', '13'])),
  );
  expect(away.slice(0, 4).sort()).toEqual(['11', '11', '12', '12']);
  expect(away[4]).toBe('13');
  expect(away.slice(5).filter((owner) => owner === '13')).toHaveLength(1);
});

it('begins each month in an order of its own, the same whatever the order of the list', () => {
  const among = Array.from({ length: 8 }, (_, n) => String(n));
  const first = (month: string, list = among) => turns(wanted('1', { month, among: list }))[0];
  const months = Array.from(
    { length: 24 },
    (_, n) => `20${String(26 + Math.floor(n / 12))}-${String((n % 12) + 1).padStart(2, '0')}`,
  );
  expect(new Set(months.map((month) => first(month))).size).toBeGreaterThan(3);
  expect(months.map((month) => first(month, [...among].reverse()))).toEqual(months.map((month) => first(month)));
});

it("has a stream for each month of the triggers' own times", () => {
  expect(rotaOf('emea', '2026-11-30T23:59:59.999Z')).toEqual({ type: 'rota', id: 'emea.2026-11' });
});

const owners = fc.uniqueArray(fc.stringMatching(/^[1-9]\d{0,3}$/), { minLength: 1, maxLength: 9 });
const records = fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 80 });

it('is fair: of a list that stays the same nobody has two turns more than another, and a record asked twice has one', () => {
  fc.assert(
    fc.property(owners, records, (among, ids) => {
      const taken = turns(...ids.map((id) => wanted(String(id), { among })));
      expect(taken.filter((owner) => owner !== 'nothing')).toHaveLength(new Set(ids).size);
      const counts = among.map((owner) => taken.filter((one) => one === owner).length);
      expect(Math.max(...counts) - Math.min(...counts)).toBeLessThanOrEqual(1);
    }),
  );
});

it('never gives a turn to whoever is not there, and to whoever waited longest of those who are', () => {
  const lists = fc.array(fc.uniqueArray(fc.constantFrom('1', '2', '3', '4'), { minLength: 1 }), { maxLength: 40 });
  fc.assert(
    fc.property(lists, (all) => {
      const last = new Map<string, number>();
      const taken = turns(...all.map((among, n) => wanted(String(n), { among })));
      taken.forEach((owner, n) => {
        const waits = (one: string) => last.get(one) ?? -1;
        expect(Math.min(...(all[n] ?? []).map(waits))).toBe(waits(owner));
        expect(all[n]).toContain(owner);
        last.set(owner, n);
      });
    }),
  );
});
