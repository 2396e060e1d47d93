import {
  appSettings,
  ConfigError,
  count,
  hubspotSettings,
  logSettings,
  needsStoreKeys,
  port,
  secret,
  type TlsListener,
  url,
  videoStoreSettings,
} from '#libs/platform';
import { z } from 'zod';
import { addressSet, endpointsFile } from './generic/endpoints';
import { noDeclarations, type ConnectionDeclarations } from './connection.schema';
import { needsSetting, tenantsFile } from './connections';

type Read = Partial<Record<string, unknown>> & { TENANTS_FILE?: Partial<ConnectionDeclarations> };

/** The check that a setting is there where a connection of the door has no secret of its own; made whatever else is wrong. */
const isThere = (setting: string, door: keyof ConnectionDeclarations) =>
  [
    (read: Read) => Boolean(read[setting]) || !needsSetting((read.TENANTS_FILE ?? noDeclarations)[door] ?? []),
    { path: [setting] as PropertyKey[], when: () => true },
  ] as const;

/** Every setting of the gateway. */
export const gatewayConfig = z
  .object({
    ...appSettings,
    ...logSettings,
    PUBLIC_URL: url().describe('Address under which vendors call the gateway; HubSpot signs it, with the path'),
    HUBSPOT_CLIENT_SECRET: secret()
      .optional()
      .describe('Client secret of the HubSpot app: the key of its signatures; needed unless TENANTS_FILE names one'),
    HEYGEN_WEBHOOK_SECRET: secret()
      .optional()
      .describe('Secret of the HeyGen webhook endpoint, as HeyGen gave it; needed unless TENANTS_FILE names one'),
    HEYGEN_WEBHOOK_NEXT_SECRET_FILE: z
      .string()
      .optional()
      .describe(
        'File of a secret that is accepted beside HEYGEN_WEBHOOK_SECRET, as soon as it is there: `refrain init heygen` writes it',
      ),
    TENANTS_FILE: tenantsFile()
      .optional()
      .describe(
        'YAML list of connections: their secrets, tenants and filters; without it all is of the tenant `default`',
      ),
    WHEN_LOG_IS_AWAY: z
      .enum(['refuse', 'spool'])
      .default('refuse')
      .describe('What the log cannot take is answered 503, for the vendor to repeat, or kept in Postgres until it can'),
    DATABASE_URL: url('postgres', 'postgresql')
      .meta({ secret: true })
      .optional()
      .describe(
        "The services' database: for the spool, for what HubSpot's app card shows, for stable links, and for the tokens of installations",
      ),
    SEALING_KEY: hubspotSettings.SEALING_KEY,
    HUBSPOT_BASE_URL: hubspotSettings.HUBSPOT_BASE_URL,
    HUBSPOT_APP_URL: url()
      .default('https://app.hubspot.com')
      .describe('Where HubSpot lets customers install an app; app-eu1.hubspot.com for accounts in Europe'),
    HEYGEN_BASE_URL: url().default('https://api.heygen.com').describe('HeyGen, where it is not api.heygen.com'),
    HEYGEN_API_KEY: secret()
      .optional()
      .describe(
        "HeyGen's API key: stable links to videos (/v/) ask by it where a video is now, and after a start what HeyGen sent meanwhile; without it both are off",
      ),
    ...videoStoreSettings,
    SPOOL_MIB: count()
      .prefault('1024')
      .describe('Most that the spool takes on the disk, in MiB; beyond it the answer is 503'),
    LAG_LIMIT: count()
      .optional()
      .describe('Records that the services may be behind on what came in before senders that repeat are answered 429'),
    ENDPOINTS_FILE: endpointsFile()
      .optional()
      .describe('YAML list of endpoints under /webhooks/in/, each with its ways of authentication'),
    TLS_PORT: port().optional().describe('Port on HOST at which the gateway speaks TLS itself; without it nowhere'),
    TLS_CERT_FILE: z.string().optional().describe('PEM file with the certificate of the TLS listener and its chain'),
    TLS_KEY_FILE: z.string().optional().describe('PEM file with the key of that certificate'),
    TLS_CLIENT_CA_FILE: z
      .string()
      .optional()
      .describe('PEM file with whose client certificates the TLS listener verifies; without it none are asked for'),
    TRUSTED_PROXIES: addressSet()
      .optional()
      .describe(
        'Addresses and CIDR ranges of the proxies before the gateway, separated by commas; what they say of a sender is believed',
      ),
  })
  .refine(...isThere('HUBSPOT_CLIENT_SECRET', 'hubspot'))
  .refine(...isThere('HEYGEN_WEBHOOK_SECRET', 'heygen'))
  .refine(...needsStoreKeys);

export type GatewayConfig = z.infer<typeof gatewayConfig>;

/** Where the gateway speaks TLS; undefined where it does not. Throws {@link ConfigError} where a file is not named. */
export function tlsOf(config: GatewayConfig): TlsListener | undefined {
  const { TLS_PORT, TLS_CERT_FILE, TLS_KEY_FILE, TLS_CLIENT_CA_FILE: clientCaFile } = config;
  if (TLS_PORT === undefined) return undefined;
  if (TLS_CERT_FILE === undefined || TLS_KEY_FILE === undefined) {
    throw new ConfigError(['TLS_PORT: needs TLS_CERT_FILE and TLS_KEY_FILE']);
  }
  return { port: TLS_PORT, certFile: TLS_CERT_FILE, keyFile: TLS_KEY_FILE, clientCaFile };
}
