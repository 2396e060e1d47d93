import type { MigrationInterface, QueryRunner } from 'typeorm';

/** What the writing statement makes sure of within itself, so that a batch needs no transaction around it (decision 20). */
export class Writing1795910400000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    for (const statement of statements) await runner.query(statement);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('drop function refrain_enter, refrain_conflict, refrain_clock');
  }
}

const statements = [
  // The same clock as refrain_now(), as a row: the planner takes it into the statement, where a scalar function that
  // reads a table is called anew for each value.
  `create function refrain_clock() returns table (now timestamptz) language sql stable
     as $$ select coalesce(stopped_at, statement_timestamp()) + moved_by from clock $$`,
  // Nobody waits in order for an effect without an order key, and what a replay set off is found by its stream.
  `drop index effect_in_order`,
  `create index effect_in_order on effect (order_key, seq)
     where order_key is not null and state in ('owed', 'running', 'unknown')`,
  `drop index effect_of_replay`,
  `create function refrain_conflict(reason text) returns int language plpgsql as $$
     begin
       raise exception using errcode = '40001', message = reason;
     end $$`,
  // VOLATILE: each of its own statements sees what committed before it, whatever the statement that calls it sees. The
  // locks are held to the end of the transaction; sorted, so two batches never wait for each other. False: all is well.
  `create function refrain_enter(of_service text, lock_class int, buckets int[], open text[], parked text[])
     returns boolean language plpgsql volatile as $$
     declare
       bucket int;
     begin
       foreach bucket in array buckets loop
         perform pg_advisory_xact_lock_shared(lock_class, bucket);
       end loop;
       if exists (select from parked_key where service = of_service and input_key = any (open)) then
         perform refrain_conflict('a key was parked meanwhile');
       end if;
       if cardinality(parked) > 0 and cardinality(parked) <>
         (select count(*) from parked_key where service = of_service and input_key = any (parked)) then
         perform refrain_conflict('a key was freed meanwhile');
       end if;
       return false;
     end $$`,
];
