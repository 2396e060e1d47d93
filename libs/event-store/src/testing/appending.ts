import type { Pool } from 'pg';
import { emptyOutcome } from '../batch-statements';
import { transact } from '../transaction';
import type { NewEvent } from '../shapes';

/** Toy events of a stream from a version on. */
export const eventsOf = (streamId: string, from: number, count: number, over: Partial<NewEvent> = {}): NewEvent[] =>
  Array.from({ length: count }, (_, i) => ({
    streamId,
    version: from + i,
    tenant: 'default',
    subject: 'contact:1',
    type: 'refrain.toy.happened.v1',
    data: { n: from + i },
    meta: { rootCause: 'cause', causedBy: 'cause' },
    ...over,
  }));

/** Appends events the way a decision does; `before` runs between the write and the commit, and may throw. */
export const append = (
  pool: Pool,
  events: NewEvent[],
  {
    service = 'toy-service',
    before = () => Promise.resolve(),
  }: { service?: string; before?: () => Promise<void> } = {},
): Promise<void> =>
  transact(
    pool,
    service,
    events.slice(0, 1).map((event) => event.streamId),
    async (tx) => {
      await tx.write({ ...emptyOutcome(), events });
      await before();
    },
  );
