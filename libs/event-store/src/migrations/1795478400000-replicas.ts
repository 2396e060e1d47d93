import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Slots of replicas, and the inputs that they are about to decide with caution (protocol 10). */
export class Replicas1795478400000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    for (const statement of statements) await runner.query(statement);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('drop table suspect; drop table replica_slot');
  }
}

const statements = [
  // Whoever holds the slot's session lock sets it dirty, and clean again when it stops in order.
  `create table replica_slot (
     service text not null,
     slot int not null,
     dirty boolean not null,
     primary key (service, slot)
   )`,
  // How often the handling of an input was begun and not ended, by whichever replica.
  `create table suspect (
     service text not null,
     key text not null,
     begun int not null,
     since timestamptz not null default refrain_now(),
     primary key (service, key)
   )`,
];
