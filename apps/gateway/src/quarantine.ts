import { type Envelope, recordKey, Topic } from '#libs/contracts';
import type { OutgoingRecord } from '#libs/log';
import type { ProblemPart } from '#libs/platform';

/** What is wrong with an input: the code of a problem, or why it has no owner. */
export interface Fault {
  code: string;
  message?: string;
  errors?: ProblemPart[] | undefined;
}

/** The record of authentic input that cannot be published: its bytes, with the reason beside them. */
export function quarantineRecord(
  value: Buffer,
  envelope: Envelope,
  { code, message, errors }: Fault,
  headers: Record<string, string>,
): OutgoingRecord {
  const detail = errors?.map(({ at, detail: says }) => `${at} ${says}`.trim()).join('; ') ?? message;
  return {
    topic: Topic.quarantine,
    key: recordKey(envelope.tenant, envelope.subject),
    value,
    headers: {
      ...headers,
      refrain_reason: code,
      ...(detail === undefined ? {} : { refrain_detail: detail.slice(0, 1_000) }),
    },
    envelope,
  };
}
