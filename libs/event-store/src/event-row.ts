import type { EventMeta, StoredEvent } from './shapes';

/** The columns of an event, for statements that read whole events of the table `e`. */
export const EVENT_COLUMNS = `e.stream_id, e.version, e.position, e.service, e.tenant, e.subject, e.type, e.data, e.meta,
  e.occurred_at`;

/** A row of {@link EVENT_COLUMNS}. */
export interface EventRow {
  stream_id: string;
  version: number;
  position: string;
  service: string;
  tenant: string;
  subject: string;
  type: string;
  data: unknown;
  meta: EventMeta;
  occurred_at: Date;
}

export const eventOfRow = (row: EventRow): StoredEvent => ({
  streamId: row.stream_id,
  version: row.version,
  position: row.position,
  service: row.service,
  tenant: row.tenant,
  subject: row.subject,
  type: row.type,
  data: row.data,
  meta: row.meta,
  occurredAt: row.occurred_at,
});
