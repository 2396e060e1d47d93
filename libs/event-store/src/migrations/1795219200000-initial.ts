import type { MigrationInterface, QueryRunner } from 'typeorm';

/** The store's first schema. Keys and transaction boundaries follow docs/explanation/protocol.md; numbers refer to it. */
export class Initial1795219200000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    for (const statement of statements) await runner.query(statement);
  }

  async down(): Promise<void> {
    throw new Error('The first schema has no way back: drop the database instead.');
  }
}

const statements = [
  // One clock for due times and leases (19). STABLE, so that an index on `due` can be used; tests may move and stop it.
  `create table clock (only_row boolean primary key default true check (only_row), moved_by interval not null default '0',
     stopped_at timestamptz)`,
  `insert into clock default values`,
  `create function refrain_now() returns timestamptz language sql stable
     as $$ select coalesce(stopped_at, statement_timestamp()) + moved_by from clock $$`,

  // Streams. `json`, not `jsonb`: stored as written, and a NUL escape in a vendor's text is not refused.
  `create sequence event_position cache 1`,
  `create table event (
     stream_id text not null,
     version int not null,
     position bigint not null,
     shard smallint not null,
     service text not null,
     tenant text not null,
     subject text not null,
     type text not null,
     data json not null,
     meta json not null,
     occurred_at timestamptz not null default refrain_now(),
     primary key (stream_id, version)
   )`,
  `create unique index event_by_position on event (position)`,
  `create index event_by_subject on event (tenant, subject, position)`,
  // What the relay has still to publish (20): a narrow row that goes in with the event and out after the ack.
  `create table unpublished (
     service text not null,
     shard smallint not null,
     position bigint not null,
     primary key (service, shard, position)
   ) with (autovacuum_vacuum_scale_factor = 0.02)`,

  // Inbox marks (3). The day stands in the key so that whole partitions can be dropped (25).
  `create table inbox (
     service text not null,
     key text not null,
     day date not null,
     decided json not null,
     received_at timestamptz not null default refrain_now(),
     primary key (service, key, day)
   ) partition by range (day)`,
  `create table inbox_rest partition of inbox default`,
  // Inputs without a time of their own: the claim is renewed only by a reception 24 hours later.
  `create table inbox_undated (
     service text not null,
     key text not null,
     received timestamptz not null,
     decided json not null,
     primary key (service, key)
   )`,

  // The effect ledger (4, 14, 15): outbox, retry queue and receipt in one row per slot and generation.
  `create sequence effect_seq`,
  `create table effect (
     slot text not null,
     generation int not null,
     seq bigint not null default nextval('effect_seq'),
     service text not null,
     tenant text not null,
     subject text not null,
     stream_id text not null,
     kind text not null,
     purpose text not null,
     root_cause text not null,
     order_key text,
     lane text not null default 'live' check (lane in ('live', 'retry', 'replay', 'backfill')),
     request json not null,
     request_hash text not null,
     state text not null default 'owed' check (state in
       ('owed', 'running', 'done', 'failed', 'unknown', 'held', 'dead', 'cancelled', 'superseded', 'erased')),
     attempts int not null default 0,
     refusals int not null default 0,
     repeats int not null default 0,
     due timestamptz not null default refrain_now(),
     lease_owner text,
     lease_until timestamptz,
     deadline_ms int,
     answer json,
     code text,
     cost json,
     meta json not null,
     owed_at timestamptz not null default refrain_now(),
     settled_at timestamptz,
     primary key (slot, generation)
   ) with (fillfactor = 80)`,
  `create index effect_owed on effect (service, due) where state = 'owed'`,
  `create index effect_running on effect (service, lease_until) where state = 'running'`,
  `create index effect_unknown on effect (service, due) where state = 'unknown'`,
  `create index effect_in_order on effect (order_key, seq) where state in ('owed', 'running', 'unknown')`,
  `create index effect_stream on effect (stream_id, seq)`,

  // The one mailbox (13): outcomes, timers, joined callbacks and parked inputs, in order of their ids per input key.
  `create table mailbox (
     id bigint generated always as identity primary key,
     service text not null,
     input_key text not null,
     lane text not null default 'live',
     kind text not null check (kind in ('record', 'outcome', 'timer', 'callback')),
     key text not null,
     stream_id text,
     body json not null,
     parked boolean not null default false,
     due timestamptz not null default refrain_now()
   )`,
  `create index mailbox_due on mailbox (service, due) where not parked`,
  `create index mailbox_parked on mailbox (service, input_key, id) where parked`,
  `create table parked_key (
     service text not null,
     input_key text not null,
     code text not null,
     reason text not null,
     since timestamptz not null default refrain_now(),
     released_by text,
     primary key (service, input_key)
   )`,

  // A vendor's own id for something of ours (9): whoever of answer and callback comes second finds the other here.
  `create table correlation (
     service text not null,
     tenant text not null,
     vendor text not null,
     external_id text not null,
     stream_id text,
     waiting json,
     noted_at timestamptz not null default refrain_now(),
     primary key (service, tenant, vendor, external_id)
   )`,

  // Who relays a shard or pumps a service's mailbox now. Correctness never rests on it: two holders only repeat.
  `create table lease (name text primary key, owner text not null, until timestamptz not null)`,
];
