import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Installations of apps by customers, with their tokens sealed. */
export class Installations1796515200000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      create table installation (
        tenant text primary key,
        portal bigint not null,
        app text not null,
        state text not null,
        scopes text[] not null,
        tokens text,
        version bigint not null default 1,
        expires_at timestamptz,
        renew_at timestamptz,
        not_before timestamptz not null default refrain_now(),
        installed_at timestamptz not null default refrain_now(),
        changed_at timestamptz not null default refrain_now(),
        check (state in ('active', 'revoked', 'uninstalled')),
        check ((state = 'active') = (tokens is not null))
      )`);
    await runner.query(`create index installation_due on installation (renew_at) where state = 'active'`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('drop table installation');
  }
}
