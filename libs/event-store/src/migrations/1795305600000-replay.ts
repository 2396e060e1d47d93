import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Replays: the plan that an operator reads, and what became of each of its items (protocol 21 to 24). */
export class Replay1795305600000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    for (const statement of statements) await runner.query(statement);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('drop table replay_item, replay');
  }
}

const statements = [
  `create table replay (
     id text primary key,
     service text not null,
     topic text not null,
     selection json not null,
     state text not null default 'requested' check (state in
       ('requested', 'planned', 'applying', 'paused', 'aborted', 'done', 'failed')),
     redo boolean not null default false,
     -- Next offset to plan, by partition: planning goes on there after a crash.
     offsets json not null default '{}',
     records_total bigint,
     records_seen bigint not null default 0,
     error text,
     requested_by text not null,
     requested_at timestamptz not null default refrain_now(),
     planned_at timestamptz,
     ended_at timestamptz
   )`,
  `create index replay_open on replay (service, requested_at) where state in ('requested', 'applying')`,
  // Only records that this service listens to become items. The body is kept, so that applying does not depend on the
  // topic's retention.
  `create table replay_item (
     replay_id text not null references replay (id) on delete cascade,
     seq bigint not null,
     source text not null,
     subject text not null,
     body json not null,
     plan json not null,
     state text not null default 'planned' check (state in ('planned', 'applied', 'held')),
     reason text,
     primary key (replay_id, seq)
   )`,
  `create index replay_item_open on replay_item (replay_id, seq) where state = 'planned'`,
  `create index effect_of_replay on effect (stream_id) where state in ('owed', 'running', 'unknown')
     and meta->>'replayId' is not null`,
];
