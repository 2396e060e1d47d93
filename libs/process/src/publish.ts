import {
  budgetEvents,
  callEvents,
  type Catalog,
  deadLetterTopic,
  INPUT_PARKED,
  INPUTS_FREED,
  isOf,
  recordKey,
} from '#libs/contracts';
import { eventId, type Publish, type UnpublishedEvent } from '#libs/event-store';
import type { OutgoingRecord } from '#libs/log';

/** Resolves when every record has been acknowledged by all in-sync replicas, in the order given per key. */
export type Produce = (records: OutgoingRecord[]) => Promise<void>;

/** The relay's way to the log: stored events as CloudEvents on their context's topic, keyed by record. */
export const publishTo =
  (produce: Produce, catalog: Catalog): Publish =>
  (events) =>
    produce(events.map((event) => recordOfEvent(event, catalog)));

const aboutParking = new Set<string>([INPUT_PARKED, INPUTS_FREED]);

// Whoever's calls find a budget exhausted, or are looked at, tells of it.
function topicOf({ type, service }: UnpublishedEvent, catalog: Catalog): string {
  if (aboutParking.has(type)) return deadLetterTopic(service);
  return [budgetEvents, callEvents].find((own) => isOf(own, type))?.topic ?? catalog.topic;
}

function recordOfEvent(event: UnpublishedEvent, catalog: Catalog): OutgoingRecord {
  return {
    topic: topicOf(event, catalog),
    key: recordKey(event.tenant, event.subject),
    value: Buffer.from(event.json),
    envelope: {
      id: eventId(event.streamId, event.version),
      source: `/${event.service}`,
      type: event.type,
      subject: event.subject,
      time: event.occurredAt.toISOString(),
      tenant: event.tenant,
      correlationid: event.meta.rootCause,
      causationid: event.meta.causedBy,
      replayid: event.meta.replayId,
      lane: event.meta.lane,
      traceparent: event.meta.traceparent,
    },
  };
}
