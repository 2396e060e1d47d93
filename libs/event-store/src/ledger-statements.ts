/**
 * Puts the ends in a CTE `ended` into the mailboxes of their owners. A call that owners share has none of its own: they
 * are told one by one.
 */
export const MAIL_ENDED = `
    insert into mailbox (service, input_key, kind, key, stream_id, body)
    select service, tenant || ':' || subject, 'outcome',
      slot || '#' || generation || '#' || attempts || '#' || state, stream_id,
      json_build_object('kind', kind, 'purpose', purpose, 'slot', slot, 'generation', generation,
        'rootCause', root_cause, 'state', state, 'answer', answer, 'code', code, 'meta', meta, 'owedAt', owed_at, 'repeats', repeats,
        'reserved', spend > 0 and exists (select from spend s where s.slot = ended.slot and s.generation = ended.generation))
    from ended where state not in ('owed', 'running', 'unknown') and stream_id <> ''`;

// What a job has come to so far outlives its refusals. A window's share cools from the call's end on. A job's share goes back only when it is certain that there is no job;
// once a call of it was unknown, there may be one. The same holds for what it reserved of budgets, unless its answer says
// what it cost.
export const SETTLE = `
  with ended as (
    update effect set state = $4, answer = coalesce($5::json, case when $4 in ('owed', 'unknown') then answer end), code = $6, cost = coalesce($7::json, cost),
      refusals = refusals + $9::int, lease_owner = null, lease_until = null,
      lane = case when $4 = 'owed' and lane = 'live' then 'retry' else lane end,
      due = refrain_now() + make_interval(secs => $8::float8 / 1000),
      settled_at = case when $4 in ('done', 'dead') then refrain_now() end
    where slot = $1 and generation = $2 and (
      (state = 'running' and attempts = $3) or
      ($4 = 'done' and attempts >= $3 and state in ('running', 'unknown', 'owed', 'held', 'dead', 'cancelled')))
    returning *
  ), cooling as (
    update permit p set until = least(p.until, refrain_now() + make_interval(secs => coalesce(p.cools_ms, 0) / 1000.0))
    where p.slot = $1 and p.generation = $2 and case when p.cools_ms is null
      then exists (select from ended e where e.state in ('owed', 'dead') and e.repeats = 0) else p.attempt = $3 end
  ), paused as (
    update vendor_limit set probing = probing or name = any ($14::text[]),
      paused_until = greatest(paused_until, refrain_now() + make_interval(secs => $8::float8 / 1000))
    where tenant = $10 and vendor = $11 and name = any ($12::text[])
  ), probed as (
    update vendor_limit set probing = false
    where $4 = 'done' and probing and tenant = $10 and vendor = $11 and name = any ($14::text[])
  ), spent as (
    update vendor_limit set paused_until = (date_trunc('day', refrain_now() at time zone zone) + interval '1 day') at time zone zone
    where tenant = $10 and vendor = $11 and name = any ($13::text[])
  ), mailed as (${MAIL_ENDED}
  )
  select slot, case when spend > 0 and ($15::bigint is not null or (state in ('owed', 'dead') and repeats = 0))
    then settle_spend(array[slot], array[generation], array[$15::bigint])::text end from ended`;

// A call whose answer came too late to count may have reached the vendor after a newer one of its order key.
export const TELL_LATE = `
  insert into mailbox (service, input_key, kind, key, stream_id, body)
  select service, tenant || ':' || subject, 'outcome', slot || '#' || generation || '#' || $3::int || '#late', stream_id,
    json_build_object('kind', kind, 'purpose', purpose, 'slot', slot, 'generation', generation,
      'rootCause', root_cause, 'state', 'late', 'answer', null, 'code', $4::text, 'meta', meta, 'owedAt', owed_at)
  from effect where slot = $1 and generation = $2 and order_key is not null and stream_id <> ''`;

export const EXPIRE = `
  update effect set state = 'unknown', code = 'lease-expired', lease_owner = null,
    due = lease_until + make_interval(secs => deadline_ms / 1000.0)
  where service = $1 and state = 'running' and lease_until < refrain_now()`;

export const RECONCILE = `
  with ended as (
    update effect e set
      state = case when e.repeats < p.max_repeats then 'owed' else 'held' end,
      repeats = e.repeats + case when e.repeats < p.max_repeats then 1 else 0 end,
      lane = case when e.lane = 'live' then 'retry' else e.lane end
    from unnest($2::text[], $3::int[]) as p (kind, max_repeats)
    where e.service = $1 and e.state = 'unknown' and e.due <= refrain_now() and p.kind = e.kind
    returning e.*
  ), mailed as (${MAIL_ENDED}
  )
  select slot, generation, state from ended`;

/** Takes away the shares of limits that have run out. */
export const SWEEP_PERMITS = `delete from permit where until < refrain_now() - interval '1 minute'`;
