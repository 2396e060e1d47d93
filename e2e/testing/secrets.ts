import { randomBytes, randomInt, randomUUID } from 'node:crypto';

/** What a run's processes know of each other's secrets, new for each hub. */
export const newSecrets = () => ({
  hubspotClientSecret: randomUUID(),
  hubspotAccessToken: `pat-na1-${randomUUID()}`,
  heygenApiKey: randomBytes(24).toString('base64url'),
  heygenWebhookSecret: `whsec_${randomBytes(24).toString('base64url')}`,
  openaiApiKey: `sk-${randomBytes(24).toString('base64url')}`,
});

/** The app that the hub writes as, and its portal. */
export const newAccount = () => ({
  appId: randomInt(1_000_000, 10_000_000),
  portalId: randomInt(10_000_000, 99_999_999),
});

export type Secrets = ReturnType<typeof newSecrets>;
export type Account = ReturnType<typeof newAccount>;
