import { randomBytes } from 'node:crypto';
import type { Pool, PoolClient } from 'pg';
import { sorted } from './errors';

/** A connection or a pool of them. */
export type Queryable = Pool | PoolClient;

/** Which records of a topic an operator wants to be looked at again. Times are RFC 3339. */
export interface ReplaySelection {
  from?: string;
  to?: string;
  /** First and last-but-one offset by partition; instead of times. */
  offsets?: Record<string, [string, string]>;
  tenant?: string;
  subject?: string;
  /** An expression over the record; see the command's help. */
  filter?: string;
}

export type ReplayState = 'requested' | 'planned' | 'applying' | 'paused' | 'aborted' | 'done' | 'failed';

/** A replay: a plan first, applied only when an operator says so. */
export interface Replay {
  id: string;
  service: string;
  topic: string;
  selection: ReplaySelection;
  state: ReplayState;
  redo: boolean;
  offsets: Record<string, string>;
  recordsTotal: number | undefined;
  recordsSeen: number;
  error: string | undefined;
  requestedBy: string;
  requestedAt: Date;
}

/** One record of a plan. `source` is topic/partition/offset; `plan` is what libs/process found. */
export interface ReplayItem {
  seq: string;
  source: string;
  subject: string;
  body: unknown;
  plan: unknown;
  state: 'planned' | 'applied' | 'held';
  reason: string | undefined;
}

/** Asks for a plan; the service makes it. Resolves to its id. */
export async function requestReplay(
  db: Queryable,
  asked: { service: string; topic: string; selection: ReplaySelection; by: string },
): Promise<string> {
  const id = `replay-${new Date().toISOString().slice(0, 10)}-${randomBytes(3).toString('hex')}`;
  await query(db, `insert into replay (id, service, topic, selection, requested_by) values ($1, $2, $3, $4, $5)`, [
    id,
    asked.service,
    asked.topic,
    JSON.stringify(asked.selection),
    asked.by,
  ]);
  return id;
}

/** A replay by its id. */
export async function replayOf(db: Queryable, id: string): Promise<Replay | undefined> {
  const rows = await query<ReplayRow>(db, `select * from replay where id = $1`, [id]);
  return rows.map(replayOfRow)[0];
}

/** All replays, newest first. */
export async function replays(db: Queryable, limit = 50): Promise<Replay[]> {
  return (await query<ReplayRow>(db, `select * from replay order by requested_at desc limit $1`, [limit])).map(
    replayOfRow,
  );
}

/** The oldest replay of a service that has something to do: to be planned, or to be applied. */
export async function openReplay(db: Queryable, service: string): Promise<Replay | undefined> {
  const rows = await query<ReplayRow>(
    db,
    `select * from replay where service = $1 and state in ('requested', 'applying') order by requested_at limit 1`,
    [service],
  );
  return rows.map(replayOfRow)[0];
}

/** Adds a page of items together with how far planning has come: a crash repeats no record and skips none. */
export async function addReplayItems(
  db: Queryable,
  id: string,
  items: Pick<ReplayItem, 'source' | 'subject' | 'body' | 'plan'>[],
  progress: { offsets: Record<string, string>; seen: number; total: number },
): Promise<void> {
  await query(
    db,
    `with noted as (
       update replay set offsets = $2, records_seen = records_seen + $3, records_total = $4 where id = $1
     ), first as (select coalesce(max(seq), 0) as seq from replay_item where replay_id = $1)
     insert into replay_item (replay_id, seq, source, subject, body, plan)
     select $1, first.seq + ord, source, subject, body::json, plan::json
     from first, unnest($5::text[], $6::text[], $7::text[], $8::text[]) with ordinality
       as u (source, subject, body, plan, ord)`,
    [
      id,
      JSON.stringify(progress.offsets),
      progress.seen,
      progress.total,
      items.map((item) => item.source),
      items.map((item) => item.subject),
      items.map((item) => JSON.stringify(item.body)),
      items.map((item) => JSON.stringify(item.plan)),
    ],
  );
}

const endedStates: ReplayState[] = ['done', 'aborted', 'failed'];

/**
 * Moves a replay from one of the given states to another; resolves to whether it was in one of them. So a finished
 * replay is not applied again, and two operators do not both start one.
 */
export async function moveReplay(
  db: Queryable,
  id: string,
  from: ReplayState[],
  to: ReplayState,
  over: { redo?: boolean; error?: string } = {},
): Promise<boolean> {
  const rows = await query(
    db,
    `update replay set state = $3, redo = coalesce($4, redo), error = $5,
       planned_at = case when $3 = 'planned' then refrain_now() else planned_at end,
       ended_at = case when $6 then refrain_now() end
     where id = $1 and state = any ($2::text[]) returning id`,
    [id, from, to, over.redo ?? null, over.error ?? null, endedStates.includes(to)],
  );
  return rows.length > 0;
}

/** Items of a replay in the order of their records; those in one state, or all. */
export async function replayItems(
  db: Queryable,
  id: string,
  page: { state?: ReplayItem['state']; after?: string; limit: number },
): Promise<ReplayItem[]> {
  const rows = await query<ItemRow>(
    db,
    `select seq, source, subject, body, plan, state, reason from replay_item
     where replay_id = $1 and ($2::text is null or state = $2) and seq > $3::bigint order by seq limit $4`,
    [id, page.state ?? null, page.after ?? '0', page.limit],
  );
  return rows.map((row) => ({ ...row, reason: row.reason ?? undefined }));
}

/** Notes what became of an item; part of the transaction that applies it. */
export async function noteReplayItem(
  db: Queryable,
  id: string,
  seq: string,
  state: 'applied' | 'held',
  reason?: string,
): Promise<void> {
  await query(db, `update replay_item set state = $3, reason = $4 where replay_id = $1 and seq = $2::bigint`, [
    id,
    seq,
    state,
    reason ?? null,
  ]);
}

/** Streams on which a replay has effects that are not settled yet, of those given (protocol 24). */
export async function unsettledStreams(db: Queryable, id: string, streams: string[]): Promise<Set<string>> {
  const rows = await query<{ stream_id: string }>(
    db,
    `select distinct stream_id from effect where stream_id = any ($2::text[])
       and state in ('owed', 'running', 'unknown') and meta->>'replayId' = $1
     union
     select distinct stream_id from mailbox where stream_id = any ($2::text[]) and not parked
       and kind = 'outcome' and body->'meta'->>'replayId' = $1`,
    [id, streams],
  );
  return new Set(rows.map((row) => row.stream_id));
}

/** The newest generation of a slot, as replay compares it. */
export interface LedgerEntry {
  slot: string;
  generation: number;
  state: string;
  requestHash: string;
  answer: unknown;
  code: string | null;
  settledAt: Date | null;
}

/** What the ledger knows of some streams: the newest generation of every slot. */
export async function ledgerOf(db: Queryable, streams: string[]): Promise<Map<string, LedgerEntry>> {
  const rows = await query<LedgerRow>(
    db,
    `select distinct on (slot) slot, generation, state, request_hash, answer, code, settled_at from effect
     where stream_id = any ($1::text[]) order by slot, generation desc`,
    [streams],
  );
  return new Map(
    rows.map((row) => [row.slot, { ...row, requestHash: row.request_hash, settledAt: row.settled_at }] as const),
  );
}

/** What a plan must know of inputs that were decided once: on which streams, read at which version. */
export async function marksOf(
  db: Queryable,
  service: string,
  keys: string[],
): Promise<Map<string, { stream: string; version: number }[]>> {
  const rows = await query<{ key: string; decided: { stream: string; version: number }[] }>(
    db,
    `select key, decided from inbox where service = $1 and key = any ($2::text[])
     union all select key, decided from inbox_undated where service = $1 and key = any ($2::text[])`,
    [service, keys],
  );
  return new Map(rows.map((row) => [row.key, row.decided]));
}

interface ReplayRow {
  id: string;
  service: string;
  topic: string;
  selection: ReplaySelection;
  state: ReplayState;
  redo: boolean;
  offsets: Record<string, string>;
  records_total: string | null;
  records_seen: string;
  error: string | null;
  requested_by: string;
  requested_at: Date;
}

interface ItemRow extends Omit<ReplayItem, 'reason'> {
  reason: string | null;
}

interface LedgerRow extends Omit<LedgerEntry, 'requestHash' | 'settledAt'> {
  request_hash: string;
  settled_at: Date | null;
}

const replayOfRow = (row: ReplayRow): Replay => ({
  id: row.id,
  service: row.service,
  topic: row.topic,
  selection: row.selection,
  state: row.state,
  redo: row.redo,
  offsets: row.offsets,
  recordsTotal: row.records_total === null ? undefined : Number(row.records_total),
  recordsSeen: Number(row.records_seen),
  error: row.error ?? undefined,
  requestedBy: row.requested_by,
  requestedAt: row.requested_at,
});

async function query<R extends object>(db: Queryable, text: string, values: unknown[]): Promise<R[]> {
  try {
    return (await db.query<R>(text, values)).rows;
  } catch (error) {
    throw sorted(error);
  }
}
