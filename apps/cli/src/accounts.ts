import { TenantAccounts } from '#libs/accounts';
import { openPool, type Pool } from '#libs/event-store';
import { createLogger, loadConfig, type TenantDeclaration } from '#libs/platform';
import { crmConfig, storeConfig } from './cli.config';

/** The HubSpot accounts of the settings, and the tenants that declare them. */
export interface OpenedAccounts extends Pick<TenantAccounts, 'hubspot' | 'installations' | 'clientSecretOf'> {
  tenants: readonly TenantDeclaration[];
}

/**
 * Gives one command the accounts when it asks for them, which throws a `ConfigError` with all that is wrong with the
 * settings. The store is opened only where customers install apps, whose tokens stand in it, and closed whatever happens.
 */
export async function withAccounts<T>(work: (open: () => OpenedAccounts) => Promise<T>): Promise<T> {
  let pool: Pool | undefined;
  const open = (): OpenedAccounts => {
    const config = loadConfig(crmConfig, process.env);
    const accounts = new TenantAccounts(config, process.env, createLogger('refrain', 'silent'));
    if (accounts.installations) {
      pool ??= openPool(loadConfig(storeConfig, process.env).DATABASE_URL, 'refrain-cli', 2);
      accounts.readFrom(pool);
    }
    return Object.assign(accounts, { tenants: config.TENANTS_FILE ?? [] });
  };
  try {
    return await work(open);
  } finally {
    await pool?.end();
  }
}
