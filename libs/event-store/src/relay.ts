import type { Pool } from 'pg';
import { dropLeases, holdLeases } from './lease';
import { Loop, type OnError } from './loop';
import { SHARDS } from './batch-statements';
import { markPublished, unpublishedPage, type UnpublishedEvent } from './unpublished';

const PAGE = 1_000;
const LEASE_MS = 5_000;

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
    pollMs = 50,
  ) {
    this.leases = new Map(Array.from({ length: SHARDS }, (_, shard) => [`relay/${service}/${shard}`, shard]));
    this.loop = new Loop(`relay ${service}`, pollMs, (stopping) => this.step(stopping), onError);
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

  /** One look, as the loop makes them; resolves to whether there may be more at once. */
  async step(stopping?: AbortSignal): Promise<boolean> {
    const { pool, service } = this;
    let marking = Promise.resolve();
    let page = await this.pageAbove('0');
    while (page.length > 0 && !stopping?.aborted) {
      // While a page is sent, the one before it is noted and the next one is read. What commits late with a lower position
      // is of another stream, and is found when the next look begins at the lowest again.
      const next = page.length === PAGE ? this.pageAbove(page.at(-1)?.position ?? '0') : Promise.resolve([]);
      const [sent] = await Promise.allSettled([this.publish(page), marking, next]);
      await marking;
      if (sent.status === 'rejected') throw sent.reason;
      marking = markPublished(pool, service, page);
      page = await next.catch(() => []);
    }
    await marking;
    return false;
  }

  private async pageAbove(position: string): Promise<UnpublishedEvent[]> {
    const shards = await this.held();
    return shards.length === 0 ? [] : unpublishedPage(this.pool, this.service, shards, PAGE, position);
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
