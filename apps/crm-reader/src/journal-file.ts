import type { JournalCursor } from '#libs/contracts';
import { type Recipe, watchedBy } from '#libs/recipes';
import type { JournalEvent, JournalFile } from '#libs/vendors/hubspot';
import type { JournaledChange, LookAnswer } from './journal.decider';

/** A large file is taken in parts of so many changes: each part is one transaction. */
export const CHANGES_AT_ONCE = 200;

/** A look that found nothing. */
export const nothingRead: LookAnswer = { changes: [], left: 0, undeclared: 0 };

/** What a change of an account's record is to crm-reader. */
export type Keep = (event: JournalEvent) => Omit<JournaledChange, 'place'> | 'left' | 'undeclared';

const fateOf: Readonly<Partial<Record<string, JournaledChange['fate']>>> = { DELETE: 'deleted', RESTORE: 'restored' };

/** A change counts where live recipes go by what changed, or by such records' being there. */
export function keptOf(tenants: ReadonlyMap<number, string>, recipes: readonly Recipe[]): Keep {
  const watched = new Map(
    [...new Set(tenants.values())].flatMap((tenant) =>
      watchedBy(recipes, tenant).map(({ object, properties }) => [`${tenant} ${object}`, new Set(properties)] as const),
    ),
  );
  return ({ portalId, object, id, at, action, properties }) => {
    const tenant = tenants.get(portalId);
    if (tenant === undefined) return 'undeclared';
    const named = watched.get(`${tenant} ${object}`);
    if (!named) return 'left';
    const about = { tenant, object, id, at };
    const fate = fateOf[action];
    if (fate) return { ...about, properties: [], isNew: false, fate };
    const isNew = action === 'CREATE';
    const changed = properties.filter((name) => named.has(name));
    const counts = isNew || (action === 'UPDATE' && changed.length > 0);
    return counts ? { ...about, properties: changed, isNew } : 'left';
  };
}

/** What a file holds behind what was taken of it already, up to as many changes as are taken at once. */
export function partOf(file: JournalFile, cursor: JournalCursor, keep: Keep): LookAnswer {
  const { offset, publishedAt: upTo, events, others } = file;
  // The oldest file may be another one by now.
  const start = cursor.of === offset ? (cursor.taken ?? 0) : 0;
  const part: LookAnswer = {
    ...nothingRead,
    changes: [],
    left: start === 0 ? others : 0,
    upTo,
    cursor: { after: offset },
  };
  for (const [i, event] of events.entries()) {
    if (i < start) continue;
    if (part.changes.length === CHANGES_AT_ONCE)
      return { ...part, cursor: { after: cursor.after, of: offset, taken: i } };
    const kept = keep(event);
    if (typeof kept === 'string') part[kept] += 1;
    else part.changes.push({ place: `${offset}.${String(i)}`, ...kept });
  }
  return part;
}
