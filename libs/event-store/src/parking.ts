import type { Pool } from 'pg';
import { sorted } from './errors';
import { type MailRow, mailOfRow } from './mailbox';
import type { Mail } from './shapes';

/** A parked input key: what failed first, and how much waits behind it. */
export interface ParkedKey {
  service: string;
  inputKey: string;
  code: string;
  reason: string;
  since: Date;
  /** Inputs that wait, the failed one included. */
  waiting: number;
  /** Who asked for its release, while it is being released. */
  releasedBy: string | undefined;
}

/** Which parked keys are meant; a field that is left out means any. */
export interface ParkedSelection {
  service?: string;
  inputKey?: string;
  code?: string;
  /** Parked at least this long, in milliseconds. */
  olderThanMs?: number;
}

const SELECTED = `($1::text is null or service = $1) and ($2::text is null or input_key = $2)
  and ($3::text is null or code = $3) and ($4::float8 is null or since <= refrain_now() - make_interval(secs => $4 / 1000))`;

const valuesOf = (s: ParkedSelection) => [s.service ?? null, s.inputKey ?? null, s.code ?? null, s.olderThanMs ?? null];

/** Lists parked keys, the longest parked first. */
export async function parkedKeys(pool: Pool, selection: ParkedSelection = {}): Promise<ParkedKey[]> {
  const { rows } = await query<ParkedRow>(
    pool,
    `select p.*, (select count(*)::int from mailbox m
       where m.service = p.service and m.input_key = p.input_key and m.parked) as waiting
     from parked_key p where ${SELECTED} order by since`,
    valuesOf(selection),
  );
  return rows.map((row) => ({
    service: row.service,
    inputKey: row.input_key,
    code: row.code,
    reason: row.reason,
    since: row.since,
    waiting: row.waiting,
    releasedBy: row.released_by ?? undefined,
  }));
}

/** What waits behind a parked key, in the order in which it will be decided. */
export async function parkedMail(pool: Pool, service: string, inputKey: string, limit: number): Promise<Mail[]> {
  const { rows } = await query<MailRow>(pool, PARKED_MAIL, [service, inputKey, limit]);
  return rows.map(mailOfRow);
}

/** Asks for the release of parked keys; their service does it, in order. Resolves to how many were asked for. */
export async function requestRelease(pool: Pool, selection: ParkedSelection, by: string): Promise<number> {
  const text = `update parked_key set released_by = $5 where released_by is null and ${SELECTED}`;
  const { rowCount } = await query(pool, text, [...valuesOf(selection), by]);
  return rowCount ?? 0;
}

/** Keys of a service whose release was asked for, oldest first. */
export async function keysToRelease(pool: Pool, service: string, limit: number): Promise<string[]> {
  const { rows } = await query<{ input_key: string }>(
    pool,
    `select input_key from parked_key where service = $1 and released_by is not null order by since limit $2`,
    [service, limit],
  );
  return rows.map((row) => row.input_key);
}

/** The parked mail of a key, oldest first: service, input key, limit. */
export const PARKED_MAIL = `select id, input_key, kind, key, stream_id, body, due from mailbox
  where service = $1 and input_key = $2 and parked order by id limit $3`;

interface ParkedRow {
  service: string;
  input_key: string;
  code: string;
  reason: string;
  since: Date;
  waiting: number;
  released_by: string | null;
}

async function query<R extends object>(pool: Pool, text: string, values: unknown[]) {
  try {
    return await pool.query<R>(text, values);
  } catch (error) {
    throw sorted(error);
  }
}
