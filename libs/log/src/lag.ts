import type { Admin } from 'kafkajs';
import { kafkaOf, within, type LogConnection } from './client';
import { LogUnavailable } from './log-unavailable';

const ASK_LIMIT_MS = 2_000;

/** Reads how far consumer groups are behind, from the broker. */
export class LagReader {
  private readonly prefix: string;
  private admin: Promise<Admin> | undefined;

  /** Names of groups and topics stand without the prefix of the connection. */
  constructor(
    private readonly connection: LogConnection,
    private readonly groups: readonly string[],
    private readonly topics: readonly string[],
  ) {
    this.prefix = connection.topicPrefix ?? '';
  }

  /**
   * Resolves to how many records the groups have not committed, summed over all of them. A group that never committed
   * anything of a topic does not read it and counts nothing there. Rejects with {@link LogUnavailable} within 2 s.
   */
  async read(): Promise<number> {
    const late = () => new LogUnavailable('broker', `no broker answered within ${ASK_LIMIT_MS} ms`);
    try {
      return await within(ASK_LIMIT_MS, this.ask(), late);
    } catch (error) {
      void this.close();
      throw error instanceof LogUnavailable ? error : new LogUnavailable('broker', 'no broker answers', error);
    }
  }

  async close(): Promise<void> {
    const admin = this.admin;
    this.admin = undefined;
    await admin?.then((opened) => opened.disconnect()).catch(() => undefined);
  }

  private async ask(): Promise<number> {
    this.admin ??= this.open();
    const admin = await this.admin;
    const topics = this.topics.map((topic) => this.prefix + topic);
    const [ends, committed] = await Promise.all([
      Promise.all(topics.map(async (topic) => [topic, await admin.fetchTopicOffsets(topic)] as const)),
      Promise.all(this.groups.map((group) => admin.fetchOffsets({ groupId: this.prefix + group, topics }))),
    ]);
    let behind = 0;
    for (const { topic, partitions } of committed.flat()) {
      if (partitions.every(({ offset }) => offset === '-1')) continue;
      const [, ofTopic = []] = ends.find(([name]) => name === topic) ?? [];
      for (const { partition, offset } of partitions) {
        const end = ofTopic.find((one) => one.partition === partition);
        // Without a committed offset (-1), or with one whose records are deleted, the group stands at what is left.
        if (end) behind += Math.max(0, Number(end.high) - Math.max(Number(offset), Number(end.low)));
      }
    }
    return behind;
  }

  private async open(): Promise<Admin> {
    const admin = kafkaOf(this.connection).admin({ retry: { retries: 1, initialRetryTime: 100 } });
    await admin.connect();
    return admin;
  }
}
