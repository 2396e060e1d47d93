import { type BatchTransaction, emptyOutcome, type EventMeta, type Outcome } from '#libs/event-store';

/** The key under which an input is set aside alone, so that its record's key goes on. */
export const keyOfItsOwn = (inputKey: string, inboxKey: string): string => `${inputKey}|${inboxKey}`;

/**
 * Appends an event to the stream of a key's parkings, from where the relay announces it on `<service>.dlq`. `also` is
 * written in the same statement. The caller holds the key's bucket exclusively.
 */
export async function parkingEvent(
  tx: BatchTransaction,
  service: string,
  inputKey: string,
  type: string,
  data: unknown,
  meta: EventMeta,
  also: Partial<Outcome> = {},
): Promise<void> {
  const streamId = `parking-${service}:${inputKey}`;
  const known = await tx.read({ marks: [], undated: [], inputKeys: [], streams: [streamId] });
  const colon = inputKey.indexOf(':');
  const version = (known.streams.get(streamId)?.length ?? 0) + 1;
  const tenant = inputKey.slice(0, colon);
  const [subject = ''] = inputKey.slice(colon + 1).split('|');
  await tx.write({ ...emptyOutcome(), ...also, events: [{ streamId, version, tenant, subject, type, data, meta }] });
}
