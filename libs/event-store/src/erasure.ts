import { MAIL_ENDED } from './ledger-statements';
import { type Queryable, rowsOf, run } from './query';
import { forgetCalls } from './sealed-calls';
import type { BatchTransaction } from './transaction';

/** Whose data is erased in one service, and the input keys that its mail may wait under. */
export interface Erasing {
  service: string;
  tenant: string;
  /** As it stands on rows: `contact:1`. */
  subject: string;
  inputKeys: string[];
}

/** What an erasure found of a subject; each number is of rows that lost what they held. */
export interface Erased {
  /** Effects whose request and answer are gone, whatever state they were in. */
  effects: number;
  /** Those of them that were still open: `decide` is told `erased`. */
  cancelled: number;
  /** Answers that `decide` had not heard yet: it is told `erased` instead. */
  outcomes: number;
  /** Records and callbacks that waited, dropped. */
  inputs: number;
  /** Parked keys that are free again. */
  freed: number;
  /** Receipts of shared calls that were nobody else's. */
  shared: number;
  /** Items of replays that lost their record, and answers that plans had fetched. */
  planned: number;
}

/** Services that hold something of a subject, or something that waits for it. */
export async function servicesHolding(db: Queryable, tenant: string, subject: string): Promise<string[]> {
  const rows = await rowsOf<{ service: string }>(db, SERVICES, [tenant, `${tenant}:${subject}`, subject]);
  return rows.map(({ service }) => service);
}

/** The input keys of a subject in a service: its own, and those under which inputs of it were set aside alone. */
export async function inputKeysOf(db: Queryable, service: string, recordKey: string): Promise<string[]> {
  const rows = await rowsOf<{ input_key: string }>(db, INPUT_KEYS, [service, recordKey]);
  return [...new Set([recordKey, ...rows.map((row) => row.input_key)])];
}

/**
 * Takes what a subject's inputs and mail say out of the mailbox, and frees its parked keys. Records and callbacks are
 * dropped, those too that were kept with a vendor's id; an answer that was not decided yet is told as `erased`; timers, which say nothing, and all other ends are
 * decided as usual. The caller holds the keys exclusively. Resolves to the dropped inputs by freed or open input key.
 */
export async function eraseMail(
  tx: BatchTransaction,
  { service, tenant, subject, inputKeys }: Erasing,
): Promise<{ dropped: { inputKey: string; key: string }[]; freed: string[]; outcomes: number }> {
  const { rows } = await run<{ input_key: string; key: string; kind: string; told: boolean }>(
    tx.db,
    'refrain-erase-mail',
    ERASE_MAIL,
    [service, inputKeys],
  );
  const freed = await run<{ input_key: string }>(tx.db, 'refrain-erase-parking', FREE, [service, inputKeys]);
  await run(tx.db, 'refrain-erase-callbacks', FORGET_CALLBACKS, [service, `${tenant}:${subject}`]);
  return {
    dropped: rows.filter(isDropped).map(({ input_key, key }) => ({ inputKey: input_key, key })),
    freed: freed.rows.map((row) => row.input_key),
    outcomes: rows.filter((row) => row.told).length,
  };
}

const isDropped = ({ kind }: { kind: string }): boolean => kind === 'record' || kind === 'callback';

/**
 * Erases all effects of a subject: their receipts stay, so that none is performed again, without what was asked and
 * answered. Owners of open ones are told `erased`; a call that runs goes on, and its answer is not taken. A shared call
 * stays for the owners of other subjects; where there is none, it is erased too, and its content may be asked again.
 */
export async function eraseEffects(
  tx: BatchTransaction,
  { service, tenant, subject }: Erasing,
): Promise<Pick<Erased, 'effects' | 'cancelled' | 'shared'>> {
  // Shared calls before their owners, as whoever settles one. From here on nobody joins or settles them.
  const calls = await run<{ slot: string }>(tx.db, 'refrain-erase-lock-calls', LOCK_CALLS, [service, tenant, subject]);
  await run(tx.db, 'refrain-erase-lock', LOCK_EFFECTS, [service, tenant, subject]);
  const { rows } = await run<{ slot: string; open: boolean }>(tx.db, 'refrain-erase', ERASE, [
    service,
    tenant,
    subject,
  ]);
  await forgetCalls(
    tx.db,
    [...rows, ...calls.rows].map(({ slot }) => slot),
  );
  // A statement of its own: it sees the owners who joined while this transaction waited for the calls.
  const shared = await run(tx.db, 'refrain-erase-calls', ERASE_CALLS, [calls.rows.map(({ slot }) => slot)]);
  return {
    effects: rows.length,
    cancelled: rows.filter(({ open }) => open).length,
    shared: shared.rowCount ?? 0,
  };
}

/**
 * Takes what a subject's records say out of the service's replays: items that were not applied are held. Resolves to how
 * many items and fetched answers held something.
 */
export async function erasePlans(tx: BatchTransaction, { service, tenant, subject }: Erasing): Promise<number> {
  const key = `${tenant}:${subject}`;
  const items = await run(tx.db, 'refrain-erase-items', ERASE_ITEMS, [service, key]);
  const answers = await run(tx.db, 'refrain-erase-answers', ERASE_OF_STREAMS('replay_answer'), [service, key]);
  await run(tx.db, 'refrain-erase-streams', ERASE_OF_STREAMS('replay_stream'), [service, key]);
  return (items.rowCount ?? 0) + (answers.rowCount ?? 0);
}

const OF_KEY = (column: string): string => `(${column} = $2 or starts_with(${column}, $2 || '|'))`;
// A stream's id is its context, a dash, and the record's key, with a name behind it where there are several.
const OF_STREAM = (column: string): string => `
  (substr(${column}, strpos(${column}, '-') + 1) = $2 or
    starts_with(substr(${column}, strpos(${column}, '-') + 1), $2 || ':'))`;

const SERVICES = `
  select service from (
    select service from effect where tenant = $1 and subject = $3
    union select service from mailbox where ${OF_KEY('input_key')}
    union select service from parked_key where ${OF_KEY('input_key')}
    union select r.service from replay r join replay_item i on i.replay_id = r.id where i.subject = $2
  ) s order by service`;

const INPUT_KEYS = `
  select distinct input_key from mailbox where service = $1 and ${OF_KEY('input_key')}
  union select input_key from parked_key where service = $1 and ${OF_KEY('input_key')}`;

// Put in anew rather than changed: a pump that has read the answer finds its mail taken, and decides nothing on it.
const ERASE_MAIL = `
  with mail as (
    delete from mailbox where service = $1 and input_key = any ($2::text[])
      and (parked or kind in ('record', 'callback') or (kind = 'outcome' and body->>'state' = 'done'))
    returning *
  ), kept as (
    insert into mailbox (service, input_key, lane, kind, key, stream_id, body, due)
    select service, input_key, lane, kind, key, stream_id, case
        when kind = 'outcome' and body->>'state' = 'done' then json_build_object('kind', body->'kind',
          'purpose', body->'purpose', 'slot', body->'slot', 'generation', body->'generation',
          'rootCause', body->'rootCause', 'state', 'erased', 'answer', null, 'code', 'erased', 'meta', body->'meta',
          'owedAt', body->'owedAt')
        else body end, due
    from mail where kind in ('outcome', 'timer') order by id
  )
  select input_key, key, kind, kind = 'outcome' and body->>'state' = 'done' as told from mail order by id`;

const FREE = `delete from parked_key where service = $1 and input_key = any ($2::text[]) returning input_key`;

// A callback that had to wait for its stream stays in the row where it waited.
const FORGET_CALLBACKS = `
  update correlation set waiting = null where service = $1 and waiting is not null and ${OF_STREAM('stream_id')}`;

const LOCK_CALLS = `
  select c.slot from effect c where c.slot in (
    select o.shares from effect o where o.service = $1 and o.tenant = $2 and o.subject = $3 and o.shares is not null)
  order by c.slot, c.generation for update`;

const LOCK_EFFECTS = `
  select from effect where service = $1 and tenant = $2 and subject = $3 order by slot, generation for update`;

const FORGOTTEN = `state = 'erased', code = 'erased', request = 'null', request_hash = '', answer = null,
  lease_owner = null, lease_until = null, settled_at = coalesce(settled_at, refrain_now())`;

const ERASE = `
  with mine as (
    select slot, generation, state in ('owed', 'running', 'unknown', 'held') as open from effect
    where service = $1 and tenant = $2 and subject = $3 and state <> 'erased'
  ), forgotten as (
    update effect e set ${FORGOTTEN}, shares = null from mine
    where e.slot = mine.slot and e.generation = mine.generation
    returning e.*, mine.open
  ), ended as (
    select * from forgotten where open
  ), mailed as (${MAIL_ENDED}
  )
  select slot, open from forgotten`;

// Under another name: the content, asked again by somebody else, is a new call.
const ERASE_CALLS = `
  with gone as (
    select c.slot, c.generation, c.slot || '|erased|' || c.seq as renamed from effect c
    where c.slot = any ($1::text[])
      and not exists (select from effect o where o.shares = c.slot and o.generation = c.generation)
  ), reserved as (
    update spend s set slot = g.renamed from gone g where s.slot = g.slot and s.generation = g.generation
  )
  update effect c set ${FORGOTTEN}, slot = g.renamed from gone g
  where c.slot = g.slot and c.generation = g.generation`;

const ERASE_ITEMS = `
  update replay_item i set
    state = case when i.state = 'planned' then 'held' else i.state end,
    reason = case when i.state = 'planned' then 'its subject was erased' else i.reason end,
    body = json_build_object('topic', i.body->'topic', 'value', '', 'envelope', i.body->'envelope', 'at', i.body->'at'),
    plan = json_strip_nulls(json_build_object('then', i.plan->'then', 'events', i.plan->'events',
      'assumed', i.plan->'assumed', 'effects', coalesce((
        select json_agg(json_build_object('kind', e->'kind', 'slot', e->'slot', 'verdict', e->'verdict',
          'requestHash', '', 'cost', e->'cost'))
        from json_array_elements(i.plan->'effects') e), '[]')))
  from replay r
  where r.id = i.replay_id and r.service = $1 and i.subject = $2 and i.body->>'value' <> ''`;

const ERASE_OF_STREAMS = (table: 'replay_answer' | 'replay_stream'): string => `
  delete from ${table} t using replay r where r.id = t.replay_id and r.service = $1 and ${OF_STREAM('t.stream_id')}`;
