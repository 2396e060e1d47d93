import type { MigrationInterface, QueryRunner } from 'typeorm';

/** What the gateway accepted while the log was away, until it is on the log. */
export class Spool1795996800000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`create table spool (
      id bigint generated always as identity primary key,
      topic text not null,
      key text not null,
      value bytea not null,
      envelope json not null,
      headers json not null,
      spooled_at timestamptz not null default refrain_now()
    ) with (autovacuum_vacuum_scale_factor = 0.02)`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('drop table spool');
  }
}
