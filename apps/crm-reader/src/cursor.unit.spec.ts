import type { SweepCursor } from '#libs/contracts';
import fc from 'fast-check';
import { firstCursor, nextCursor } from './cursor';

interface Row {
  id: string;
  modifiedAt: string;
}

const PAGE = 4;
const at = (ms: number) => new Date(Date.UTC(2026, 10, 21) + ms).toISOString();

/** What a search answers: in the order of the last change, or of ids within one of them; equal ones in no order. */
function answer(portal: Map<string, number>, cursor: SweepCursor) {
  const rows: Row[] = [...portal].map(([id, ms]) => ({ id, modifiedAt: at(ms) }));
  const { modifiedFrom, modifiedAt, afterId = '0' } = cursor;
  const hits =
    modifiedAt === undefined
      ? rows
          .filter((row) => row.modifiedAt >= (modifiedFrom ?? ''))
          .sort((a, b) => (a.modifiedAt < b.modifiedAt ? -1 : a.modifiedAt > b.modifiedAt ? 1 : 0))
      : rows
          .filter((row) => row.modifiedAt === modifiedAt && Number(row.id) > Number(afterId))
          .sort((a, b) => Number(a.id) - Number(b.id));
  return { rows: hits.slice(0, PAGE), isLast: hits.length <= PAGE - 1 };
}

it('reads every record that is there from beginning to end, whatever changes meanwhile and however many changed at once', () => {
  const change = fc.record({ id: fc.integer({ min: 1, max: 30 }), after: fc.integer({ min: 0, max: 2 }) });
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: 0, max: 3 }), { maxLength: 30 }),
      fc.array(fc.array(change, { maxLength: 3 }), { maxLength: 20 }),
      (stamps, changes) => {
        const portal = new Map(stamps.map((ms, n) => [String(n + 1), ms]));
        let now = 4;
        const read = new Set<string>();
        let cursor: SweepCursor | undefined = firstCursor({ from: at(0) });
        for (let page = 0; cursor; page += 1) {
          expect(page).toBeLessThan(500);
          const found = answer(portal, cursor);
          for (const { id } of found.rows) read.add(id);
          cursor = nextCursor(cursor, found);
          for (const { id, after } of changes[page] ?? []) {
            now += after;
            if (portal.has(String(id))) portal.set(String(id), now);
          }
        }
        expect(read).toEqual(new Set(portal.keys()));
      },
    ),
    { numRuns: 2_000 },
  );
});

it('goes on behind the last one read, without those of its last change that were read already', () => {
  const rows = [0, 0, 1, 1].map((ms, n) => ({ id: String(n), modifiedAt: at(ms) }));
  expect(nextCursor({ modifiedFrom: at(0) }, { rows, isLast: false })).toEqual({
    modifiedFrom: at(1),
    seen: ['2', '3'],
  });
});

it('follows a list by its own word, and what comes due by ids', () => {
  const rows = [{ id: '7', modifiedAt: at(0) }];
  expect(nextCursor(firstCursor({}), { rows, isLast: false, next: '9' })).toEqual({ afterId: '9' });
  expect(nextCursor(firstCursor({ from: at(0), due: {} }), { rows, isLast: false })).toEqual({ afterId: '7' });
  expect(nextCursor({ afterId: '7' }, { rows, isLast: true })).toBeUndefined();
});
