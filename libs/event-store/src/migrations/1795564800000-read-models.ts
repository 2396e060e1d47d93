import type { MigrationInterface, QueryRunner } from 'typeorm';

/** How far each read model has come: the tables that are read, and the next ones while they are being built. */
export class ReadModels1795564800000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(
      `create table read_model (
         name text not null,
         build text not null check (build in ('live', 'next')),
         id uuid,
         version int,
         position bigint not null default 0,
         events bigint not null default 0,
         asked_by text not null,
         primary key (name, build)
       )`,
    );
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('drop table read_model');
  }
}
