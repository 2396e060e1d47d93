import { objectTypeNamed, type RecordRef } from '#libs/contracts';
import { Problem } from '#libs/platform';
import type { HubspotConnection, Owner } from '../connections';
import { ownerOf } from '../hubspot/owner';
import { VerifiedRequest } from '../hubspot/signature';
import type { InboundRequest } from '../schemes/inbound';

/** A request of a card that is believed: whose it is, and by whom it was made. */
export interface CardRequest {
  verified: VerifiedRequest;
  owner: Owner;
  /** HubSpot's id of the user before the card; absent where HubSpot does not say. */
  userId: string | undefined;
}

/** The connections as an app card calls them: by v3, whatever they take from webhooks. */
export const forAppCards = (connections: readonly HubspotConnection[]): HubspotConnection[] =>
  connections.map((connection) => ({ ...connection, signatures: ['v3'] }));

/** The connections as a classic card calls them: by v3, or by v2 where that is accepted. */
export const forClassicCards = (connections: readonly HubspotConnection[]): HubspotConnection[] =>
  connections.map((connection) => ({
    ...connection,
    signatures: connection.signatures.filter((version) => version !== 'v1'),
  }));

/**
 * Believes a request, or throws the problem: its signature fits, and its portal is one of those whose app signed it.
 * Whoever stands before the card chooses the address, and HubSpot puts its own names behind: what stands there twice may
 * have been made up, and is refused.
 */
export function readCardRequest(
  request: InboundRequest,
  connections: readonly HubspotConnection[],
  now: number,
): CardRequest {
  const verified = VerifiedRequest.verify(request, connections, now);
  const query = new URL(verified.url).searchParams;
  const portalId = idIn(query, 'portalId');
  if (portalId === undefined) throw new Problem('bad-request', { detail: 'The query names no portalId' });
  const appId = idIn(query, 'appId');
  const found = ownerOf(verified.connections, {
    portalId: Number(portalId),
    ...(appId === undefined ? {} : { appId: Number(appId) }),
  });
  if ('unknown' in found) throw new Problem('forbidden', { detail: 'The portal is not one of this app’s tenants' });
  return { verified, owner: found.owner, userId: idIn(query, 'userId') };
}

function idIn(query: URLSearchParams, name: string): string | undefined {
  const values = query.getAll(name);
  const [value] = values;
  if (value === undefined) return undefined;
  if (values.length > 1 || !/^\d{1,15}$/.test(value)) {
    throw new Problem('bad-request', { detail: `The query must name ${name} once, as a number` });
  }
  return value;
}

/** A parameter of the signed query that stands there once. */
export function paramOf({ verified }: CardRequest, name: string): string {
  const values = new URL(verified.url).searchParams.getAll(name);
  const [value] = values;
  if (value === undefined || values.length > 1) {
    throw new Problem('bad-request', { detail: `The query must name ${name} once` });
  }
  return value;
}

const types: ReadonlySet<string> = new Set(['contact', 'company', 'deal']);

/** The record that a card is of; throws where there are no cards of such. */
export function recordIn(objectType: string, objectId: string): RecordRef {
  const type = objectTypeNamed(objectType);
  if (!types.has(type)) throw new Problem('not-found', { detail: 'There are cards of contacts, companies and deals' });
  if (!/^\d{1,19}$/.test(objectId)) throw new Problem('bad-request', { detail: 'The id of a record is a number' });
  return { type, id: objectId };
}
