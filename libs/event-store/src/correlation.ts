import type { Correlation, Unmatched } from './batch-statements';
import { type Queries, run } from './query';

/**
 * Ties vendors' ids to streams (protocol 9). A callback that came first and waited is put into its stream's mailbox, in
 * the caller's transaction.
 */
export async function correlate(tx: Queries, service: string, correlated: Correlation[]): Promise<void> {
  await run(tx, 'refrain-correlate', CORRELATE, [
    service,
    correlated.map((c) => c.tenant),
    correlated.map((c) => c.vendor),
    correlated.map((c) => c.externalId),
    correlated.map((c) => c.streamId),
    correlated.map((c) => c.inputKey),
  ]);
}

/**
 * Keeps callbacks whose id belongs to no stream yet, visible as unmatched (protocol 9). Throws {@link Conflict} where
 * the stream of one is known by now: then it is no longer unmatched.
 */
export async function keepUnmatched(tx: Queries, service: string, unmatched: Unmatched[]): Promise<void> {
  await run(tx, 'refrain-unmatched', KEEP_UNMATCHED, [
    service,
    unmatched.map((u) => u.tenant),
    unmatched.map((u) => u.vendor),
    unmatched.map((u) => u.externalId),
    unmatched.map((u) => JSON.stringify(u.waiting)),
  ]);
}

// Rows in the order of their keys, so that two batches never lock each other out.
const CORRELATE = `
  with tied as (
    select distinct on (tenant, vendor, external_id) *
    from unnest($2::text[], $3::text[], $4::text[], $5::text[], $6::text[])
      as u (tenant, vendor, external_id, stream_id, input_key)
    order by tenant, vendor, external_id
  ), met as (
    insert into correlation as c (service, tenant, vendor, external_id, stream_id)
    select $1, tenant, vendor, external_id, stream_id from tied
    on conflict (service, tenant, vendor, external_id) do update set stream_id = excluded.stream_id
    returning c.tenant, c.vendor, c.external_id, c.stream_id, c.waiting
  )
  insert into mailbox (service, input_key, kind, key, stream_id, body)
  select $1, t.input_key, 'callback', 'joined|' || m.vendor || '|' || m.external_id, m.stream_id, m.waiting
  from met m join tied t using (tenant, vendor, external_id)
  where m.waiting is not null`;

const KEEP_UNMATCHED = `
  with kept as (
    insert into correlation as c (service, tenant, vendor, external_id, waiting)
    select distinct on (tenant, vendor, external_id) $1, tenant, vendor, external_id, waiting::json
    from unnest($2::text[], $3::text[], $4::text[], $5::text[]) as u (tenant, vendor, external_id, waiting)
    order by tenant, vendor, external_id
    on conflict (service, tenant, vendor, external_id) do update
      set waiting = case when c.stream_id is null then coalesce(c.waiting, excluded.waiting) end
    returning stream_id
  )
  select case when exists (select from kept where stream_id is not null)
    then refrain_conflict('the stream of a callback is known by now') end`;
