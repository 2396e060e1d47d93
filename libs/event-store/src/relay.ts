import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import type { Pool } from 'pg';
import { dropLeases, holdLeases } from './lease';
import { Loop, type OnError } from './loop';
import { SHARDS } from './batch-statements';
import { markPublished, unpublishedCount, unpublishedPage, type UnpublishedEvent } from './unpublished';

const PAGE = 1_000;
const LEASE_MS = 5_000;
const LOOK_AGAIN_MS = 200;
// Whoever commits wakes it; this is for what was told to nobody.
const POLL_MS = 250;

/** Resolves when the log has acknowledged every one of the events, in this order. */
export type Publish = (events: UnpublishedEvent[]) => Promise<void>;

/**
 * Publishes a service's committed events. Promise: first appearances in stream order, repeats possible (protocol 20).
 * The holder of a shard's lease sends one page after the other, each only after the earlier one was acknowledged; an
 * event that commits late is found by its own row, so none is skipped.
 */
export class Relay {
  private readonly loop: Loop;
  private readonly leases: Map<string, number>;
  private shards: number[] = [];
  private renewAt = 0;

  constructor(
    private readonly pool: Pool,
    private readonly service: string,
    private readonly owner: string,
    private readonly publish: Publish,
    onError: OnError,
    pollMs = POLL_MS,
  ) {
    this.leases = new Map(Array.from({ length: SHARDS }, (_, shard) => [`relay/${service}/${shard}`, shard]));
    this.loop = new Loop(`relay ${service}`, pollMs, () => this.step(), onError);
  }

  start(): void {
    this.loop.start();
  }

  /** Says that events were committed. */
  wake(): void {
    this.loop.wake();
  }

  /** Whether nobody else relays a part of the service's events. */
  get holdsAll(): boolean {
    return this.shards.length === SHARDS;
  }

  async stop(): Promise<void> {
    await this.loop.stop();
    await dropLeases(this.pool, [...this.leases.keys()], this.owner);
  }

  /**
   * One look, as the loop makes them; resolves to whether there may be more at once. Each page is read from the lowest
   * position, after the page before it was noted: what committed late comes before whatever followed it in its stream.
   */
  async step(): Promise<boolean> {
    const shards = await this.held();
    if (shards.length === 0) return false;
    const page = await unpublishedPage(this.pool, this.service, shards, PAGE);
    if (page.length === 0) return false;
    await this.publish(page);
    await markPublished(this.pool, this.service, page);
    return page.length === PAGE;
  }

  private async held(): Promise<number[]> {
    const now = performance.now();
    if (now >= this.renewAt) {
      const names = await holdLeases(this.pool, [...this.leases.keys()], this.owner, LEASE_MS);
      this.shards = names.flatMap((name) => this.leases.get(name) ?? []);
      this.renewAt = now + LEASE_MS / 3;
    }
    return this.shards;
  }
}

/**
 * Publishes all that a service has committed, for a process that does not stay; while another one relays, it waits for
 * that one, or for its lease to run out. Resolves when nothing is left, rejects with what hindered it.
 */
export async function relayAll(pool: Pool, service: string, publish: Publish): Promise<void> {
  const relay = new Relay(pool, service, `${service}/${randomUUID()}`, publish, () => undefined);
  const until = performance.now() + 2 * LEASE_MS;
  try {
    while ((await unpublishedCount(pool, service)) > 0) {
      if (performance.now() > until) throw new Error('another process relays them, and has not done so yet');
      await relay.step();
      if (!relay.holdsAll) await pause(LOOK_AGAIN_MS);
    }
  } finally {
    await relay.stop();
  }
}
