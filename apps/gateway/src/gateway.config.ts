import { appSettings, count, logSettings, secret, url } from '#libs/platform';
import { z } from 'zod';
import { addressSet, endpointsFile } from './generic/endpoints';
import { tenantsFile } from './tenants';

/** Every setting of the gateway. */
export const gatewayConfig = z.object({
  ...appSettings,
  ...logSettings,
  PUBLIC_URL: url().describe('Address under which vendors call the gateway; HubSpot signs it, with the path'),
  HUBSPOT_CLIENT_SECRET: secret().describe('Client secret of the HubSpot app: the key of its signatures'),
  HEYGEN_WEBHOOK_SECRET: secret().describe('Secret of the HeyGen webhook endpoint, as HeyGen gave it'),
  TENANTS_FILE: tenantsFile()
    .optional()
    .describe('YAML list of tenants and their portals; without it all are `default`'),
  WHEN_LOG_IS_AWAY: z
    .enum(['refuse', 'spool'])
    .default('refuse')
    .describe('What the log cannot take is answered 503, for the vendor to repeat, or kept in Postgres until it can'),
  DATABASE_URL: url('postgres', 'postgresql')
    .meta({ secret: true })
    .optional()
    .describe('Where the spool is; needed only to spool'),
  SPOOL_MIB: count()
    .prefault('1024')
    .describe('Most that the spool takes on the disk, in MiB; beyond it the answer is 503'),
  ENDPOINTS_FILE: endpointsFile()
    .optional()
    .describe('YAML list of endpoints under /webhooks/in/, each with its ways of authentication'),
  TRUSTED_PROXIES: addressSet()
    .optional()
    .describe(
      'Addresses and CIDR ranges of the proxies before the gateway, separated by commas; what they say of a sender is believed',
    ),
});

export type GatewayConfig = z.infer<typeof gatewayConfig>;
