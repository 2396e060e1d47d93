import type { Pool } from 'pg';
import { sorted } from './errors';
import { rowsOf } from './query';
import type { Mail, MailKind } from './shapes';

/** Reads the mail that is due for a service, oldest first. Taking it is part of the batch that decides it. */
export async function dueMail(pool: Pool, service: string, limit: number): Promise<Mail[]> {
  try {
    const { rows } = await pool.query<MailRow>({
      name: 'refrain-mail',
      text: `select id, input_key, kind, key, stream_id, body, due from mailbox
             where service = $1 and not parked and due <= refrain_now() order by id limit $2`,
      values: [service, limit],
    });
    return rows.map(mailOfRow);
  } catch (error) {
    throw sorted(error);
  }
}

/** Whether a mail still waits; whoever took it has committed what it led to. */
export async function mailWaits(pool: Pool, id: string): Promise<boolean> {
  return (await rowsOf(pool, `select from mailbox where id = $1`, [id])).length > 0;
}

/** A row of the mailbox. */
export interface MailRow {
  id: string;
  input_key: string;
  kind: MailKind;
  key: string;
  stream_id: string | null;
  body: unknown;
  due: Date;
}

export const mailOfRow = (row: MailRow): Mail => ({
  id: row.id,
  inputKey: row.input_key,
  kind: row.kind,
  key: row.key,
  streamId: row.stream_id ?? undefined,
  body: row.body,
  due: row.due,
});
