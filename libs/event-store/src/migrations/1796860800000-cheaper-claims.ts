import type { MigrationInterface, QueryRunner } from 'typeorm';
import { CLAIM_EFFECTS } from './claim-effects';

/** A claim that can find no room, or that no budget bounds, looks at less. */
export class CheaperClaims1796860800000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(CLAIM_EFFECTS);
  }

  async down(): Promise<void> {
    // Older code calls the same functions.
  }
}
