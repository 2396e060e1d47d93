import type { MigrationInterface, QueryRunner } from 'typeorm';
import { CLAIM_EFFECTS } from './claim-effects';

/** A claim looks for any effect of its order key that is under way, and for an older one that is owed: one probe each. */
export class Order1796083200000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    for (const statement of statements) await runner.query(statement);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('drop index effect_in_order');
    await runner.query(`create index effect_in_order on effect (order_key, seq) where ${open}`);
  }
}

const open = `order_key is not null and state in ('owed', 'running', 'unknown')`;

const statements = [
  'drop index effect_in_order',
  `create index effect_in_order on effect (order_key, state, seq) where ${open}`,
  CLAIM_EFFECTS,
];
