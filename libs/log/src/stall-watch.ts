import type { Admin } from 'kafkajs';
import { kafkaOf, within, type LogConnection } from './client';
import { LogUnavailable } from './log-unavailable';

const ASK_LIMIT_MS = 2_000;
// A partition that moved a moment ago is not asked for: under load a check costs nothing.
const FRESH_MS = 5_000;

/**
 * Sees partitions that stand still although records wait, whatever the reason: a handler that hangs, or a client that
 * fetches no more. It asks the broker, not the client, how far the group is.
 */
export class StallWatch {
  private readonly moved = new Map<string, number>();
  private readonly still = new Map<string, { offset: string; since: number }>();
  private topics: Record<string, number[]> = {};
  private admin: Promise<Admin> | undefined;

  constructor(
    private readonly connection: LogConnection,
    private readonly groupId: string,
    private readonly redAfterMs: number,
  ) {}

  /** Notes which partitions this member has now, by full topic name. */
  assign(topics: Record<string, number[]>): void {
    this.topics = topics;
    this.moved.clear();
    this.still.clear();
  }

  /** Notes that records of a partition were handled. */
  note(topic: string, partition: number): void {
    this.moved.set(`${topic}/${String(partition)}`, Date.now());
  }

  /** Rejects where records of an assigned partition wait and, at two looks far enough apart, none was handled between. */
  async check(): Promise<void> {
    const quiet = Object.entries(this.topics).filter(([topic, partitions]) =>
      partitions.some((partition) => !this.isFresh(`${topic}/${String(partition)}`)),
    );
    if (quiet.length === 0) return;
    const late = () => new LogUnavailable('broker', `no broker answered within ${ASK_LIMIT_MS} ms`);
    await within(ASK_LIMIT_MS, Promise.all(quiet.map(([topic, partitions]) => this.look(topic, partitions))), late);
    for (const [where, { since }] of this.still) {
      const age = Date.now() - since;
      if (age > this.redAfterMs) throw new Error(`${where}: records wait, and none was handled for ${age} ms`);
    }
  }

  async close(): Promise<void> {
    const admin = this.admin;
    this.admin = undefined;
    await admin?.then((opened) => opened.disconnect()).catch(() => undefined);
  }

  private isFresh(where: string): boolean {
    return Date.now() - (this.moved.get(where) ?? 0) < Math.min(FRESH_MS, this.redAfterMs);
  }

  private async look(topic: string, partitions: number[]): Promise<void> {
    const [ends, [group]] = await this.ask((admin) =>
      Promise.all([admin.fetchTopicOffsets(topic), admin.fetchOffsets({ groupId: this.groupId, topics: [topic] })]),
    );
    for (const partition of partitions) {
      const end = ends.find((e) => e.partition === partition);
      const offset = group?.partitions.find((p) => p.partition === partition)?.offset ?? '-1';
      this.compare(`${topic}/${String(partition)}`, offset, end);
    }
  }

  private compare(where: string, offset: string, end: { low: string; high: string } | undefined): void {
    // Without a committed offset (-1), or with one whose records are deleted, the group stands at what is left.
    const at = Math.max(Number(offset), Number(end?.low ?? 0));
    if (at >= Number(end?.high ?? 0)) this.still.delete(where);
    else if (this.still.get(where)?.offset !== offset) this.still.set(where, { offset, since: Date.now() });
  }

  private async ask<T>(question: (admin: Admin) => Promise<T>): Promise<T> {
    this.admin ??= this.open();
    try {
      return await question(await this.admin);
    } catch (error) {
      await this.close();
      throw new LogUnavailable('broker', 'no broker answers', error);
    }
  }

  private async open(): Promise<Admin> {
    const admin = kafkaOf(this.connection).admin({ retry: { retries: 1, initialRetryTime: 100 } });
    await admin.connect();
    return admin;
  }
}
