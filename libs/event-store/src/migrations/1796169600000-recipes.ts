import type { MigrationInterface, QueryRunner } from 'typeorm';

/** The registry of recipes: each content once, and who made it live where, when and why. Rows are only ever added. */
export class Recipes1796169600000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    for (const statement of statements) await runner.query(statement);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('drop table recipe_publication, recipe_text');
  }
}

const statements = [
  `create table recipe_text (
     recipe text not null,
     version text not null,
     text text not null,
     primary key (recipe, version)
   )`,
  // The number is the version of the publication's event in its stream: of two publishers at once, one is second.
  `create table recipe_publication (
     environment text not null check (environment ~ '^[a-z][a-z0-9-]{0,62}$'),
     recipe text not null,
     number int not null,
     action text not null check (action in ('published', 'promoted', 'rolled-back', 'withdrawn')),
     state text not null check (state in ('live', 'awaiting approval', 'refused')),
     version text not null,
     source text,
     by_whom text not null,
     why text not null,
     ticket text,
     approved_by text,
     at timestamptz not null default refrain_now(),
     primary key (environment, recipe, number)
   )`,
];
