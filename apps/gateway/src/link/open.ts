import { openReader, readLink } from '#libs/event-store';
import type { GatewayConfig } from '../gateway.config';
import { videoStoreOf } from '#libs/platform';
import { FreshUrls } from './fresh-urls';
import { LinkDoor } from './link.controller';

const CONNECTIONS = 4;
/** Somebody waits in front of a browser. */
const READ_LIMIT_MS = 800;

/** How long the address of a copy may be opened that somebody is led to; what plays goes on. */
const SEEN_FOR_SECONDS = 3_600;

/** Opens the door of stable links. HeyGen's adapter is loaded only where the gateway has a key and a database for it. */
export function linkDoor(config: GatewayConfig) {
  return async (): Promise<LinkDoor> => {
    const { DATABASE_URL, HEYGEN_API_KEY: apiKey, HEYGEN_BASE_URL: baseUrl } = config;
    if (DATABASE_URL === undefined || apiKey === undefined) return new LinkDoor(undefined);
    const { HeygenClient } = await import('#libs/vendors/heygen');
    const heygen = new HeygenClient({ baseUrl, apiKey });
    const urls = new FreshUrls((videoId, signal) => heygen.status(videoId, signal));
    const kept = videoStoreOf(config);
    const store = kept && new (await import('#libs/vendors/object-store')).ObjectStore(kept);
    const pool = openReader(DATABASE_URL, 'gateway-links', { max: CONNECTIONS, limitMs: READ_LIMIT_MS });
    return new LinkDoor({
      read: (id) => readLink(pool, id),
      fresh: (videoId) => urls.of(videoId),
      ...(store ? { kept: ({ bucket, folder }) => store.link(bucket, `${folder}/video`, SEEN_FOR_SECONDS) } : {}),
      close: () => pool.end(),
    });
  };
}
