import type { MigrationInterface, QueryRunner } from 'typeorm';

/** The cases beside a recipe are kept with its publications: what the next version makes of them is told with it. */
export class RecipeCases1796342400000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query('alter table recipe_publication add column cases text');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('alter table recipe_publication drop column cases');
  }
}
