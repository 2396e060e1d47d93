import { randomBytes, randomInt, randomUUID } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseEnv } from 'node:util';
import { root } from '../infra/work-directory.mts';
import { Unavailable } from '../infra/unavailable.mts';

export type Environment = Record<string, string | undefined>;
export type Vendor = 'hubspot' | 'heygen' | 'openai';
export const vendors: readonly Vendor[] = ['hubspot', 'heygen', 'openai'];

export interface Secrets {
  hubspotClientSecret: string;
  hubspotAppId: string;
  hubspotAccessToken: string;
  portalId: string;
  heygenApiKey: string;
  heygenWebhookSecret: string;
  openaiApiKey: string;
}

export interface Settings {
  readonly env: Environment;
  readonly secrets: Secrets;
  /** The vendors that a sandbox stands in for: those for which neither a key nor an address was given. */
  readonly standIns: ReadonlySet<Vendor>;
}

/** What each vendor needs to be the real one; the first is what decides that it is. */
const names: Record<Vendor, Partial<Record<keyof Secrets, string>>> = {
  hubspot: {
    hubspotAccessToken: 'HUBSPOT_ACCESS_TOKEN',
    hubspotClientSecret: 'HUBSPOT_CLIENT_SECRET',
    hubspotAppId: 'HUBSPOT_APP_ID',
  },
  heygen: { heygenApiKey: 'HEYGEN_API_KEY', heygenWebhookSecret: 'HEYGEN_WEBHOOK_SECRET' },
  openai: { openaiApiKey: 'OPENAI_API_KEY' },
};

/** Reads .env under the environment, and makes new secrets for the vendors that are stood in for. */
export function readSettings(environment: Environment = process.env): Settings {
  const file = join(root, '.env');
  const env: Environment = { ...(existsSync(file) ? parseEnv(readFileSync(file, 'utf8')) : {}), ...environment };
  const secrets = newSecrets();
  const standIns = new Set<Vendor>();
  const faults: string[] = [];
  for (const vendor of vendors) {
    const wanted = Object.entries(names[vendor]) as [keyof Secrets, string][];
    const values = wanted.map(([key, name]) => ({ key, name, value: readValue(env, name, faults) }));
    const isReal = values[0]?.value !== undefined || env[`${vendor.toUpperCase()}_BASE_URL`];
    if (!isReal) standIns.add(vendor);
    for (const { key, name, value } of isReal ? values : []) {
      if (value === undefined) faults.push(`${name} (or ${name}_FILE) is missing, and ${vendor} is not stood in for`);
      else secrets[key] = value;
    }
  }
  secrets.portalId = env.HUBSPOT_PORTAL_ID && !standIns.has('hubspot') ? env.HUBSPOT_PORTAL_ID : secrets.portalId;
  if (env.PUBLIC_URL && !URL.canParse(env.PUBLIC_URL)) faults.push('PUBLIC_URL is not a URL');
  if (faults.length > 0)
    throw new Unavailable(`The settings do not fit together:\n${faults.map((f) => `  - ${f}`).join('\n')}`);
  return { env, secrets, standIns };
}

function readValue(env: Environment, name: string, faults: string[]): string | undefined {
  if (env[name]) return env[name];
  const file = env[`${name}_FILE`];
  if (!file) return undefined;
  try {
    return readFileSync(file, 'utf8').trim() || undefined;
  } catch {
    faults.push(`${name}_FILE cannot be read`);
    return undefined;
  }
}

function newSecrets(): Secrets {
  return {
    hubspotClientSecret: randomUUID(),
    hubspotAppId: String(randomInt(1_000_000, 10_000_000)),
    hubspotAccessToken: `pat-na1-${randomUUID()}`,
    portalId: String(randomInt(10_000_000, 100_000_000)),
    heygenApiKey: randomBytes(24).toString('base64url'),
    heygenWebhookSecret: `whsec_${randomBytes(24).toString('base64url')}`,
    openaiApiKey: `sk-${randomBytes(24).toString('base64url')}`,
  };
}
