import type { OnApplicationShutdown } from '@nestjs/common';
import { type CardRead, NotBuilt, openReader, type Pool, readCard, StoreUnavailable } from '#libs/event-store';
import { Problem } from '#libs/platform';

const CONNECTIONS = 4;
/** HubSpot gives an answer 15 s; who looks at a card gives it one. */
const READ_LIMIT_MS = 800;
const RETRY_AFTER_SECONDS = 5;

/** The read model of cards, as the gateway reads it: on a small pool of its own that can write nothing. */
export class Cards implements OnApplicationShutdown {
  private readonly pool: Pool | undefined;

  constructor(databaseUrl: string | undefined) {
    this.pool =
      databaseUrl === undefined
        ? undefined
        : openReader(databaseUrl, 'gateway-cards', { max: CONNECTIONS, limitMs: READ_LIMIT_MS });
  }

  /** What is known of a tenant's record; throws a problem where the gateway has no database, or it does not answer. */
  async read(tenant: string, subject: string): Promise<CardRead> {
    if (!this.pool) {
      throw new Problem('cards-off', { detail: 'Set DATABASE_URL at the gateway, to the database of the services' });
    }
    try {
      return await readCard(this.pool, { tenant, subject });
    } catch (error) {
      if (error instanceof NotBuilt) throw unavailable(error, error.message);
      if (error instanceof StoreUnavailable) throw unavailable(error);
      throw error;
    }
  }

  async onApplicationShutdown(): Promise<void> {
    await this.pool?.end();
  }
}

const unavailable = (cause: Error, detail?: string): Problem =>
  new Problem('cards-unavailable', {
    cause,
    retryAfterSeconds: RETRY_AFTER_SECONDS,
    ...(detail === undefined ? {} : { detail }),
  });
