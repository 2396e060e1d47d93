import type { SweepCursor } from '#libs/contracts';
import type { RecordPage } from '#libs/vendors/hubspot';

/** What was read of a page, as far as it says where to go on. */
export type PageRows = Pick<RecordPage, 'rows' | 'isLast' | 'next'>;

const FIRST_ID = '0';

/** Where reading begins: at the first last change of the window, or at the first record. */
export const firstCursor = ({ from, due }: { from?: string; due?: object }): SweepCursor => {
  if (due) return { afterId: FIRST_ID };
  return from === undefined ? {} : { modifiedFrom: from };
};

/**
 * Where to go on behind a page; undefined behind the last one. By their last change records are never paged through by
 * number: one that changes meanwhile moves to the end, and none takes its place unseen. Where a whole page was changed in
 * the very same millisecond it goes on by id until that millisecond is over: searches have no end of 10,000 then.
 */
export function nextCursor(cursor: SweepCursor, { rows, isLast, next }: PageRows): SweepCursor | undefined {
  const last = rows.at(-1);
  const { modifiedFrom, modifiedAt, seen = [] } = cursor;
  if (modifiedAt !== undefined) {
    if (isLast || !last) return { modifiedFrom: new Date(Date.parse(modifiedAt) + 1).toISOString() };
    return { modifiedAt, afterId: last.id, seen };
  }
  if (isLast || !last) return undefined;
  if (modifiedFrom === undefined) return { afterId: next ?? last.id };
  const ofLast = rows.filter((row) => row.modifiedAt === last.modifiedAt).map(({ id }) => id);
  if (Date.parse(last.modifiedAt) > Date.parse(modifiedFrom)) return { modifiedFrom: last.modifiedAt, seen: ofLast };
  return { modifiedAt: last.modifiedAt, afterId: FIRST_ID, seen: [...new Set([...seen, ...ofLast])] };
}
