import type { MigrationInterface, QueryRunner } from 'typeorm';
import { BUDGET_FUNCTIONS } from './budget-functions';
import { CLAIM_EFFECTS } from './claim-effects';

/** What calls cost is reserved from budgets, per tenant, recipe and day, and per replay, before they are made. */
export class Budgets1796688000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    for (const statement of [...statements, ...BUDGET_FUNCTIONS, CLAIM_EFFECTS]) await runner.query(statement);
  }

  async down(): Promise<void> {
    throw new Error('What is reserved has no place in the schema before it.');
  }
}

const statements = [
  // What a call is thought to cost, in micro-dollars, and what calls are like it; the book for which it waits.
  `alter table effect add column spend bigint, add column spend_like text, add column waits_for text`,
  `alter table replay add column budget bigint check (budget >= 0)`,
  // One budget, of a day or of a replay. In micro-dollars: what may be spent, and what an operator added to it for the day.
  `create table spend_book (
     key text primary key,
     tenant text not null,
     scope text not null check (scope in ('tenant', 'recipe', 'replay')),
     name text not null,
     day date,
     ends timestamptz,
     most bigint not null,
     raised bigint not null default 0,
     raised_by text,
     spent bigint not null default 0,
     reserved bigint not null default 0,
     exhausted_at timestamptz,
     told_by text,
     told_at timestamptz
   ) with (fillfactor = 50)`,
  `create index spend_book_untold on spend_book (told_by) where exhausted_at is not null and told_at is null`,
  // What one call has reserved, or cost once it is settled, and in which books.
  `create table spend (
     slot text not null,
     generation int not null,
     service text not null,
     tenant text not null,
     kind text not null,
     like_key text,
     micros bigint not null,
     keys text[] not null,
     at timestamptz not null,
     settled_at timestamptz,
     primary key (slot, generation)
   ) with (fillfactor = 80)`,
  `create index spend_like on spend (tenant, kind, like_key, settled_at) where settled_at is not null and micros > 0`,
  `create index spend_at on spend (at)`,
  `create index effect_waits on effect (service, waits_for, seq) where state = 'owed' and waits_for is not null`,
  // What waits for a budget is not looked at by claims.
  `create index effect_due on effect (service, kind, tenant, lane, due, seq)
     where state = 'owed' and shares is null and waits_for is null`,
  `drop index effect_claim`,
  // Who still calls it without budgets, as during a roll-out, calls the function that is made anew.
  `drop function if exists claim_effects(text, int, text, text[], int[], text[], text[], text[], int[], int[], int[],
     text[], int[], text[], int[], int[])`,
];
