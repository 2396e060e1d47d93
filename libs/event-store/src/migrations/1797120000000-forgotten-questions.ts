import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Of calls that were answered, owners forget what was asked, as the call does: also of those that were answered before. */
export class ForgottenQuestions1797120000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(
      `update effect set request = 'null'::json
       where shares is not null and state = 'done' and request::text <> 'null'`,
    );
  }

  async down(): Promise<void> {
    // The schema is what it was, and what is forgotten does not come back.
  }
}
