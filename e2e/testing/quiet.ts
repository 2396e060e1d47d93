import { Client } from 'pg';
import type { Hub } from './hub';
import { until } from './until';

const open = `select (select count(*) from effect where state in ('owed', 'running', 'unknown'))
  + (select count(*) from mailbox where not parked and kind <> 'timer') + (select count(*) from unpublished) as open`;

/**
 * Resolves when nothing is under way anywhere: all is read, nothing is owed, undecided or unpublished, and HubSpot has
 * sent the webhooks of what the hub wrote to it. Looks twice, since what was published last must still be read.
 */
export async function quiet(hub: Hub): Promise<void> {
  const store = new Client({ connectionString: hub.databaseUrl });
  await store.connect();
  let looks = 0;
  try {
    await until('nothing is under way', async () => {
      await hub.caughtUp();
      const { rows } = await store.query<{ open: string }>(open);
      const { eventsCollected, deliveries } = await hub.control<HubspotState>('hubspot', 'GET', '/state');
      const { queued, inFlight, waitingForRetry } = deliveries;
      const busy = Number(rows[0]?.open) + eventsCollected + queued + inFlight + waitingForRetry;
      looks = busy === 0 ? looks + 1 : 0;
      return looks === 2;
    });
  } finally {
    await store.end();
  }
}

interface HubspotState {
  eventsCollected: number;
  deliveries: { queued: number; inFlight: number; waitingForRetry: number };
}
