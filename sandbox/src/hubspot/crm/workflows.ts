import type { Crm } from './crm.ts';
import type { ObjectType } from './object-types.ts';
import type { Change } from './record-store.ts';

/** What the account's own automation does when a property is written: it writes others. */
export interface Workflow {
  type: ObjectType;
  property: string;
  set: Record<string, string>;
}

const ORIGIN = { source: 'AUTOMATION_PLATFORM', sourceId: 'enrollmentId:1;actionExecutionIndex:0' };

/** Follows writes with those of workflows, which name themselves as their source and set off no workflow again. */
export class Workflows {
  list: Workflow[] = [];
  readonly #crm: Crm;

  constructor(crm: Crm) {
    this.#crm = crm;
  }

  follow(changes: Change[]): void {
    for (const change of changes) {
      if (change.kind !== 'propertyChange' || change.origin.source === ORIGIN.source) continue;
      const { record: ref, propertyName } = change;
      const record = this.#crm.records.find(ref.type, ref.id);
      for (const { type, property, set } of this.list)
        if (record && type === ref.type && property === propertyName) this.#crm.update(record, set, ORIGIN);
    }
  }
}
