import type { HeygenConnection, HubspotConnection } from '../connections';
import { secrets } from './inbound';

/** A HubSpot connection that can receive, with what a test wants to be different. */
export const hubspotConnection = (secret: string, over: Partial<HubspotConnection> = {}): HubspotConnection => ({
  connection: 'default',
  signatures: ['v3'],
  secrets: () => secrets(secret),
  cap: undefined,
  ...over,
});

/** A HeyGen connection that can receive, with what a test wants to be different. */
export const heygenConnection = (secret: string, over: Partial<HeygenConnection> = {}): HeygenConnection => ({
  connection: 'default',
  tenants: ['default'],
  secrets: () => secrets(secret),
  tokens: undefined,
  cap: undefined,
  ...over,
});
