import { BATCH_REFUSED } from '#libs/contracts';
import { NO_BUDGETS } from './budget-functions';

/**
 * Claims due effects in one round trip. It is a function because its second half must see what another claimer did
 * while this one waited for the gate: each statement of a function has a snapshot of its own, and the statements of a
 * stopped client would leave the gate locked.
 *
 * Shares: every call has a tag, its lane's clock plus its rank over the lane's weight (start-time fair queueing); the
 * lowest tags get the room there is. Calls of other services that found no room within the last second keep their tags in
 * this queue, so a busy service leaves them theirs; a service that stopped looking holds nothing.
 *
 * Batches: of a kind whose calls carry several effects, one of each tenant and lane is admitted, and takes as many of its
 * lane and type of subject along as a call may carry. These use up nothing of the limits: it is one call.
 *
 * Budgets: of the kinds that cost money only what finds room in its budgets is looked at; what of it is claimed has reserved.
 */
export const CLAIM_EFFECTS = `
create or replace function claim_effects(
  my_service text, want int, my_owner text, kinds text[], deadlines int[], vendors text[],
  l_kinds text[], l_names text[], l_takes int[], l_most int[], l_per int[], l_zones text[], l_ages int[],
  l_tenants text[], l_again int[], batches int[], spends text[] default '{}', budgets json default null
) returns setof effect language plpgsql set enable_seqscan = off set jit = off
  set plan_cache_mode = force_generic_plan as $$
#variable_conflict use_column
declare
  asked_at timestamptz := refrain_now();
  g_kind text[]; g_tenant text[]; g_lane text[]; t text[]; v text[];
  p_slot text[]; p_generation int[]; p_micros bigint[]; p_keys text[];
  r_tenant text[]; r_vendor text[]; r_name text[]; r_free int[];
begin
  -- Which kinds, tenants and lanes have something due: one look into the index for each, however long the queues.
  with recursive g as (
    select k as kind, f.tenant, f.lane from unnest(kinds) k, lateral (
      select e.tenant, e.lane from effect e
      where e.service = my_service and e.kind = k and e.state = 'owed' and e.shares is null and e.waits_for is null
      order by e.service, e.kind, e.tenant, e.lane limit 1) f
    union all
    select g.kind, n.tenant, n.lane from g, lateral (
      select e.tenant, e.lane from effect e
      where e.service = my_service and e.kind = g.kind and (e.tenant, e.lane) > (g.tenant, g.lane)
        and e.state = 'owed' and e.shares is null and e.waits_for is null
      order by e.service, e.kind, e.tenant, e.lane limit 1) n
  )
  select array_agg(g.kind), array_agg(g.tenant), array_agg(g.lane) into g_kind, g_tenant, g_lane from g
  where exists (select from effect e where e.service = my_service and e.kind = g.kind and e.tenant = g.tenant
    and e.lane = g.lane and e.due <= asked_at and e.state = 'owed' and e.shares is null and e.waits_for is null);
  if g_kind is null then return; end if;

  select array_agg(tenant), array_agg(vendor) into t, v from (
    select distinct g.tenant, p.vendor from unnest(g_kind, g_tenant) g (kind, tenant)
    join unnest(kinds, vendors) p (kind, vendor) using (kind)) d;
  insert into gate (tenant, vendor) select d.tenant, d.vendor from unnest(t, v) d (tenant, vendor)
    where not exists (select from gate g where g.tenant = d.tenant and g.vendor = d.vendor)
    order by 1, 2 on conflict do nothing;
  perform 1 from gate g where (g.tenant, g.vendor) in (select * from unnest(t, v)) order by tenant, vendor for update;
  insert into vendor_limit as o (tenant, vendor, name, most, per_ms, zone)
    select distinct on (1, 2, 3) d.tenant, d.vendor, l.name, l.most, l.per, l.zone
    from unnest(t, v) d (tenant, vendor) join unnest(kinds, vendors) p (kind, vendor) using (vendor)
    join unnest(l_kinds, l_names, l_most, l_per, l_zones, l_tenants) l (kind, name, most, per, zone, tenant) using (kind)
    where coalesce(l.tenant = d.tenant, not exists (
        select from unnest(l_kinds, l_names, l_tenants) o (kind, name, tenant)
        where o.kind = l.kind and o.name = l.name and o.tenant = d.tenant))
      and not exists (select from vendor_limit x where x.tenant = d.tenant and x.vendor = d.vendor and x.name = l.name
      and x.most = l.most and x.per_ms is not distinct from l.per and x.zone is not distinct from l.zone)
    order by 1, 2, 3
    on conflict (tenant, vendor, name) do update
      set most = excluded.most, per_ms = excluded.per_ms, zone = excluded.zone;
  with needs as (
    select distinct l.kind, l.name from unnest(l_kinds, l_names) l (kind, name)
  ),
  room as (
    select l.tenant, l.vendor, l.name, case
        when l.paused_until > asked_at then 0
        when l.probing then least(l.most - held(l.tenant, l.vendor, l.name, asked_at), 1 - (select count(*)
          from effect e where e.service = my_service and e.state = 'running' and e.tenant = l.tenant
            and e.kind in (select n.kind from needs n where n.name = l.name)))::int
        when l.zone is not null and l.day = (asked_at at time zone l.zone)::date then l.most - l.used
        else l.most - held(l.tenant, l.vendor, l.name, asked_at) end as free
    from vendor_limit l where (l.tenant, l.vendor) in (select * from unnest(t, v))
    union all
    select g.tenant, g.vendor, 'breaker', case
        when not g.tripped then 1000000 when g.shut_until > asked_at then 0
        else 1 - held(g.tenant, g.vendor, 'breaker', asked_at) end
    from gate g where (g.tenant, g.vendor) in (select * from unnest(t, v))
  )
  select array_agg(r.tenant), array_agg(r.vendor), array_agg(r.name), array_agg(r.free)
    into r_tenant, r_vendor, r_name, r_free from room r;

  -- Whoever has just looked in full, and would find no room for even one first call, need not look again so soon: what
  -- waits stands in gate_flow for another second.
  if not exists (
    select from unnest(g_kind, g_tenant, g_lane) g (kind, tenant, lane) join unnest(kinds, vendors) p (kind, vendor) using (kind)
    where g.lane <> 'live'
      or not exists (
        select from unnest(r_tenant, r_vendor, r_name, r_free) r (tenant, vendor, name, free)
        left join unnest(l_kinds, l_names, l_takes) l (kind, name, takes) on l.kind = g.kind and l.name = r.name
        where r.tenant = g.tenant and r.vendor = p.vendor
          and r.free < case r.name when 'breaker' then 1 else coalesce(l.takes, 0) end)
      or not exists (
        select from gate_flow f where f.tenant = g.tenant and f.vendor = p.vendor and f.service = my_service
          and f.kind = g.kind and f.lane = g.lane and f.seen > asked_at - interval '500 milliseconds'))
  then return; end if;

  -- Where no budget is declared, and no replay has one, there is nothing to look into.
  if ${NO_BUDGETS}
  then spends := '{}'; end if;
  if g_kind && spends then
    select r.* into p_slot, p_generation, p_micros, p_keys
      from room_in_budgets(my_service, g_kind, g_tenant, g_lane, spends, budgets, asked_at) r;
  end if;

  return query
  with policy as (
    select * from unnest(kinds, deadlines, vendors, batches) p (kind, deadline, vendor, batch)
  ),
  needs as (
    select distinct kind, name, takes, again, age
    from unnest(l_kinds, l_names, l_takes, l_again, l_ages) l (kind, name, takes, again, age)
    union all select kind, 'breaker', 1, 1, null from policy
  ),
  room as (
    select * from unnest(r_tenant, r_vendor, r_name, r_free) r (tenant, vendor, name, free)
  ),
  lanes as (
    select g.kind, g.tenant, g.lane, p.vendor, p.batch, w.weight, greatest(o.clock, f.finish) as base
    from unnest(g_kind, g_tenant, g_lane) g (kind, tenant, lane) join policy p using (kind)
    join lane_weight w using (lane) join gate o using (tenant, vendor)
    left join gate_flow f on f.tenant = g.tenant and f.vendor = p.vendor and f.service = my_service
      and f.kind = g.kind and f.lane = g.lane
  ),
  -- Equal tags stand in the same order whoever looks, else two services would leave the last room to each other.
  queue as (
    select *, row_number() over (partition by tenant, vendor order by tag, service, kind, lane, rank) as turn from (
    select l.tenant, l.vendor, my_service as service, l.kind, l.lane, c.rank, c.slot, c.generation, c.due, c.calls, c.jobs,
      l.base + (c.rank - 1) / l.weight as tag, l.base + c.rank / l.weight as finish, null::json as needs
    from lanes l, lateral (
      select e.slot, e.generation, e.due, e.attempts as calls, row_number() over (order by e.due, e.seq) as rank,
        case when e.attempts > 0 then array(select p.name from permit p
          where p.slot = e.slot and p.generation = e.generation and p.attempt = 0 and p.until > asked_at) end as jobs
      from effect e
      where e.service = my_service and e.kind = l.kind and e.tenant = l.tenant and e.lane = l.lane
        and e.state = 'owed' and e.shares is null and e.waits_for is null and e.due <= asked_at
        and (l.kind <> all (spends) or (e.slot, e.generation) in (select * from unnest(p_slot, p_generation)))
        -- One of the same order key that is under way may be a newer one: a person may owe a held effect again.
        and (e.order_key is null or not (
          exists (select from effect o where o.order_key = e.order_key and o.state in ('running', 'unknown'))
          or exists (select from effect o where o.order_key = e.order_key and o.state = 'owed' and o.seq < e.seq)))
      order by e.due, e.seq limit case when l.batch > 1 then least(1, want) else want end) c
    union all
    select f.tenant, f.vendor, f.service, f.kind, f.lane, rank, null, null, null, null, null,
      greatest(g.clock, f.finish) + (rank - 1) / w.weight, null, f.needs
    from gate_flow f join gate g using (tenant, vendor) join lane_weight w using (lane),
      generate_series(1, f.waiting) rank
    where (f.tenant, f.vendor) in (select * from unnest(t, v)) and f.service <> my_service
      and f.seen > asked_at - interval '1 second') q
  ),
  asked as (
    select q.*, n.name, case when q.calls > 0 then n.again else n.takes end as takes
    from queue q join needs n using (kind)
    where q.slot is not null and n.name <> all (coalesce(q.jobs, '{}'))
    union all
    select q.*, n.name, n.takes from queue q, json_to_recordset(q.needs) n (name text, takes int) where q.slot is null
  ),
  -- First each kind by itself, so that a kind whose own limit is used up takes no place in a limit that it shares.
  passing as (
    select tenant, vendor, turn from (
      select a.*, sum(a.takes) over (partition by tenant, vendor, kind, name order by turn) <= r.free as fits
      from asked a join room r using (tenant, vendor, name)) one
    group by 1, 2, 3 having bool_and(fits)
  ),
  admitted as (
    select tenant, vendor, turn from (
      select a.*, sum(a.takes) over (partition by tenant, vendor, name order by turn) <= r.free as fits
      from asked a join passing using (tenant, vendor, turn) join room r using (tenant, vendor, name)) one
    group by 1, 2, 3 having bool_and(fits)
  ),
  taken as (
    select q.* from queue q join admitted using (tenant, vendor, turn) where q.slot is not null
    order by turn, due limit want
  ),
  locked as (
    select e.slot, e.generation from effect e join taken using (slot, generation)
    where e.state = 'owed' for update of e skip locked
  ),
  claimed as (
    update effect e set state = 'running', attempts = e.attempts + 1, lease_owner = my_owner, deadline_ms = p.deadline,
      lease_until = asked_at + make_interval(secs => p.deadline * 2 / 1000.0)
    from locked join taken using (slot, generation) join policy p using (kind)
    where e.slot = locked.slot and e.generation = locked.generation and e.state = 'owed'
    returning e.*
  ),
  permitted as (
    insert into permit as o (slot, generation, attempt, name, tenant, vendor, takes, cools_ms, until)
    select c.slot, c.generation, case when n.age is null then c.attempts else 0 end, n.name, c.tenant, p.vendor,
      case when c.attempts > 1 then n.again else n.takes end, case when n.age is null then coalesce(l.per_ms, 0) end,
      case when n.age is null then c.lease_until + make_interval(secs => coalesce(l.per_ms, 0) / 1000.0)
        else asked_at + make_interval(secs => n.age / 1000.0) end
    from claimed c join policy p using (kind) join needs n using (kind) join gate g using (tenant, vendor)
      left join vendor_limit l on l.tenant = c.tenant and l.vendor = p.vendor and l.name = n.name
    where n.name <> 'breaker' or g.tripped
    on conflict (slot, generation, attempt, name) do update set until = excluded.until
  ),
  spent as (
    update vendor_limit l set day = (asked_at at time zone l.zone)::date,
      used = s.takes + case when l.day = (asked_at at time zone l.zone)::date then l.used
        else held(l.tenant, l.vendor, l.name, asked_at) end
    from (select c.tenant, p.vendor, n.name, sum(case when c.attempts > 1 then n.again else n.takes end)::int as takes
      from claimed c join policy p using (kind) join needs n using (kind) group by 1, 2, 3) s
    where l.zone is not null and l.tenant = s.tenant and l.vendor = s.vendor and l.name = s.name
  ),
  reserved as (
    insert into spend (slot, generation, service, tenant, kind, like_key, micros, keys, at)
    select c.slot, c.generation, my_service, c.tenant, c.kind, c.spend_like, p.micros, string_to_array(p.keys, E'\\n'), asked_at
    from unnest(p_slot, p_generation, p_micros, p_keys) p (slot, generation, micros, keys)
      join claimed c using (slot, generation) where p.keys <> ''
    returning micros, keys
  ),
  booked as (
    update spend_book b set reserved = b.reserved + s.micros
    from (select k, sum(r.micros)::bigint as micros from reserved r, unnest(r.keys) k group by 1) s where b.key = s.k
  ),
  clocked as (
    update gate g set clock = greatest(g.clock, s.tag)
    from (select tenant, vendor, max(tag) as tag from taken group by 1, 2) s
    where g.tenant = s.tenant and g.vendor = s.vendor
  ),
  served as (
    insert into gate_flow as f (tenant, vendor, service, kind, lane, needs, finish, waiting, seen)
    select q.tenant, q.vendor, my_service, q.kind, q.lane,
      (select json_agg(json_build_object('name', n.name, 'takes', n.takes)) from needs n where n.kind = q.kind),
      coalesce(max(q.finish) filter (where x.turn is not null), min(q.tag)), count(*) filter (where a.turn is null),
      asked_at
    from queue q left join taken x using (tenant, vendor, turn) left join admitted a using (tenant, vendor, turn)
    where q.slot is not null group by q.tenant, q.vendor, q.kind, q.lane
    on conflict (tenant, vendor, service, kind, lane) do update
      set needs = excluded.needs, finish = excluded.finish, waiting = excluded.waiting, seen = excluded.seen
  )
  select c.* from claimed c join taken t using (slot, generation) order by t.turn;

  if 1 < any (batches) then
    -- The gate is still ours: what is under way of an order key cannot change meanwhile.
    return query
    with first as (
      select e.kind, e.tenant, e.lane, split_part(e.subject, ':', 1) as type, e.deadline_ms, e.lease_until, p.batch
      from effect e join unnest(kinds, batches) p (kind, batch) on p.kind = e.kind and p.batch > 1
      where e.service = my_service and e.state = 'running' and e.lease_owner = my_owner
        and e.lease_until = asked_at + make_interval(secs => e.deadline_ms * 2 / 1000.0)
        and e.code is distinct from '${BATCH_REFUSED}'
    ),
    others as (
      select c.*, f.deadline_ms, f.lease_until from first f, lateral (
        select e.slot, e.generation from effect e
        where e.service = my_service and e.kind = f.kind and e.tenant = f.tenant and e.lane = f.lane
          and e.state = 'owed' and e.shares is null and e.waits_for is null and e.due <= asked_at
          and split_part(e.subject, ':', 1) = f.type and e.code is distinct from '${BATCH_REFUSED}'
          and (e.order_key is null or not (
            exists (select from effect o where o.order_key = e.order_key and o.state in ('running', 'unknown'))
            or exists (select from effect o where o.order_key = e.order_key and o.state = 'owed' and o.seq < e.seq)))
        order by e.due, e.seq limit f.batch - 1 for update skip locked) c
    )
    update effect e set state = 'running', attempts = e.attempts + 1, lease_owner = my_owner,
      deadline_ms = o.deadline_ms, lease_until = o.lease_until
    from others o where e.slot = o.slot and e.generation = o.generation and e.state = 'owed'
    returning e.*;
  end if;
end $$`;
