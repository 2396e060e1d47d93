import type { MigrationInterface, QueryRunner } from 'typeorm';
import { CLAIM_EFFECTS } from './claim-effects';

/** One call may carry several effects, and limits may be a tenant's own: claiming takes two parameters more. */
export class Batches1796428800000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`drop function if exists claim_effects(text, int, text, text[], int[], text[], text[], text[],
      int[], int[], int[], text[], int[])`);
    await runner.query(CLAIM_EFFECTS);
  }

  async down(): Promise<void> {
    // The migration before made the function as it is today.
  }
}
