import { type Outcome, shardOf } from './batch-statements';
import { microsOf } from './spend';

/** A prepared statement with its values. */
export interface Prepared {
  name: string;
  text: string;
  values: unknown[];
}

/** What a writing statement makes sure of besides: under which locks it writes, and that parking is as it was read. */
export interface Entry {
  lockClass: number;
  /** Buckets of the batch's input keys; empty where the caller holds them. */
  buckets: number[];
  /** Input keys that were decided: none of them may be parked. */
  open: string[];
  /** Input keys behind which something was put: all of them must be parked. */
  parked: string[];
}

/** A column of rows that are written: its name, its type, and its value of a row. */
type Column<Row> = [name: string, type: string, value: (row: Row) => unknown];

/** One part of the statement: rows of one table. */
interface Part<Row> {
  rows: (outcome: Outcome) => Row[];
  columns: Column<Row>[];
  /** The part's SQL; `source` are its rows, with their columns and `ord`, their place. */
  sql: (source: string) => string;
}
const part = <Row>(one: Part<Row>): Part<unknown> => one as Part<unknown>;

const NOW = '(select now from at)';

// The order of the parts is part of the statements' names.
const parts = {
  dated: part({
    rows: ({ marks }) => marks.filter((m) => 'day' in m),
    columns: [
      ['key', 'text', (m) => m.key],
      ['day', 'date', (m) => m.day],
      ['decided', 'json', (m) => JSON.stringify(m.decided)],
    ],
    sql: (source) => `insert into inbox (service, key, day, decided, received_at)
      select $1, key, day, decided, ${NOW} from ${source}`,
  }),
  undated: part({
    rows: ({ marks }) => marks.filter((m) => 'received' in m),
    columns: [
      ['key', 'text', (m) => m.key],
      ['received', 'timestamptz', (m) => m.received],
      ['decided', 'json', (m) => JSON.stringify(m.decided)],
    ],
    sql: (source) => `insert into inbox_undated as i (service, key, received, decided)
      select $1, key, received, decided from ${source}
      on conflict (service, key) do update set received = excluded.received, decided = excluded.decided
        where i.received < excluded.received - interval '24 hours'
      returning 1`,
  }),
  appended: part({
    rows: ({ events }) => events,
    columns: [
      ['stream_id', 'text', (e) => e.streamId],
      ['version', 'int', (e) => e.version],
      ['shard', 'smallint', (e) => shardOf(e.streamId)],
      ['tenant', 'text', (e) => e.tenant],
      ['subject', 'text', (e) => e.subject],
      ['type', 'text', (e) => e.type],
      ['data', 'json', (e) => JSON.stringify(e.data)],
      ['meta', 'json', (e) => JSON.stringify(e.meta)],
    ],
    sql: (
      source,
    ) => `insert into event (position, service, stream_id, version, shard, tenant, subject, type, data, meta,
        occurred_at)
      select nextval('event_position'), $1, stream_id, version, shard, tenant, subject, type, data, meta, ${NOW}
      from (select * from ${source} order by ord) as e
      returning position, shard
    ), unsent as (
      insert into unpublished (service, shard, position) select $1, shard, position from appended`,
  }),
  owed: part({
    rows: ({ effects }) => effects,
    columns: [
      ['slot', 'text', (e) => e.slot],
      ['generation', 'int', (e) => e.generation],
      ['tenant', 'text', (e) => e.tenant],
      ['subject', 'text', (e) => e.subject],
      ['stream_id', 'text', (e) => e.streamId],
      ['kind', 'text', (e) => e.kind],
      ['purpose', 'text', (e) => e.purpose],
      ['root_cause', 'text', (e) => e.rootCause],
      ['order_key', 'text', (e) => e.orderKey ?? null],
      ['request', 'json', (e) => JSON.stringify(e.request)],
      ['request_hash', 'text', (e) => e.requestHash],
      ['meta', 'json', (e) => JSON.stringify(e.meta)],
      ['lane', 'text', (e) => e.lane ?? 'live'],
      ['since', 'timestamptz', (e) => e.owedSince ?? null],
      ['shares', 'text', (e) => e.shares ?? null],
      // Of a call that owners share, the call waits for company, not they.
      ['waits_for', 'text', (e) => (e.shares === undefined ? e.gathers : undefined) ?? null],
      ['spend', 'bigint', (e) => (e.spend ? microsOf(e.spend.usd) : null)],
      ['spend_like', 'text', (e) => e.spend?.like ?? null],
    ],
    sql: (
      source,
    ) => `insert into effect (service, slot, generation, tenant, subject, stream_id, kind, purpose, root_cause,
        order_key, request, request_hash, meta, lane, due, owed_at, shares, waits_for, spend, spend_like)
      select $1, slot, generation, tenant, subject, stream_id, kind, purpose, root_cause, order_key, request,
        request_hash, meta, lane, coalesce(since, ${NOW}), coalesce(since, ${NOW}), shares, waits_for, spend,
        spend_like
      from ${source} order by slot
      on conflict (slot, generation) do nothing`,
  }),
  mailed: part({
    rows: ({ mail }) => mail,
    columns: [
      ['input_key', 'text', (m) => m.inputKey],
      ['kind', 'text', (m) => m.kind],
      ['key', 'text', (m) => m.key],
      ['stream_id', 'text', (m) => m.streamId ?? null],
      ['body', 'json', (m) => JSON.stringify(m.body)],
      ['parked', 'boolean', (m) => m.parked],
      ['due', 'timestamptz', (m) => m.due?.toISOString() ?? null],
    ],
    sql: (source) => `insert into mailbox (service, input_key, kind, key, stream_id, body, parked, due)
      select $1, input_key, kind, key, stream_id, body, parked, coalesce(due, ${NOW})
      from (select * from ${source} order by ord) as m`,
  }),
  taken: part({
    rows: ({ taken }) => taken,
    columns: [['id', 'bigint', (id) => id]],
    sql: (source) => `delete from mailbox where id in (select id from ${source}) returning 1`,
  }),
  waiting: part({
    rows: ({ parkedMail }) => parkedMail,
    columns: [['id', 'bigint', (id) => id]],
    sql: (source) => `update mailbox set parked = true where id in (select id from ${source}) returning 1`,
  }),
};
type Name = keyof typeof parts;
const order = Object.entries(parts) as [Name, Part<unknown>][];

// Parts whose every row must find its place: where one does not, somebody else was quicker.
const counted: Partial<Record<Name, string>> = {
  undated: 'an undated input was claimed meanwhile',
  taken: 'mail was taken meanwhile',
  waiting: 'mail was taken meanwhile',
};

/** A part that a statement has, with how many rows and with how many values before its own. */
interface Used {
  name: Name;
  part: Part<unknown>;
  rows: number;
  before: number;
}

const ENTRY_VALUES = 5;
const texts = new Map<string, string>();

/**
 * The one statement that writes marks, events, effects and mail, all or nothing. It raises a serialisation failure where
 * mail or an undated input was taken meanwhile, or a key was parked or freed; a unique violation where a version moved
 * or a mark exists. The locks and the look at parked keys come first and see what committed until then (`refrain_enter`).
 * What a batch has nothing of is left out, and one row is no array: each shape that occurs is planned once.
 */
export function writingStatement(service: string, outcome: Outcome, entry: Entry): Prepared {
  const values: unknown[] = [service, entry.lockClass, entry.buckets, entry.open, entry.parked];
  const used: Used[] = [];
  for (const [name, one] of order) {
    const rows = one.rows(outcome);
    if (rows.length === 0) continue;
    used.push({ name, part: one, rows: rows.length, before: values.length });
    for (const [, , valueOf] of one.columns) values.push(rows.length === 1 ? valueOf(rows[0]) : rows.map(valueOf));
  }
  const name = `refrain-write ${used.map((u) => `${u.name}${u.rows === 1 ? '-1' : ''}`).join(' ')}`;
  let text = texts.get(name);
  if (text === undefined) texts.set(name, (text = textOf(used)));
  return { name, text, values: [...values, ...used.filter((u) => counted[u.name]).map((u) => u.rows)] };
}

function textOf(used: Used[]): string {
  const last = used.reduce((sum, u) => sum + u.part.columns.length, ENTRY_VALUES);
  const ctes = used.map((u) => `${u.name} as (${u.part.sql(sourceOf(u))})`);
  const checks = used
    .filter((u) => counted[u.name])
    .map((u, i) => {
      const expected = `$${String(last + 1 + i)}::int`;
      return `when (select count(*) from ${u.name}) <> ${expected} then refrain_conflict('${counted[u.name] ?? ''}')`;
    });
  return `with ${['at as materialized (select now from refrain_clock())', ...ctes].join(', ')}
    select case when refrain_enter($1, $2::int, $3::int[], $4::text[], $5::text[]) then 0 ${checks.join(' ')} end`;
}

function sourceOf({ part: { columns }, rows, before }: Used): string {
  const names = columns.map(([name]) => name).join(', ');
  const typed = columns.map(([, type], i) => `$${String(before + 1 + i)}::${type}${rows === 1 ? '' : '[]'}`).join(', ');
  return rows === 1
    ? `(values (${typed}, 1)) as u (${names}, ord)`
    : `unnest(${typed}) with ordinality as u (${names}, ord)`;
}
