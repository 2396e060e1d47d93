/** A CRM record: normalised type and id, for example `contact` and `541935488729`. */
export interface RecordRef {
  type: string;
  id: string;
}

/** The subject of a record as it stands on envelopes: `contact:541935488729`. */
export const subjectOf = (record: RecordRef): string => `${record.type}:${record.id}`;

/** Reads a subject back into a record; undefined where it is no record (a callback's own id). */
export function recordOf(subject: string): RecordRef | undefined {
  const colon = subject.indexOf(':');
  return colon > 0 ? { type: subject.slice(0, colon), id: subject.slice(colon + 1) } : undefined;
}

/** The record key: Kafka key and order of everything about one subject of one tenant (protocol 1 and 2). */
export const recordKey = (tenant: string, subject: string): string => `${tenant}:${subject}`;
