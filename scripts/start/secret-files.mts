import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Environment, Secrets } from './settings.mts';

export interface SecretFiles {
  /** Returns `<NAME>_FILE` settings for the given names, so that no secret stands in an environment or a command line. */
  settings(...names: SecretName[]): Environment;
}

export type SecretName =
  | 'DATABASE_URL'
  | 'HUBSPOT_ACCESS_TOKEN'
  | 'HUBSPOT_CLIENT_SECRET'
  | 'HEYGEN_API_KEY'
  | 'HEYGEN_WEBHOOK_SECRET'
  | 'OPENAI_API_KEY';

/** Writes each secret to a file of its own, readable by us only, in a directory that is removed after the run. */
export function writeSecretFiles(directory: string, secrets: Secrets, databaseUrl: string): SecretFiles {
  const values: Record<SecretName, string> = {
    DATABASE_URL: databaseUrl,
    HUBSPOT_ACCESS_TOKEN: secrets.hubspotAccessToken,
    HUBSPOT_CLIENT_SECRET: secrets.hubspotClientSecret,
    HEYGEN_API_KEY: secrets.heygenApiKey,
    HEYGEN_WEBHOOK_SECRET: secrets.heygenWebhookSecret,
    OPENAI_API_KEY: secrets.openaiApiKey,
  };
  const fileOf = (name: string) => join(directory, name.toLowerCase().replaceAll('_', '-'));
  for (const [name, value] of Object.entries(values)) writeFileSync(fileOf(name), value, { mode: 0o600 });
  return { settings: (...names) => Object.fromEntries(names.map((name) => [`${name}_FILE`, fileOf(name)])) };
}
