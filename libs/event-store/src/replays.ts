import { randomBytes } from 'node:crypto';
import { type Queryable, rowsOf } from './query';

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
  /** Answers of queries that are missing are fetched and frozen into the plan. */
  reads: boolean;
  /** Records older than the receipts are planned too, although every effect of theirs looks new. */
  beyondReceipts: boolean;
  /** Its calls may take a day where that costs less: they go in lane `batch`. */
  batch: boolean;
  /** What the service is to go by instead of what it goes by now; such a replay is a preview and is never applied. */
  declared: unknown;
  /** What its calls may cost, in US dollars; no bound of its own where it is not said. */
  budgetUsd: number | undefined;
  offsets: Record<string, string>;
  recordsTotal: number | undefined;
  recordsSeen: number;
  error: string | undefined;
  requestedBy: string;
  requestedAt: Date;
}

/** Asks for a plan; the service makes it. Resolves to its id. */
export async function requestReplay(
  db: Queryable,
  asked: {
    service: string;
    topic: string;
    selection: ReplaySelection;
    by: string;
    reads?: boolean;
    beyondReceipts?: boolean;
    batch?: boolean;
    declared?: unknown;
  },
): Promise<string> {
  const id = `replay-${new Date().toISOString().slice(0, 10)}-${randomBytes(6).toString('hex')}`;
  await rowsOf(
    db,
    `insert into replay (id, service, topic, selection, requested_by, reads, beyond_receipts, batch, declared)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
    [
      id,
      asked.service,
      asked.topic,
      JSON.stringify(asked.selection),
      asked.by,
      asked.reads ?? false,
      asked.beyondReceipts ?? false,
      asked.batch ?? false,
      asked.declared === undefined ? null : JSON.stringify(asked.declared),
    ],
  );
  return id;
}

/** A replay by its id. */
export async function replayOf(db: Queryable, id: string): Promise<Replay | undefined> {
  const rows = await rowsOf<ReplayRow>(db, `select * from replay where id = $1`, [id]);
  return rows.map(replayOfRow)[0];
}

/** All replays, newest first. */
export async function replays(db: Queryable, limit = 50): Promise<Replay[]> {
  return (await rowsOf<ReplayRow>(db, `select * from replay order by requested_at desc limit $1`, [limit])).map(
    replayOfRow,
  );
}

/** The oldest replay of a service that has something to do: to be planned, or to be applied. */
export async function openReplay(db: Queryable, service: string): Promise<Replay | undefined> {
  const rows = await rowsOf<ReplayRow>(
    db,
    `select * from replay where service = $1 and state in ('requested', 'applying') order by requested_at limit 1`,
    [service],
  );
  return rows.map(replayOfRow)[0];
}

const endedStates: ReplayState[] = ['done', 'aborted', 'failed'];

/**
 * Moves a replay from one of the given states to another; resolves to whether it was in one of them. So a finished
 * replay is not applied again, a preview never, and two operators do not both start one.
 */
export async function moveReplay(
  db: Queryable,
  id: string,
  from: ReplayState[],
  to: ReplayState,
  over: { redo?: boolean; error?: string } = {},
): Promise<boolean> {
  const rows = await rowsOf(
    db,
    `with moved as (
       update replay set state = $3, redo = coalesce($4, redo), error = $5,
         planned_at = case when $3 = 'planned' then refrain_now() else planned_at end,
         ended_at = case when $6 then refrain_now() end
       where id = $1 and state = any ($2::text[]) and ($3 <> 'applying' or declared is null) returning id, service
     ), forgotten as (
       delete from replay_stream s using moved where s.replay_id = moved.id
     ), cleared as (
       delete from suspect s using moved where s.service = moved.service and starts_with(s.key, moved.id || '@')
     )
     select id from moved`,
    [id, from, to, over.redo ?? null, over.error ?? null, endedStates.includes(to)],
  );
  return rows.length > 0;
}

interface ReplayRow {
  id: string;
  service: string;
  topic: string;
  selection: ReplaySelection;
  state: ReplayState;
  redo: boolean;
  reads: boolean;
  beyond_receipts: boolean;
  batch: boolean;
  declared: unknown;
  budget: string | null;
  offsets: Record<string, string>;
  records_total: string | null;
  records_seen: string;
  error: string | null;
  requested_by: string;
  requested_at: Date;
}

const replayOfRow = (row: ReplayRow): Replay => ({
  id: row.id,
  service: row.service,
  topic: row.topic,
  selection: row.selection,
  state: row.state,
  redo: row.redo,
  reads: row.reads,
  beyondReceipts: row.beyond_receipts,
  batch: row.batch,
  declared: row.declared ?? undefined,
  budgetUsd: row.budget === null ? undefined : Number(row.budget) / 1_000_000,
  offsets: row.offsets,
  recordsTotal: row.records_total === null ? undefined : Number(row.records_total),
  recordsSeen: Number(row.records_seen),
  error: row.error ?? undefined,
  requestedBy: row.requested_by,
  requestedAt: row.requested_at,
});
