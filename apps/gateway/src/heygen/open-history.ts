import { CALLBACK_OVERDUE, CALLBACK_WITHIN_MS } from '#libs/contracts';
import { earliestTimer, openReader } from '#libs/event-store';
import type { Logger } from '#libs/platform';
import type { GatewayConfig } from '../gateway.config';
import type { HeygenConnection } from '../connections';
import type { Ingress } from '../ingress';
import { type History, MissedCallbacks } from './missed';

const READ_LIMIT_MS = 5_000;

/** Opens HeyGen's history where the gateway has a key for it, and a database that says whether a video is waited for. */
export const missedCallbacks =
  (config: GatewayConfig, connections: readonly HeygenConnection[], logger: Logger) =>
  async (ingress: Ingress): Promise<MissedCallbacks> =>
    new MissedCallbacks(await historyOf(config), connections, ingress, logger);

async function historyOf(config: GatewayConfig): Promise<History | undefined> {
  const { DATABASE_URL, HEYGEN_API_KEY: apiKey, HEYGEN_BASE_URL: baseUrl } = config;
  if (DATABASE_URL === undefined || apiKey === undefined) return undefined;
  const { HeygenEndpoints } = await import('#libs/vendors/heygen');
  const endpoints = new HeygenEndpoints({ baseUrl, apiKey });
  const pool = openReader(DATABASE_URL, 'gateway-history', { max: 1, limitMs: READ_LIMIT_MS });
  return {
    // Each order has a timer that was set when it was taken.
    since: async () => {
      const due = await earliestTimer(pool, 'render-service', CALLBACK_OVERDUE);
      return due && new Date(due.getTime() - CALLBACK_WITHIN_MS - MARGIN_MS);
    },
    page: (token, signal) => endpoints.sent(token, signal),
    close: () => pool.end(),
  };
}

/** HeyGen tells whole seconds, by a clock of its own; a callback may overtake the order's answer. */
const MARGIN_MS = 5 * 60_000;
