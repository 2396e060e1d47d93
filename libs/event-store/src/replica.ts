import { setTimeout as pause } from 'node:timers/promises';
import { crc32 } from 'node:zlib';
import type { Pool, PoolClient } from 'pg';
import { sorted } from './errors';
import { Loop, type OnError } from './loop';

const LOOK_MS = 5_000;
// The first is told at once; under load the others look often enough as it is.
const TELL_EVERY_MS = 10;

interface Session {
  client: PoolClient;
  slot: number;
}

/**
 * A replica's own session with the database. It holds a slot for as long as the process lives, so that the next holder
 * learns whether this one ended in order, and it hears at once when another replica committed something.
 */
export class Replica {
  private readonly loop: Loop;
  private session: Session | undefined;
  private opening: Promise<void> | undefined;
  private foundDirty: boolean | undefined;
  private telling = false;
  private more = false;

  constructor(
    private readonly pool: Pool,
    private readonly service: string,
    private readonly onHeard: () => void,
    onError: OnError,
  ) {
    this.loop = new Loop(`session of ${service}`, LOOK_MS, () => this.keepOpen(), onError);
  }

  start(): void {
    this.loop.start();
  }

  /**
   * Resolves to whether the slot's holder before this process ended without saying so: killed, or crashed. Rejects with
   * {@link StoreUnavailable} until a slot could be taken.
   */
  async tookOver(): Promise<boolean> {
    if (this.foundDirty === undefined) await this.open();
    return this.foundDirty ?? false;
  }

  /** Wakes the other replicas, at most every 10 ms; where there is no session they find what was committed by looking. */
  tell(): void {
    this.more = true;
    if (!this.telling) void this.tellWhileMore();
  }

  /** Gives the slot back as clean. Never rejects: a slot that stays dirty only makes its next holder careful. */
  async stop(): Promise<void> {
    await this.loop.stop();
    await this.opening?.catch(() => undefined);
    const session = this.session;
    this.session = undefined;
    if (!session) return;
    const { client, slot } = session;
    try {
      await client.query('update replica_slot set dirty = false where service = $1 and slot = $2', [
        this.service,
        slot,
      ]);
      await client.query('select pg_advisory_unlock_all()');
    } catch {
      // The database is away, and the lock with it.
    }
    client.release(true);
  }

  private async keepOpen(): Promise<boolean> {
    if (this.session) return false;
    await this.open();
    // What was told in between was not heard, by anyone.
    this.onHeard();
    this.tell();
    return false;
  }

  private open(): Promise<void> {
    if (this.session) return Promise.resolve();
    return (this.opening ??= this.connect().finally(() => (this.opening = undefined)));
  }

  private async connect(): Promise<void> {
    let client: PoolClient | undefined;
    try {
      client = await this.pool.connect();
      await client.query(`listen "${this.channel}"`);
      const { slot, dirty } = await this.takeSlot(client);
      this.foundDirty ??= dirty;
      this.follow({ client, slot });
    } catch (error) {
      client?.release(true);
      throw sorted(error);
    }
  }

  private follow(session: Session): void {
    const { client } = session;
    const own = (client as unknown as { processID: number }).processID;
    client.on('notification', ({ processId }) => {
      if (processId !== own) this.onHeard();
    });
    client.once('end', () => {
      if (this.session !== session) return;
      this.session = undefined;
      client.release(true);
      this.loop.wake();
    });
    this.session = session;
  }

  // Dirty ones first: whoever ended there had something in hand that is to be handled with care now.
  private async takeSlot(client: PoolClient): Promise<{ slot: number; dirty: boolean }> {
    const { rows } = await client.query<{ slot: number }>(
      'select slot from replica_slot where service = $1 order by dirty desc, slot',
      [this.service],
    );
    const known = rows.map((row) => row.slot);
    for (const slot of known) if (await this.lock(client, slot)) return { slot, dirty: await this.soil(client, slot) };
    for (let slot = known.length; ; slot += 1) {
      if (await this.lock(client, slot)) return { slot, dirty: await this.soil(client, slot) };
    }
  }

  private async lock(client: PoolClient, slot: number): Promise<boolean> {
    const { rows } = await client.query<{ taken: boolean }>('select pg_try_advisory_lock($1, $2) as taken', [
      crc32(`refrain.replica.${this.service}`) | 0,
      slot,
    ]);
    return rows[0]?.taken ?? false;
  }

  /** Marks the slot dirty, and resolves to whether it was so already. */
  private async soil(client: PoolClient, slot: number): Promise<boolean> {
    const { rows } = await client.query<{ dirty: boolean }>(
      `with before as (select dirty from replica_slot where service = $1 and slot = $2), now as (
         insert into replica_slot (service, slot, dirty) values ($1, $2, true)
         on conflict (service, slot) do update set dirty = true)
       select dirty from before`,
      [this.service, slot],
    );
    return rows[0]?.dirty ?? false;
  }

  private async tellWhileMore(): Promise<void> {
    this.telling = true;
    try {
      while (this.more && this.session) {
        this.more = false;
        await this.session.client.query({
          name: 'refrain-tell',
          text: 'select pg_notify($1, $2)',
          values: [this.channel, ''],
        });
        await pause(TELL_EVERY_MS);
      }
    } catch {
      // The session is lost: the loop opens another, and the others look by themselves meanwhile.
    } finally {
      this.telling = false;
    }
  }

  private get channel(): string {
    return `refrain/${this.service}`;
  }
}
