import { type Queryable, rowsOf } from './query';

/** The newest generation of a slot, as replay compares it. */
export interface LedgerEntry {
  slot: string;
  generation: number;
  state: string;
  requestHash: string;
  answer: unknown;
  code: string | null;
  /** RFC 3339. */
  settledAt: string | null;
}

/** What the ledger knows of some streams: the newest generation of every slot. */
export async function ledgerOf(db: Queryable, streams: string[]): Promise<Map<string, LedgerEntry>> {
  const rows = await rowsOf<LedgerRow>(db, `${NEWEST} order by slot, generation desc`, [streams]);
  return new Map(rows.map((row) => [row.slot, entryOf(row)] as const));
}

/** What a plan must know of inputs that were decided once: on which streams, read at which version. */
export async function marksOf(
  db: Queryable,
  service: string,
  inboxes: ({ key: string } & ({ day: string } | { received: string }))[],
): Promise<Map<string, { stream: string; version: number }[]>> {
  const dated = inboxes.filter((inbox) => 'day' in inbox);
  const undated = inboxes.filter((inbox) => 'received' in inbox);
  const rows = await rowsOf<{ key: string; decided: { stream: string; version: number }[] }>(
    db,
    // Each mark is looked up in its day: as a join the planner may read every day's.
    `select i.key, i.decided from unnest($2::text[], $3::date[]) as m (key, day),
       lateral (select key, decided from inbox where service = $1 and key = m.key and day = m.day) as i
     union all select key, decided from inbox_undated where service = $1 and key = any ($4::text[])`,
    [service, dated.map(({ key }) => key), dated.map(({ day }) => day), undated.map(({ key }) => key)],
  );
  return new Map(rows.map((row) => [row.key, row.decided]));
}

/** Which streams the vendors' own ids belong to (protocol 9), by `tenant|vendor|id`; those that are known. */
export async function correlated(
  db: Queryable,
  service: string,
  ids: { tenant: string; vendor: string; externalId: string }[],
): Promise<Map<string, string>> {
  if (ids.length === 0) return new Map();
  const rows = await rowsOf<{ id: string; stream_id: string }>(
    db,
    `select concat_ws('|', tenant, vendor, external_id) as id, stream_id from correlation
     where service = $1 and stream_id is not null and (tenant, vendor, external_id) in
       (select * from unnest($2::text[], $3::text[], $4::text[]))`,
    [service, ids.map((i) => i.tenant), ids.map((i) => i.vendor), ids.map((i) => i.externalId)],
  );
  return new Map(rows.map((row) => [row.id, row.stream_id]));
}

/** Streams on which a replay has effects that are not settled yet, of those given (protocol 24). */
export async function unsettledStreams(db: Queryable, id: string, streams: string[]): Promise<Set<string>> {
  const rows = await rowsOf<{ stream_id: string }>(
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

/** What the transaction of one item must know besides its streams. */
export interface ItemView {
  ledger: Map<string, LedgerEntry>;
  answers: Map<string, FrozenAnswer>;
}

/**
 * Takes an item for its transaction: it is locked, and nobody else applies it. Undefined where its replay is not being
 * applied any more, or somebody else has applied it.
 */
export async function takeReplayItem(
  db: Queryable,
  id: string,
  seq: string,
  streams: string[],
): Promise<ItemView | undefined> {
  const [row] = await rowsOf<{ ledger: LedgerRow[] | null; answers: AnswerRow[] | null }>(
    db,
    `select (select json_agg(l) from (${NEWEST.replace('$1', '$3')} order by slot, generation desc) l) as ledger,
       (select json_agg(a) from (select slot, request_hash, answer, read_at from replay_answer
         where replay_id = $1 and stream_id = any ($3::text[])) a) as answers
     from replay_item i join replay r on r.id = i.replay_id
     where i.replay_id = $1 and i.seq = $2::bigint and i.state = 'planned' and r.state = 'applying'
     for update of i`,
    [id, seq, streams],
  );
  if (!row) return undefined;
  return {
    ledger: new Map((row.ledger ?? []).map((entry) => [entry.slot, entryOf(entry)])),
    answers: new Map((row.answers ?? []).map((answer) => [answer.slot, answerOf(answer)])),
  };
}

/** A query's answer that a plan fetched: what apply goes by. */
export interface FrozenAnswer {
  requestHash: string;
  answer: unknown;
  /** RFC 3339. */
  readAt: string;
}

/** The answers that a plan has fetched about some streams, by slot. */
export async function frozenAnswers(db: Queryable, id: string, streams: string[]): Promise<Map<string, FrozenAnswer>> {
  const rows = await rowsOf<AnswerRow>(
    db,
    `select slot, request_hash, answer, read_at from replay_answer
     where replay_id = $1 and stream_id = any ($2::text[])`,
    [id, streams],
  );
  return new Map(rows.map((row) => [row.slot, answerOf(row)]));
}

interface LedgerRow extends Omit<LedgerEntry, 'requestHash' | 'settledAt'> {
  request_hash: string;
  settled_at: Date | string | null;
}

interface AnswerRow {
  slot: string;
  request_hash: string;
  answer: unknown;
  read_at: Date | string;
}

const NEWEST = `select distinct on (slot) slot, generation, state, request_hash, answer, code, settled_at from effect
  where stream_id = any ($1::text[])`;

const entryOf = ({ request_hash, settled_at, ...entry }: LedgerRow): LedgerEntry => ({
  ...entry,
  requestHash: request_hash,
  settledAt: settled_at === null ? null : new Date(settled_at).toISOString(),
});

const answerOf = ({ request_hash, read_at, answer }: AnswerRow): FrozenAnswer => ({
  requestHash: request_hash,
  answer,
  readAt: new Date(read_at).toISOString(),
});
