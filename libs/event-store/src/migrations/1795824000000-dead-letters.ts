import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Operators list what is dead or held among millions of receipts. */
export class DeadLetters1795824000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`create index effect_dead_letters on effect (seq) where state in ('dead', 'held')`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`drop index effect_dead_letters`);
  }
}
