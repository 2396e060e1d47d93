import { type Envelope, recordKey } from '#libs/contracts';
import { emptyOutcome, type Pool, transact } from '#libs/event-store';
import type { RecordMail } from './inputs';

/**
 * Puts a record into a service's mailbox, as if it had come over the log, to that service alone: it is decided once by
 * its envelope's id, whichever replica takes it. Resolves when it is kept.
 */
export async function tell(
  pool: Pool,
  service: string,
  { topic, envelope, value }: { topic: string; envelope: Envelope; value: unknown },
): Promise<void> {
  const inputKey = recordKey(envelope.tenant, envelope.subject);
  const body: RecordMail = { topic, envelope, value: Buffer.from(JSON.stringify(value)).toString('base64') };
  const mail = { inputKey, kind: 'record' as const, key: envelope.id, body, parked: false };
  await transact(pool, service, [inputKey], (tx) => tx.write({ ...emptyOutcome(), mail: [mail] }));
}
