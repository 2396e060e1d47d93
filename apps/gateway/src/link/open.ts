import { openReader, readLink } from '#libs/event-store';
import type { GatewayConfig } from '../gateway.config';
import { FreshUrls } from './fresh-urls';
import { LinkDoor } from './link.controller';

const CONNECTIONS = 4;
/** Somebody waits in front of a browser. */
const READ_LIMIT_MS = 800;

/** Opens the door of stable links. HeyGen's adapter is loaded only where the gateway has a key and a database for it. */
export function linkDoor({ DATABASE_URL, HEYGEN_API_KEY: apiKey, HEYGEN_BASE_URL: baseUrl }: GatewayConfig) {
  return async (): Promise<LinkDoor> => {
    if (DATABASE_URL === undefined || apiKey === undefined) return new LinkDoor(undefined);
    const { HeygenClient } = await import('#libs/vendors/heygen');
    const heygen = new HeygenClient({ baseUrl, apiKey });
    const urls = new FreshUrls((videoId, signal) => heygen.status(videoId, signal));
    const pool = openReader(DATABASE_URL, 'gateway-links', { max: CONNECTIONS, limitMs: READ_LIMIT_MS });
    return new LinkDoor({
      read: (id) => readLink(pool, id),
      fresh: (videoId) => urls.of(videoId),
      close: () => pool.end(),
    });
  };
}
