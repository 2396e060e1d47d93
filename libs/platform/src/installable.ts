import type { z } from 'zod';
import { ConfigError, type Environment } from './config';
import { type AccountConfig, declaredSecrets, type TenantDeclaration, tenants } from './tenants';

/** An app that customers install through the gateway: what is asked of them, and whose portals may. */
export interface InstallableApp {
  tenant: string;
  clientId: string;
  clientSecret: () => string;
  /** Its id, where it was declared. */
  appId?: string;
  portals: readonly number[];
  scopes: readonly string[];
  optionalScopes: readonly string[];
  baseUrl?: string;
}

/** The apps that tenants declare to be installed through the gateway. Throws as {@link accountsOf}. */
export function installableApps(config: Pick<AccountConfig, 'TENANTS_FILE' | 'HUBSPOT_BASE_URL'>, env: Environment) {
  const faults: string[] = [];
  const secretAt = declaredSecrets(env, faults);
  const apps = (config.TENANTS_FILE ?? []).flatMap(({ tenant, portals = [], hubspot }): InstallableApp[] => {
    const { oauth, app, baseUrl = config.HUBSPOT_BASE_URL } = hubspot;
    if (oauth?.scopes === undefined) return [];
    const { clientId, clientSecretEnv, clientSecretFile, scopes, optionalScopes } = oauth;
    const clientSecret = secretAt(tenant, clientSecretEnv, clientSecretFile);
    return [{ tenant, clientId, clientSecret, appId: app, portals, scopes, optionalScopes, baseUrl }];
  });
  if (faults.length > 0) throw new ConfigError(faults);
  return apps;
}

/** Reads those tenants of a list whose app customers install through the gateway; others, and connections, are left out. */
export const readInstallable = (list: readonly unknown[]): z.ZodSafeParseResult<TenantDeclaration[]> =>
  tenants.safeParse(list.filter(isInstallable));

const isInstallable = (one: unknown): boolean =>
  (one as { hubspot?: { oauth?: { scopes?: unknown } } } | null)?.hubspot?.oauth?.scopes !== undefined;
