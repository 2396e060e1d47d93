import type { MigrationInterface, QueryRunner } from 'typeorm';
import { CLAIM_EFFECTS } from './claim-effects';

/** Limits, lanes and breakers before each vendor (protocol 18), and calls that several owners share (protocol 5, 6). */
export class Gates1795392000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    for (const statement of statements) await runner.query(statement);
  }

  async down(): Promise<void> {
    throw new Error('What is owed under these limits has no place in the schema before them.');
  }
}

const statements = [
  // The one lock of a tenant's calls to a vendor: whoever claims holds it. It bears the breaker, and the clock of the
  // lanes: how far the fair share of calls has got.
  `create table gate (
     tenant text not null,
     vendor text not null,
     clock float8 not null default 0,
     tripped boolean not null default false,
     shut_until timestamptz,
     ok int not null default 0,
     failed int not null default 0,
     counted_since timestamptz not null default refrain_now(),
     primary key (tenant, vendor)
   ) with (fillfactor = 50)`,
  // How far each service, kind and lane has been served, and how many of its calls found no room when it last looked.
  `create table gate_flow (
     tenant text not null,
     vendor text not null,
     service text not null,
     kind text not null,
     lane text not null,
     needs json not null,
     finish float8 not null,
     waiting int not null,
     seen timestamptz not null,
     primary key (tenant, vendor, service, kind, lane)
   ) with (fillfactor = 50)`,
  // A limit as the settings declare it: a rolling window, a day of a time zone, or jobs under way.
  `create table vendor_limit (
     tenant text not null,
     vendor text not null,
     name text not null,
     most int not null,
     per_ms int,
     zone text,
     used int not null default 0,
     day date,
     paused_until timestamptz,
     primary key (tenant, vendor, name)
   ) with (fillfactor = 50)`,
  // One call's share of a limit, held until it is certain that the vendor no longer counts it. A job's share has no
  // cooling time: its end frees it, or its age.
  `create table permit (
     slot text not null,
     generation int not null,
     attempt int not null,
     name text not null,
     tenant text not null,
     vendor text not null,
     takes int not null,
     cools_ms int,
     until timestamptz not null,
     primary key (slot, generation, attempt, name)
   ) with (autovacuum_vacuum_scale_factor = 0.05)`,
  `create index permit_held on permit (tenant, vendor, name, until) include (takes)`,
  `create function held(of_tenant text, of_vendor text, of_name text, at_time timestamptz) returns int language sql stable
     as $$ select coalesce(sum(takes), 0)::int from permit
       where tenant = of_tenant and vendor = of_vendor and name = of_name and until > at_time $$`,
  // Each lane's part of a limit when all of them ask.
  `create table lane_weight (lane text primary key, weight float8 not null check (weight > 0))`,
  `insert into lane_weight values ('live', 8), ('retry', 4), ('replay', 2), ('backfill', 1)`,

  // `shares` is the slot of the call that this effect shares with others of the same content.
  `alter table effect add column shares text`,
  `create index effect_shares on effect (shares, generation) where shares is not null`,
  `drop index effect_owed`,
  `create index effect_claim on effect (service, kind, tenant, lane, due, seq) where state = 'owed' and shares is null`,
  CLAIM_EFFECTS,

  // What tells a wrong content key from the right one; `kept` only where no key was set and the store made its own.
  `create table content_key (
     only_row boolean primary key default true check (only_row),
     id text not null,
     check_value text not null,
     kept text
   )`,
];
