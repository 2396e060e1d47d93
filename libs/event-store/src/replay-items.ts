import type { Pool } from 'pg';
import { copyIn } from './copy';
import { atomically, type Queryable, rowsOf } from './query';
import type { LedgerEntry } from './replay-view';
import type { KnownEvent } from './batch-statements';

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

/** What the items of a plan so far would leave on a stream: its events to come, and the newest state of its slots. */
export interface SimulatedStream {
  events: Pick<KnownEvent, 'type' | 'data'>[];
  effects: LedgerEntry[];
}

/** A page of records that were looked at: those that became items, and how far planning has come with it. */
export interface ReplayPage {
  /** Records that were seen before this page, and with it. */
  from: number;
  to: number;
  total: number;
  /** Items before this page. */
  items: number;
  offsets: Record<string, string>;
  added: Pick<ReplayItem, 'source' | 'subject' | 'body' | 'plan'>[];
  simulated: ReadonlyMap<string, SimulatedStream>;
}

/**
 * Adds a page of items, what they would leave, and how far planning has come; all or nothing, so a crash repeats no
 * record and skips none. Resolves to false, having added nothing, where the plan is no longer wanted or somebody else
 * planned this page.
 */
export async function addReplayPage(pool: Pool, id: string, page: ReplayPage): Promise<boolean> {
  return atomically(pool, async (tx) => {
    const noted = await rowsOf(
      tx,
      `update replay set offsets = $2, records_seen = $3, records_total = $4
       where id = $1 and state = 'requested' and records_seen = $5 returning id`,
      [id, JSON.stringify(page.offsets), page.to, page.total, page.from],
    );
    if (noted.length === 0) return false;
    if (page.added.length > 0) {
      const rows = page.added.map(({ source, subject, body, plan }, i) => [
        ...[id, String(page.items + i + 1), source, subject],
        ...[JSON.stringify(body), JSON.stringify(plan)],
      ]);
      await copyIn(tx, 'copy replay_item (replay_id, seq, source, subject, body, plan) from stdin', rows);
    }
    if (page.simulated.size > 0) {
      const streams = [...page.simulated].sort(([a], [b]) => (a < b ? -1 : 1));
      await rowsOf(
        tx,
        `insert into replay_stream (replay_id, stream_id, events, effects)
         select $1, stream, events::json, effects::json
         from unnest($2::text[], $3::text[], $4::text[]) as u (stream, events, effects)
         on conflict (replay_id, stream_id) do update set events = excluded.events, effects = excluded.effects`,
        [
          id,
          streams.map(([stream]) => stream),
          streams.map(([, { events }]) => JSON.stringify(events)),
          streams.map(([, { effects }]) => JSON.stringify(effects)),
        ],
      );
    }
    return true;
  });
}

/** What the plan's items so far would leave on some streams. */
export async function simulatedStreams(
  db: Queryable,
  id: string,
  streams: string[],
): Promise<Map<string, SimulatedStream>> {
  const rows = await rowsOf<SimulatedStream & { stream_id: string }>(
    db,
    `select stream_id, events, effects from replay_stream where replay_id = $1 and stream_id = any ($2::text[])`,
    [id, streams],
  );
  return new Map(rows.map(({ stream_id, events, effects }) => [stream_id, { events, effects }]));
}

/** Items of a replay in the order of their records; those in one state, or all. */
export async function replayItems(db: Queryable, id: string, page: ItemPage): Promise<ReplayItem[]> {
  const rows = await rowsOf<ItemRow & { body: unknown }>(
    db,
    `select seq, source, subject, body, plan, state, reason ${OF_REPLAY}`,
    [id, page.state ?? null, page.after ?? '0', page.limit],
  );
  return rows.map((row) => ({ ...row, reason: row.reason ?? undefined }));
}

/** The same without the records' bodies: what was planned, and what became of it. */
export async function replayPlans(db: Queryable, id: string, page: ItemPage): Promise<Omit<ReplayItem, 'body'>[]> {
  const rows = await rowsOf<ItemRow>(db, `select seq, source, subject, plan, state, reason ${OF_REPLAY}`, [
    id,
    page.state ?? null,
    page.after ?? '0',
    page.limit,
  ]);
  return rows.map((row) => ({ ...row, reason: row.reason ?? undefined }));
}

/** How many items a replay has, and how many of them still wait to be applied. */
export async function countReplayItems(db: Queryable, id: string): Promise<{ all: number; open: number }> {
  const [row] = await rowsOf<{ all: number; open: number }>(
    db,
    `select coalesce((select max(seq) from replay_item where replay_id = $1), 0)::int as all,
       (select count(*) from replay_item where replay_id = $1 and state = 'planned')::int as open`,
    [id],
  );
  return row ?? { all: 0, open: 0 };
}

/** Notes what became of an item; part of the transaction that applies it. `plan` replaces the one that was shown. */
export async function noteReplayItem(
  db: Queryable,
  id: string,
  seq: string,
  became: { state: 'applied' | 'held'; reason?: string; plan?: unknown },
): Promise<void> {
  await rowsOf(
    db,
    `update replay_item set state = $3, reason = $4, plan = coalesce($5::json, plan)
     where replay_id = $1 and seq = $2::bigint and state = 'planned'`,
    [id, seq, became.state, became.reason ?? null, became.plan === undefined ? null : JSON.stringify(became.plan)],
  );
}

interface ItemPage {
  state?: ReplayItem['state'];
  after?: string;
  limit: number;
}

interface ItemRow extends Omit<ReplayItem, 'body' | 'reason'> {
  reason: string | null;
}

const OF_REPLAY = `from replay_item
  where replay_id = $1 and ($2::text is null or state = $2) and seq > $3::bigint order by seq limit $4`;
