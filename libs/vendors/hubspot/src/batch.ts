import { type Answer, ONE_OF_SEVERAL, type RecordRef } from '#libs/contracts';
import type { Sdk } from './sdk';
import { sorted, typeIdOf } from './answering';
import { answersOf } from './parts';

/** What to write to a record. */
export interface UpdateRequest {
  record: RecordRef;
  properties: Record<string, string>;
}

/** What a write left: when HubSpot says that the record changed last, RFC 3339. */
export interface Updated {
  modifiedAt: string;
}

/** The most records that HubSpot takes in one call (vendors' page, objects). */
export const MOST_IN_BATCH = 100;

/**
 * Writes to several records of one type in one call, each answered for itself. Where HubSpot refuses what several values
 * of a record say, its code is {@link ONE_OF_SEVERAL}; where it refuses the whole batch, each is refused unprocessed.
 */
export async function updateTogether(
  client: Sdk,
  requests: readonly UpdateRequest[],
  signal: AbortSignal,
): Promise<Answer<Updated>[]> {
  // With a name for each, one bad record does not fail the others.
  const inputs = requests.map(({ record: { id }, properties }, i) => ({
    id,
    properties,
    objectWriteTraceId: String(i),
  }));
  const type = typeIdOf(requests[0]?.record.type ?? '');
  const answer = await sorted(signal, () => client.crm.objects.batchApi.update(type, { inputs }));
  return answersOf(inputs, answer).map((one, i): Answer<Updated> => {
    if (one.outcome === 'done') return { ...one, value: { modifiedAt: one.value.updatedAt.toISOString() } };
    const several = Object.keys(requests[i]?.properties ?? {}).length > 1;
    return one.outcome === 'stop' && one.code !== 'OBJECT_NOT_FOUND' && several
      ? { ...one, code: ONE_OF_SEVERAL }
      : one;
  });
}
