import type { MigrationInterface, QueryRunner } from 'typeorm';

/** What finds the rows that are kept no longer (protocol 25), without reading those that are. */
export class Keeping1795651200000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    for (const statement of statements) await runner.query(statement);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('drop index inbox_received, inbox_rest_age, inbox_rest_day, inbox_undated_age, effect_age');
    await runner.query('drop index correlation_age');
  }
}

const statements = [
  // Marks come in by time: a summary of blocks says whether a day still holds a young one, and costs writers nothing.
  `create index inbox_received on inbox using brin (received_at)`,
  // Marks of days that have no partition of their own.
  `create index inbox_rest_age on inbox_rest (received_at)`,
  `create index inbox_rest_day on inbox_rest (day)`,
  `create index inbox_undated_age on inbox_undated (received)`,
  `create index effect_age on effect (settled_at) where state in ('done', 'dead', 'cancelled', 'superseded', 'erased')`,
  `create index correlation_age on correlation (noted_at) where stream_id is not null`,
];
