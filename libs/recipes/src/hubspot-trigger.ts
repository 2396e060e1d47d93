import { type Envelope, readHubspot, type RecordRef } from '#libs/contracts';
import type { Recipe } from './recipe';
import { matching } from './trigger';
import type { Rejection } from './video';

/** A recipe set off by a change of a record. `at` is the change's own time (RFC 3339), never the clock's. */
export interface Trigger {
  recipe: Recipe;
  tenant: string;
  record: RecordRef;
  content: string;
  at: string;
  rootCause: string;
  /** The recipe's own condition could not be told: why. */
  failed?: Rejection;
}

/** A record of `ingress.hubspot.v1` as recipes see it: its key for the inbox (protocol 3) and what it sets off. */
export interface HubspotTriggers {
  inbox: { key: string; day: string } | { key: string; received: string };
  triggers: Trigger[];
}

/**
 * Reads a HubSpot change and finds the recipes that it sets off. A workflow call has no time of its own: it counts as
 * of its reception, and its content's hash tells it apart. Pure; the error says why the value cannot be read.
 */
export function hubspotTriggers(
  from: { envelope: Envelope; value: unknown; hash: string },
  recipes: readonly Recipe[],
  writerAppId: string,
): HubspotTriggers | { error: string } {
  const read = readHubspot(from.value);
  if ('error' in read) return read;
  const { change } = read;
  const { envelope } = from;
  const at = change.occurredAt === undefined ? envelope.time : new Date(change.occurredAt).toISOString();
  return {
    inbox:
      change.delivery === 'webhook'
        ? { key: `${envelope.source}|${change.identity}`, day: at.slice(0, 10) }
        : { key: `${envelope.source}|${from.hash}|${change.identity}`, received: envelope.time },
    triggers: (change.test ? [] : matching(recipes, change, writerAppId, envelope.tenant)).map(
      ({ recipe, content, failed }) => ({
        recipe,
        ...(failed ? { failed } : {}),
        tenant: envelope.tenant,
        record: change.record,
        content,
        at,
        rootCause: envelope.correlationid,
      }),
    ),
  };
}
