import { hash } from 'node:crypto';

/** What an effect is for (protocol 4): the same over redelivery, replay and repeats. */
export const slotOf = (s: {
  tenant: string;
  kind: string;
  streamId: string;
  purpose: string;
  rootCause: string;
}): string => [s.tenant, s.kind, s.streamId, s.purpose, s.rootCause].join('|');

/** SHA-256 of a request, equal for equal content whatever the order of its keys. */
export const requestHash = (request: unknown): string => hash('sha256', canonical(request));

/**
 * The vendor's `Idempotency-Key`: a hash of slot and generation, so every repeat of one generation carries the same one.
 * 64 characters of [0-9a-f].
 */
export const idempotencyKey = (slot: string, generation: number): string =>
  hash('sha256', `${slot}#${String(generation)}`);

/** JSON in which the order of keys does not matter; keys named in `without` are left out wherever they stand. */
export function canonical(value: unknown, without: readonly string[] = []): string {
  return JSON.stringify(value, (key, inner: unknown) => {
    if (without.includes(key)) return undefined;
    return typeof inner === 'object' && inner !== null && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)))
      : inner;
  });
}
