import type { MigrationInterface, QueryRunner } from 'typeorm';
import { BUDGET_FUNCTIONS } from './budget-functions';

/** Effects of lane `batch` wait for company, and go to the vendor as one job; replays may ask for it. */
export class Jobs1796947200000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    for (const statement of [...statements, ...BUDGET_FUNCTIONS]) await runner.query(statement);
  }

  async down(): Promise<void> {
    throw new Error('What waits for company has no place in the schema before it.');
  }
}

const statements = [
  `alter table effect drop constraint if exists effect_lane_check`,
  `alter table effect add constraint effect_lane_check
     check (lane in ('live', 'retry', 'replay', 'backfill', 'batch'))`,
  `insert into lane_weight values ('batch', 1) on conflict do nothing`,
  `create index effect_job on effect (service, slot)
     where purpose = 'job' and stream_id = '' and state in ('owed', 'running', 'unknown', 'held')`,
  `alter table replay add column if not exists batch boolean not null default false`,
];
