import { randomBytes, randomInt, randomUUID } from 'node:crypto';
import type { Environment } from './children';

/** What a run's processes know of each other's secrets, new for each hub. */
export const newSecrets = () => ({
  hubspotClientSecret: randomUUID(),
  hubspotAccessToken: `pat-na1-${randomUUID()}`,
  heygenApiKey: randomBytes(24).toString('base64url'),
  heygenWebhookSecret: `whsec_${randomBytes(24).toString('base64url')}`,
  openaiApiKey: `sk-${randomBytes(24).toString('base64url')}`,
});

/** The app that the hub writes as, and its portal: as they are set, or new ones. */
export const accountOf = ({ HUBSPOT_APP_ID: app, HUBSPOT_PORTAL_ID: portal }: Environment) => ({
  appId: Number(app ?? randomInt(1_000_000, 10_000_000)),
  portalId: Number(portal ?? randomInt(10_000_000, 99_999_999)),
});

export type Secrets = ReturnType<typeof newSecrets>;
export type Account = ReturnType<typeof accountOf>;
