import { type AccountSettings, TenantAccounts } from '#libs/accounts';
import { createLogger, type Environment } from '#libs/platform';
import type { HubspotAccounts } from '#libs/vendors/hubspot';

export type { AccountSettings } from '#libs/accounts';

/** The HubSpot accounts of a service's settings, as the service has them. */
export const accountsFor = (config: AccountSettings, env: Environment = {}): HubspotAccounts =>
  new TenantAccounts(config, env, createLogger('test', 'silent')).hubspot;
