import type { JournalEvent, JournalFile } from '#libs/vendors/hubspot';
import { recipeOf } from '../../../libs/recipes/src/testing/recipe-of';
import { CHANGES_AT_ONCE, keptOf, partOf } from './journal-file';

const recipe = recipeOf(`recipe: staged
tenants: [acme]
trigger: { object: contact, property: stage, becomes: [open] }
steps:
  - write: { properties: { seen: "yes" } }
`);
const tenants = new Map([
  [1, 'acme'],
  [2, 'blue'],
]);
const keep = keptOf(tenants, [recipe]);
const at = '2026-11-21T12:00:00.000Z';
const event = (over: Partial<JournalEvent> = {}): JournalEvent => ({
  ...{ portalId: 1, object: 'contact', id: '7', action: 'UPDATE', at, properties: ['stage', 'city'] },
  ...over,
});
const about = { tenant: 'acme', object: 'contact', id: '7', at };

describe('a change', () => {
  it('counts where live recipes of its tenant go by it, by the names of what changed', () => {
    expect(keep(event())).toEqual({ ...about, properties: ['stage'], isNew: false });
    expect(keep(event({ action: 'CREATE', properties: [] }))).toEqual({ ...about, properties: [], isNew: true });
    expect(keep(event({ action: 'DELETE' }))).toEqual({ ...about, properties: [], isNew: false, fate: 'deleted' });
    expect(keep(event({ action: 'RESTORE' }))).toMatchObject({ fate: 'restored' });
  });

  it.each([
    ['of another property', { properties: ['city'] }],
    ['of another type of record', { object: 'deal' }],
    ['of a tenant whose recipes do not go by it', { portalId: 2 }],
    ['that is a merge, or of a kind that nobody knows', { action: 'MERGE' }],
  ])('%s is left', (_, over) => {
    expect(keep(event(over))).toBe('left');
  });

  it('of a portal that no tenant declares is nobody’s', () => {
    expect(keep(event({ portalId: 3 }))).toBe('undeclared');
  });
});

describe('a file', () => {
  const fileOf = (events: JournalEvent[]): JournalFile => ({ offset: 'o2', publishedAt: at, events, others: 4 });
  const after = (offset: string, of?: string, taken?: number) => ({ after: offset, of, taken });

  it('is taken whole, with a count of what is not', () => {
    const events = [event({ portalId: 3 }), event(), event({ object: 'deal' })];
    const [, kept] = events.map(keep);
    expect(partOf(fileOf(events), after('o1'), keep)).toEqual({
      changes: [{ place: 'o2.1', ...(kept as object) }],
      left: 5,
      undeclared: 1,
      upTo: at,
      cursor: { after: 'o2' },
    });
  });

  it('that is large is taken in parts, none of which loses or repeats a change', () => {
    const many = 2 * CHANGES_AT_ONCE + 3;
    const file = fileOf(
      Array.from({ length: many }, (_, n) => event({ id: String(n), portalId: n % 2 === 0 ? 1 : 3 })),
    );
    const whole = fileOf(Array.from({ length: many }, (_, n) => event({ id: String(n) })));
    expect(partOf(file, after('o1'), keep)).toMatchObject({
      undeclared: CHANGES_AT_ONCE - 1,
      cursor: { of: 'o2', taken: 399 },
    });
    const taken: string[] = [];
    let part = partOf(whole, after('o1'), keep);
    const left = [part.left];
    for (; part.cursor?.of; part = partOf(whole, part.cursor, keep), left.push(part.left))
      taken.push(...part.changes.map(({ id }) => id));
    taken.push(...part.changes.map(({ id }) => id));
    expect(taken).toEqual(Array.from({ length: many }, (_, n) => String(n)));
    expect(part.cursor).toEqual({ after: 'o2' });
    expect(left).toEqual([4, 0, 0]);
  });

  it('that is another one than a part of was taken is taken from its beginning', () => {
    expect(partOf(fileOf([event()]), after('earliest', 'o1', 7), keep).changes).toHaveLength(1);
  });
});
