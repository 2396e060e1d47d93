import type { MigrationInterface, QueryRunner } from 'typeorm';
import { BUDGET_FUNCTIONS } from './budget-functions';
import { CLAIM_EFFECTS } from './claim-effects';

/** What a job carries reserves from budgets, and waits for them, like calls that are made singly. */
export class JobBudgets1797033600000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    for (const statement of [...statements, ...BUDGET_FUNCTIONS, CLAIM_EFFECTS]) await runner.query(statement);
  }

  async down(): Promise<void> {
    throw new Error('What waits for a budget to go by a job has no place in the schema before it.');
  }
}

const statements = [
  // Of an effect that waits for a budget: the company to which it goes back, and the part of its price that it costs there.
  `alter table effect add column if not exists job_company text, add column if not exists job_rate float8`,
];
