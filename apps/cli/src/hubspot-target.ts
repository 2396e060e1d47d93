import { loadConfig } from '#libs/platform';
import { publicConfig } from './cli.config';
import { hubspotDoor } from './doctor/door';
import { UsageError } from './output';

/** The address under which HubSpot reaches the gateway: as it was said, or the gateway's public one. */
export function gatewayUrl(said: string | undefined): string {
  const url = said ?? loadConfig(publicConfig, process.env).PUBLIC_URL;
  if (url !== undefined && URL.canParse(url) && url.startsWith('https://')) return url.replace(/\/+$/, '');
  throw new UsageError("HubSpot calls https addresses alone: give the gateway's with --url, or set PUBLIC_URL");
}

/** Where HubSpot's webhooks come in there. */
export const hubspotTarget = (said: string | undefined): string => hubspotDoor(gatewayUrl(said));
