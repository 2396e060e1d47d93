import type { Fate } from '#libs/contracts';
import fc from 'fast-check';
import { fatesOfChange, fatesOfEvent, followed, following, goesOnAs, isGone, type Whereabouts } from './fate';

const contact = (id: string) => ({ type: 'contact', id });
const t = (second: number): string => new Date(Date.UTC(2026, 10, 21, 10, 0, second)).toISOString();
const merged = (into: string, second: number): Fate => ({ what: 'merged', into: contact(into), at: t(second) });
const told = (what: 'deleted' | 'restored' | 'forgotten', second: number, of?: string): Fate => ({
  what,
  at: t(second),
  ...(of === undefined ? {} : { of: contact(of) }),
});
const after = (...fates: Fate[]): Whereabouts => fates.reduce(followed, {});
const orders = <T>(all: T[]): T[][] =>
  all.length < 2
    ? [all]
    : all.flatMap((one) => orders(all.filter((other) => other !== one)).map((rest) => [one, ...rest]));

it.each(orders([merged('8', 1), merged('9', 2)]))(
  'of two merges the later counts, whichever is heard first',
  (...all) => {
    expect(goesOnAs(contact('7'), after(...all))).toEqual(contact('9'));
  },
);

it('says nothing new when it is told twice', () => {
  for (const fate of [merged('8', 1), told('deleted', 1), told('restored', 1), told('forgotten', 1)])
    expect(following(after(fate), fate)).toBeUndefined();
});

it.each(orders([told('deleted', 1), told('restored', 2)]))('a late deletion undoes no later restore', (...all) => {
  expect(isGone(after(...all))).toBe(false);
});

it.each(orders([told('deleted', 3), told('forgotten', 3), told('restored', 4)]))(
  'nothing comes back from being forgotten, in any order with its deletion',
  (...all) => {
    expect(isGone(after(...all))).toBe(true);
  },
);

it.each(orders([merged('8', 1), told('deleted', 2, '8')]))(
  'shares the fate of the record that it goes on as',
  (...all) => {
    expect(isGone(after(...all))).toBe(true);
  },
);

it.each(orders([merged('8', 1), told('deleted', 1)]))('a deletion that is part of a merge is none', (...all) => {
  expect(isGone(after(...all))).toBe(false);
});

it('a change that is later than the deletion shows that the record lives', () => {
  expect([t(1), t(2)].map((at) => isGone(after(told('deleted', 1)), at))).toEqual([true, false]);
});

it('ends the same whatever order it is told in', () => {
  const fate = fc.oneof(
    fc.tuple(fc.constantFrom('8', '9'), fc.nat(50)).map(([into, at]) => merged(into, at)),
    fc.tuple(fc.constantFrom('deleted' as const, 'restored' as const), fc.nat(50)).map(([what, at]) => told(what, at)),
  );
  const all = fc.uniqueArray(fate, { selector: ({ at }) => at, maxLength: 4 });
  fc.assert(
    fc.property(all, (fates) => {
      const ends = orders(fates).map((order) => {
        const where = after(...order);
        return JSON.stringify([goesOnAs(contact('7'), where), isGone(where)]);
      });
      expect(new Set(ends).size).toBe(1);
    }),
  );
});

describe('what HubSpot says of it', () => {
  const change = (over: { change: string; merged?: string[] }) => ({
    delivery: 'webhook' as const,
    record: contact('9'),
    identity: '',
    ...over,
  });

  it('is a merge of every record that goes on as another', () => {
    expect(fatesOfChange(change({ change: 'merge', merged: ['7', '8'] }), t(1))).toEqual([
      { record: contact('7'), fate: merged('9', 1) },
      { record: contact('8'), fate: merged('9', 1) },
    ]);
  });

  it.each([
    ['deletion', 'deleted'],
    ['privacyDeletion', 'forgotten'],
    ['restore', 'restored'],
  ])('is a %s', (name, what) => {
    expect(fatesOfChange(change({ change: name }), t(1))).toEqual([{ record: contact('9'), fate: { what, at: t(1) } }]);
  });

  it('is nothing of most changes', () => {
    expect(fatesOfChange(change({ change: 'propertyChange' }), t(1))).toEqual([]);
  });

  it('is told on to those who go on as the record', () => {
    const data = { records: [contact('9'), contact('7')], at: t(2) };
    expect(fatesOfEvent({ type: 'RecordDeleted', data }, contact('9'))).toEqual([
      { record: contact('9'), fate: told('deleted', 2) },
      { record: contact('7'), fate: told('deleted', 2, '9') },
    ]);
    const chain = { records: [contact('8'), contact('7')], into: contact('9'), at: t(3) };
    expect(fatesOfEvent({ type: 'RecordMerged', data: chain }, contact('8'))).toEqual([
      { record: contact('8'), fate: merged('9', 3) },
      { record: contact('7'), fate: merged('9', 3) },
    ]);
  });
});
