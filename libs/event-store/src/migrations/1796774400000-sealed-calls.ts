import type { MigrationInterface, QueryRunner } from 'typeorm';

/** What was asked and answered in calls of which a record is kept, sealed, each until its own end. */
export class SealedCalls1796774400000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    for (const statement of statements) await runner.query(statement);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('drop table sealed_call');
  }
}

const statements = [
  `create table sealed_call (
     id bigint generated always as identity primary key,
     slot text not null,
     generation int not null,
     attempt int not null,
     service text not null,
     tenant text not null,
     kind text not null,
     facts json not null,
     sealed text not null,
     at timestamptz not null,
     ends timestamptz not null
   )`,
  `create index sealed_call_slot on sealed_call (slot, generation)`,
  `create index sealed_call_ends on sealed_call (ends)`,
];
