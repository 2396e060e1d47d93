import type { Answer, RecordRef } from '#libs/contracts';
import type { ValueWithTimestamp } from '@hubspot/api-client/lib/codegen/crm/objects/models/ValueWithTimestamp';
import { sorted } from './answering';
import { listed, type ListedRecord, readAll } from './listing';
import type { Sdk } from './sdk';

/** A record whose change at a time (RFC 3339) was told of: how it came to say what these properties said then. */
export interface ChangedRequest {
  record: RecordRef;
  at: string;
  properties: string[];
}

/** The record as it was read; absent where it was deleted since. */
export interface ChangedRecord {
  record?: ListedRecord;
}

/**
 * Reads records of one type that changed, in one call, at most {@link RECORDS_A_PAGE}. A property that changed again since
 * is told as it was at the time.
 */
export async function readChanged(
  client: Sdk,
  requests: readonly ChangedRequest[],
  signal: AbortSignal,
): Promise<Answer<ChangedRecord>[]> {
  const ids = [...new Set(requests.map(({ record }) => record.id))];
  const properties = [...new Set(requests.flatMap((request) => request.properties))];
  const object = requests[0]?.record.type ?? '';
  const answer = await sorted(signal, () =>
    readAll(
      client,
      object,
      ids.map((id) => ({ id })),
      properties,
    ),
  );
  if (answer.outcome !== 'done') return requests.map(() => answer);
  const byId = new Map(answer.value.map((record) => [record.id, record]));
  return requests.map(({ record: { id }, at, properties: names }) => {
    const found = byId.get(id);
    return {
      outcome: 'done',
      value: found ? { record: listed(found, names, (history) => entryAt(history, Date.parse(at))) } : {},
    };
  });
}

/** HubSpot tells the time of one change by several of its clocks. */
const CLOCKS_DIFFER_MS = 10_000;

// The change itself, or else what held then.
function entryAt(history: readonly ValueWithTimestamp[], at: number): ValueWithTimestamp | undefined {
  const away = (entry: ValueWithTimestamp): number => Math.abs(new Date(entry.timestamp).getTime() - at);
  const [nearest] = [...history].sort((a, b) => away(a) - away(b));
  if (nearest && away(nearest) <= CLOCKS_DIFFER_MS) return nearest;
  return history.find(({ timestamp }) => new Date(timestamp).getTime() <= at);
}
