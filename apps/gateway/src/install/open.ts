import { openPool } from '#libs/event-store';
import { ConfigError, type InstallableApp, type Logger, sealerOf } from '#libs/platform';
import type { GatewayConfig } from '../gateway.config';
import { InstallDoor } from './install';

const CONNECTIONS = 2;

/**
 * Opens the door where customers install apps. HubSpot's SDK is loaded only here: a gateway without it has no use for its
 * memory. Throws a {@link ConfigError} at once where a setting is missing.
 */
export function installDoor(config: GatewayConfig, apps: readonly InstallableApp[], logger: Logger) {
  const { DATABASE_URL, PUBLIC_URL: publicUrl, HUBSPOT_APP_URL: appUrl } = config;
  const sealer = sealerOf(config.SEALING_KEY);
  if (DATABASE_URL === undefined)
    throw new ConfigError(['DATABASE_URL: is needed where customers install an app: their tokens are kept there']);
  return async (): Promise<InstallDoor> => {
    const [{ Installations }, { authorizeUrl, HubspotOauth }] = await Promise.all([
      import('#libs/accounts'),
      import('#libs/vendors/hubspot'),
    ]);
    const pool = openPool(DATABASE_URL, 'gateway-install', CONNECTIONS);
    const installations = new Installations(() => pool, sealer, apps, logger);
    const hubspot = { authorizeUrl, oauthOf: (app: InstallableApp) => new HubspotOauth(app) };
    const close = () => pool.end();
    return new InstallDoor({ apps, publicUrl, appUrl, sealer, installations, hubspot, logger, close });
  };
}
