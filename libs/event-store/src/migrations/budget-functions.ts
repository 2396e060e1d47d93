/** Whether there is no budget to look into: none is declared, and no replay has one. */
export const NO_BUDGETS = `budgets->>'perTenant' is null and coalesce(budgets::jsonb->'tenants', '{}') = '{}'
    and coalesce(budgets::jsonb->'recipes', '{}') = '{}' and not exists (select from replay where budget is not null)`;

/** Declared budgets are handed in as JSON: see `Budgets`. A tenant's day begins at midnight of its time zone. */
const DAY_OF = `
create or replace function day_of(of_tenant text, budgets json, at_time timestamptz) returns date language sql stable
  as $$ select (at_time at time zone coalesce(budgets->'zones'->>of_tenant, budgets->>'zone', 'UTC'))::date $$`;

const DAY_ENDS = `
create or replace function day_ends(of_tenant text, budgets json, at_time timestamptz) returns timestamptz
  language sql stable as $$ select (day_of(of_tenant, budgets, at_time) + 1)::timestamp
    at time zone coalesce(budgets->'zones'->>of_tenant, budgets->>'zone', 'UTC') $$`;

const DECLARED_BUDGET = `
create or replace function declared_budget(of_scope text, of_tenant text, of_name text, budgets json) returns bigint
  language sql stable as $$ select case of_scope
    when 'tenant' then coalesce(budgets->'tenants'->>of_tenant, budgets->>'perTenant')::bigint
    when 'recipe' then (budgets->'recipes'->>of_name)::bigint
    else (select r.budget from replay r where r.id = of_name) end $$`;

// What is known of calls like it counts more than what was thought when it was owed: the dearest of the last ten.
const SPEND_ESTIMATE = `
create or replace function spend_estimate(of_tenant text, of_kind text, of_like text, thought bigint) returns bigint
  language sql stable as $$ select coalesce((select max(l.micros) from (
      select s.micros from spend s where s.tenant = of_tenant and s.kind = of_kind and s.like_key = of_like
        and s.settled_at is not null and s.micros > 0 order by s.settled_at desc limit 10) l), thought) $$`;

// Of an effect `e` that has reserved nothing yet.
const TO_RESERVE = `e.spend > 0 and not exists (select from spend s where s.slot = e.slot and s.generation = e.generation)`;

// The budgets under which an effect `e` falls that has reserved nothing yet; none of one that costs nothing.
const BOOKS_OF = `case when ${TO_RESERVE}
        then array(
          select json_build_object('scope', b.scope, 'tenant', b.tenant, 'name', b.name, 'most', b.most, 'key',
            case b.scope when 'replay' then 'replay|' || b.name
              else b.tenant || '|' || b.scope || case b.name when '' then '' else ':' || b.name end
                || '|' || day_of(b.tenant, budgets, asked_at) end)
          from (
            select o.scope, case o.scope when 'replay' then '' else e.tenant end as tenant, o.name,
              declared_budget(o.scope, e.tenant, o.name, budgets) as most
            from (
              select 'tenant' as scope, '' as name
              union select 'recipe', split_part(r, '@', 1) from json_array_elements_text(e.meta->'recipes') r
              union select 'replay', e.meta->>'replayId' where e.meta->>'replayId' is not null) o) b
          where b.most is not null order by b.scope desc, b.name) else '{}' end`;

/**
 * Looks which of the calls asked about find room in all of their budgets, in the order given, and lets the others wait for
 * the first that has none. The books are locked, in the order of their keys, until the statement that follows has reserved:
 * two replicas never spend the same money. `company` is that in which all of them wait for a job, at the part `rate` of their
 * price, and to which they come back when there is room; null where they go by themselves.
 */
const ROOM_FOR = `
create or replace function room_for(
  my_service text, asked jsonb[], company text, rate float8, budgets json, asked_at timestamptz,
  out p_slot text[], out p_generation int[], out p_micros bigint[], out p_keys text[]
) language plpgsql as $$
#variable_conflict use_column
declare
  one record; k text; lacking text; room jsonb; all_keys text[];
  w_slot text[]; w_generation int[]; w_key text[];
begin
  select array_agg(distinct b->>'key') into all_keys from unnest(asked) c, jsonb_array_elements(c->'books') b;
  if all_keys is not null then
    insert into spend_book as o (key, tenant, scope, name, day, ends, most)
      select distinct on (1) b->>'key', b->>'tenant', b->>'scope', b->>'name',
        case when b->>'scope' <> 'replay' then day_of(b->>'tenant', budgets, asked_at) end,
        case when b->>'scope' <> 'replay' then day_ends(b->>'tenant', budgets, asked_at) end, (b->>'most')::bigint
      from unnest(asked) c, jsonb_array_elements(c->'books') b order by 1
      on conflict (key) do update set most = excluded.most where o.most <> excluded.most;
    perform from spend_book where key = any (all_keys) order by key for update;
    -- A statement of its own: it sees what others reserved while this one waited for the books.
    select jsonb_object_agg(key, most + raised - spent - reserved) into room from spend_book where key = any (all_keys);
  end if;

  for one in
    select c->>'slot' as slot, (c->>'generation')::int as generation, (c->>'micros')::bigint as micros,
      array(select b->>'key' from jsonb_array_elements(c->'books') with ordinality b (b, n) order by n) as keys
    from unnest(asked) with ordinality a (c, n) order by a.n
  loop
    lacking := null;
    foreach k in array one.keys loop
      if lacking is null and (room->>k)::bigint < one.micros then lacking := k; end if;
    end loop;
    if lacking is null then
      foreach k in array one.keys loop
        room := jsonb_set(room, array[k], to_jsonb((room->>k)::bigint - one.micros));
      end loop;
      p_slot := p_slot || one.slot;
      p_generation := p_generation || one.generation;
      p_micros := p_micros || one.micros;
      p_keys := p_keys || array_to_string(one.keys, E'\\n');
    else
      w_slot := w_slot || one.slot;
      w_generation := w_generation || one.generation;
      w_key := w_key || lacking;
    end if;
  end loop;
  if w_slot is null then return; end if;

  -- Nobody is waited for: who holds a call may wait for these books.
  with held as (
    select w.slot, w.generation, w.key from unnest(w_slot, w_generation, w_key) w (slot, generation, key), lateral (
      select from effect e where e.slot = w.slot and e.generation = w.generation
        and e.state = 'owed' and e.waits_for is not distinct from company for update skip locked) e
  ), put_off as (
    update effect e set waits_for = h.key, code = 'budget-exhausted', job_company = company, job_rate = rate
    from held h where e.slot = h.slot and e.generation = h.generation returning e.waits_for
  )
  update spend_book set exhausted_at = asked_at, told_by = my_service
  where key in (select waits_for from put_off) and exhausted_at is null;
end $$`;

/** Looks which of the calls that are due and cost money find room in their budgets: only what it names may be claimed. */
const ROOM_IN_BUDGETS = `
create or replace function room_in_budgets(
  my_service text, g_kind text[], g_tenant text[], g_lane text[], spends text[], budgets json, asked_at timestamptz,
  out p_slot text[], out p_generation int[], out p_micros bigint[], out p_keys text[]
) language plpgsql as $$
#variable_conflict use_column
declare
  asked jsonb[];
begin
  -- What a call has reserved before counts for its repeats.
  select array_agg(to_jsonb(c) order by c.weight desc, c.due, c.seq) into asked from (
    select e.slot, e.generation, e.due, e.seq, w.weight,
      case when ${TO_RESERVE} then spend_estimate(e.tenant, e.kind, e.spend_like, e.spend) else 0 end as micros,
      ${BOOKS_OF} as books
    from unnest(g_kind, g_tenant, g_lane) g (kind, tenant, lane) join lane_weight w using (lane), lateral (
      select e.* from effect e
      where e.service = my_service and e.kind = g.kind and e.tenant = g.tenant and e.lane = g.lane
        and e.state = 'owed' and e.shares is null and e.waits_for is null and e.due <= asked_at
        and (e.order_key is null or not (
          exists (select from effect o where o.order_key = e.order_key and o.state in ('running', 'unknown'))
          or exists (select from effect o where o.order_key = e.order_key and o.state = 'owed' and o.seq < e.seq)))
      order by e.due, e.seq limit 200) e
    where g.kind = any (spends)) c;
  if asked is null then return; end if;
  select r.* into p_slot, p_generation, p_micros, p_keys
    from room_for(my_service, asked, null, null, budgets, asked_at) r;
end $$`;

/**
 * Makes a job of what waits in a company, as far as its budgets have room at the part `rate` of its price, and notes with each
 * effect that the job carries it: what it may cost is reserved in the same transaction, before anything is sent. What one
 * job cannot take in bytes waits for the next one; a single effect always goes. Gives how many it carries.
 */
const GATHER_JOB = `
create or replace function gather_job(
  my_service text, company text, most int, most_bytes bigint, rate float8, budgets json,
  job_slot text, job_tenant text, job_kind text, job_request json, job_meta json, carried_by text
) returns int language plpgsql set enable_seqscan = off set jit = off as $$
#variable_conflict use_column
declare
  asked_at timestamptz := refrain_now();
  asked jsonb[]; n int;
  p_slot text[]; p_generation int[]; p_micros bigint[]; p_keys text[];
begin
  -- What another replica has looked at, and not taken yet, would seem to want room once more.
  if not pg_try_advisory_xact_lock(hashtext('refrain.gather'), hashtext(my_service || ' ' || company)) then
    return 0;
  end if;
  if ${NO_BUDGETS} then
    select array_agg(c.slot), array_agg(c.generation), array_agg(0::bigint), array_agg(''::text)
      into p_slot, p_generation, p_micros, p_keys from (
      select e.slot, e.generation from effect e
      where e.service = my_service and e.state = 'owed' and e.waits_for = company and e.due <= asked_at
      order by e.seq limit most) c;
  else
    select array_agg(to_jsonb(c) order by c.seq) into asked from (
      select e.slot, e.generation, e.seq, ${BOOKS_OF} as books, case when ${TO_RESERVE}
          then ceil(rate * spend_estimate(e.tenant, e.kind, e.spend_like, e.spend))::bigint else 0 end as micros
      from (
        select * from effect e
        where e.service = my_service and e.state = 'owed' and e.waits_for = company and e.due <= asked_at
        order by e.seq limit most) e) c;
    select r.* into p_slot, p_generation, p_micros, p_keys
      from room_for(my_service, asked, company, rate, budgets, asked_at) r;
  end if;
  if p_slot is null then return 0; end if;

  with waiting as (
    -- By its name each: there may be thousands.
    select p.slot, p.generation, e.kind, e.seq, e.size, p.micros, p.keys
    from unnest(p_slot, p_generation, p_micros, p_keys) p (slot, generation, micros, keys), lateral (
      select e.kind, e.seq, octet_length(e.request::text) as size from effect e
      where e.slot = p.slot and e.generation = p.generation and e.state = 'owed' and e.waits_for = company
      for update skip locked) e
  ), sized as (
    select *, row_number() over (order by seq) as place,
      sum(size) over (order by seq) as bytes from waiting
  ), carried as (
    select * from sized where bytes <= most_bytes or place = 1
  ), job as (
    insert into effect (service, slot, generation, tenant, subject, stream_id, kind, purpose, root_cause, lane, request,
      request_hash, meta)
    select my_service, job_slot, 1, job_tenant, '', '', job_kind, 'job', job_slot, 'batch', job_request, '', job_meta
    where exists (select from carried)
  ), reserved as (
    -- What it costs in a job says nothing of what it costs by itself: there is no call like it.
    insert into spend (slot, generation, service, tenant, kind, micros, keys, at)
    select c.slot, c.generation, my_service, job_tenant, c.kind, c.micros, string_to_array(c.keys, E'\\n'), asked_at
    from carried c where c.keys <> ''
    returning micros, keys
  ), booked as (
    update spend_book b set reserved = b.reserved + s.micros
    from (select k, sum(r.micros)::bigint as micros from reserved r, unnest(r.keys) k group by 1) s where b.key = s.k
  )
  update effect e set waits_for = carried_by from carried c
  where e.slot = c.slot and e.generation = c.generation;
  get diagnostics n = row_count;
  return n;
end $$`;

/**
 * Books what calls really cost, in micro-dollars, in the place of what they had reserved; null gives it back. Told again,
 * it corrects. Calls that reserved nothing are left out. The books are locked in the order of their keys.
 */
const SETTLE_SPEND = `
create or replace function settle_spend(slots text[], generations int[], actual bigint[]) returns void language plpgsql
as $$
#variable_conflict use_column
begin
  perform from spend_book where key in (
    select unnest(s.keys) from spend s join unnest(slots, generations) g (slot, generation) using (slot, generation))
    order by key for update;
  with given as (
    select s.slot, s.generation, s.keys, s.micros as booked, s.settled_at is not null as is_settled, g.micros
    from unnest(slots, generations, actual) g (slot, generation, micros) join spend s using (slot, generation)
    where g.micros is not null or s.settled_at is null
  ), freed as (
    delete from spend s using given g where s.slot = g.slot and s.generation = g.generation and g.micros is null
  ), settled as (
    update spend s set micros = g.micros, settled_at = refrain_now() from given g
    where s.slot = g.slot and s.generation = g.generation and g.micros is not null
  )
  update spend_book b set reserved = b.reserved - c.reserved, spent = b.spent + c.spent
  from (
    select k, sum(case when g.is_settled then 0 else g.booked end)::bigint as reserved,
      sum(coalesce(g.micros, 0) - case when g.is_settled then g.booked else 0 end)::bigint as spent
    from given g, unnest(g.keys) k group by k) c
  where b.key = c.k;
end $$`;

/**
 * Lets calls go on that waited for a budget (for company and for jobs, which begin with #, they wait on): all once its day is
 * over or it is declared no more, the oldest as far as there is room again. What would go by a job waits for company anew.
 * Whether they find room is said when they are claimed or gathered. Gives how many.
 */
const WAKE_WAITING = `
create or replace function wake_waiting(my_service text, budgets json) returns int language plpgsql
as $$
#variable_conflict use_column
declare
  of_key text; book spend_book; now_most bigint; room bigint; on_the_way bigint; n int; woken int := 0;
begin
  loop
    select min(e.waits_for) into of_key from effect e
      where e.service = my_service and e.state = 'owed' and e.waits_for > coalesce(of_key, '')
        and left(e.waits_for, 1) <> '#';
    exit when of_key is null;
    select * into book from spend_book where key = of_key;
    now_most := declared_budget(book.scope, book.tenant, book.name, budgets);
    room := case when now_most is not null and coalesce(book.ends > refrain_now(), true)
      then now_most + book.raised - book.spent - book.reserved end;
    -- What was let go already to wait for company has not reserved yet.
    select coalesce(sum(ceil(e.job_rate * spend_estimate(e.tenant, e.kind, e.spend_like, e.spend))), 0) into on_the_way
      from effect e where room is not null and e.service = my_service and e.state = 'owed' and e.code = 'budget-exhausted'
        and e.waits_for in (select o.job_company from (
          select job_company from effect where service = my_service and state = 'owed' and waits_for = of_key
          order by seq limit 100) o);
    with oldest as (
      select c.slot, c.generation, c.by_job, sum(c.micros) over (order by c.seq) + case when c.by_job then on_the_way else 0 end as total
      from (
        select e.slot, e.generation, e.seq, j.by_job, ceil(case when j.by_job then e.job_rate else 1 end
          * spend_estimate(e.tenant, e.kind, e.spend_like, e.spend)) as micros
        from effect e, lateral (select e.lane = 'batch' and e.job_company is not null as by_job) j
        where e.service = my_service and e.state = 'owed' and e.waits_for = of_key
        order by e.seq limit 100) c
    ), held as (
      select e.slot, e.generation, o.by_job from effect e join oldest o using (slot, generation)
      where (room is null or o.total <= room) and e.state = 'owed' and e.waits_for = of_key for update of e skip locked
    )
    -- One for which a live call waits by now goes by itself.
    update effect e set waits_for = case when h.by_job then e.job_company end, job_company = null,
      due = case when h.by_job then refrain_now() else e.due end
    from held h where e.slot = h.slot and e.generation = h.generation;
    get diagnostics n = row_count;
    woken := woken + n;
  end loop;
  return woken;
end $$`;

/** All functions of budgets, in the order in which they need each other. */
export const BUDGET_FUNCTIONS: readonly string[] = [
  DAY_OF,
  DAY_ENDS,
  DECLARED_BUDGET,
  SPEND_ESTIMATE,
  ROOM_FOR,
  ROOM_IN_BUDGETS,
  GATHER_JOB,
  SETTLE_SPEND,
  WAKE_WAITING,
];
