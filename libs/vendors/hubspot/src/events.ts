import type { Answer, RecordRef } from '#libs/contracts';
import { type Made, request as call, sorted } from './answering';
import type { Sdk } from './sdk';
import { families } from './versions';

/** An event in a record's timeline; `at` is RFC 3339. */
export interface EventRequest {
  record: RecordRef;
  event: { type: string; properties: Record<string, string>; at: string };
}

const APP_EVENTS = `${families.timeline.root}/events`;
const KNOWN = 'event-known';
const NOT_ALLOWED = 'events-not-allowed';

/**
 * Writes an event to a record's timeline, under an id of its own: said again HubSpot knows it, so an unknown call may be
 * repeated. Apps need HubSpot's approval and a scope for it: without them the code is `events-not-allowed`.
 */
export async function sendEvent(
  sdk: Sdk,
  { record, event }: EventRequest,
  id: string,
  signal: AbortSignal,
): Promise<Answer<Made>> {
  const { type: eventTypeName, properties, at: timestamp } = event;
  const body = { eventTypeName, id, objectId: record.id, properties, timestamp };
  const codes = [{ status: 409, code: KNOWN }];
  const answer = await sorted(signal, () => call(sdk, signal, { method: 'POST', path: APP_EVENTS, body }), {
    forbidden: 'stop',
    codes,
  });
  if (answer.outcome === 'done') return { outcome: 'done', value: { id } };
  if (answer.outcome !== 'stop') return answer;
  if (answer.code === KNOWN) return { outcome: 'done', value: { id } };
  return answer.code === 'not-allowed' ? { ...answer, code: NOT_ALLOWED } : answer;
}
