import type { MigrationInterface, QueryRunner } from 'typeorm';
import { CLAIM_EFFECTS } from './claim-effects';

/** A limit that a vendor has stopped is tried with one call at a time. */
export class Probing1796601600000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query('alter table vendor_limit add column if not exists probing boolean not null default false');
    await runner.query(CLAIM_EFFECTS);
  }

  async down(): Promise<void> {
    // Older code does without the column; the function that reads it stays.
  }
}
