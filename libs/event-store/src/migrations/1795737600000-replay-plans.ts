import type { MigrationInterface, QueryRunner } from 'typeorm';

/** What a plan keeps for itself while it is made: simulated streams, and answers that it fetched (protocol 22, 23). */
export class ReplayPlans1795737600000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    for (const statement of statements) await runner.query(statement);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('drop table replay_answer, replay_stream');
    await runner.query('alter table replay drop column reads, drop column beyond_receipts');
  }
}

const statements = [
  `alter table replay add column reads boolean not null default false,
     add column beyond_receipts boolean not null default false`,
  // What the plan's earlier items would do to a stream: its later items must see it, and a plan that goes on after a
  // crash too. Gone once the plan is made.
  `create table replay_stream (
     replay_id text not null references replay (id) on delete cascade,
     stream_id text not null,
     events json not null,
     effects json not null,
     primary key (replay_id, stream_id)
   )`,
  // Answers to queries, frozen when the plan was made.
  `create table replay_answer (
     replay_id text not null references replay (id) on delete cascade,
     stream_id text not null,
     slot text not null,
     request_hash text not null,
     answer json,
     read_at timestamptz not null,
     primary key (replay_id, stream_id, slot)
   )`,
];
