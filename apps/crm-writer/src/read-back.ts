/** How long a write may take; a lease is twice that (protocol 17). */
export const WRITE_DEADLINE_MS = 8_000;

// Past lease and deadline: by then a stopped process has sent what it was about to send, or sends it no more.
const READ_BACK_AFTER_MS = 3 * WRITE_DEADLINE_MS;

/** Values that a call of unknown outcome may yet bring to the CRM, by property. */
export type Doubts = Readonly<Record<string, readonly string[]>>;

/** Adds what a write carried that had to be repeated: one of its calls may arrive late. */
export const doubting = (doubts: Doubts, properties: Record<string, string>): Doubts => ({
  ...doubts,
  ...Object.fromEntries(
    Object.entries(properties).map(([name, value]) => [name, [...new Set([...(doubts[name] ?? []), value])]]),
  ),
});

/** When a write that ended at `endedAt` is read back (both RFC 3339). */
export const readBackAt = (endedAt: string): string => new Date(Date.parse(endedAt) + READ_BACK_AFTER_MS).toISOString();

/** What the CRM says otherwise than it should: by a late call of ours, with its value, or by somebody else. */
export interface Found {
  undone: Record<string, string>;
  others: string[];
}

/**
 * Compares what was read with what is wanted. Only a value that one of our own calls may have brought late counts as
 * undone: whatever else stands there, a person or another system wrote it, and it is not fought over.
 */
export function compare(doubts: Doubts, wanted: Record<string, string>, read: Record<string, string | null>): Found {
  const found: Found = { undone: {}, others: [] };
  for (const [name, values] of Object.entries(doubts)) {
    const value = read[name] ?? '';
    if (wanted[name] === undefined || value === wanted[name]) continue;
    if (values.includes(value)) found.undone[name] = value;
    else found.others.push(name);
  }
  return found;
}
