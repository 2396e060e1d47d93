import type { MigrationInterface, QueryRunner } from 'typeorm';

/** A plan may be made with other declarations than the service's own; it is looked at, and never applied. */
export class Previews1796256000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query('alter table replay add column declared json');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('alter table replay drop column declared');
  }
}
