import { Partitioners, type Admin, type Producer, type TopicMessages } from 'kafkajs';
import { kafkaOf, within, type LogConnection } from './client';
import { toHeaders } from './headers';
import { LogUnavailable } from './log-unavailable';
import type { OutgoingRecord } from './record';
import { defaultBounds, SendQueue, type SendBounds } from './send-queue';

const CHECK_LIMIT_MS = 2_000;
const STUCK_AFTER_MS = 5_000;
/** Longer than all retries of one send; after it the connection itself is given up. */
const SEND_LIMIT_MS = 20_000;

/** Publishes records with acks=all, batched, one send in flight; connects when it is first needed and anew after a fault. */
export class LogProducer {
  private readonly queue: SendQueue;
  private readonly prefix: string;
  private live: Promise<Producer> | undefined;
  private admin: Promise<Admin> | undefined;

  constructor(
    private readonly connection: LogConnection,
    bounds: Partial<SendBounds> = {},
  ) {
    this.prefix = connection.topicPrefix ?? '';
    this.queue = new SendQueue((records) => this.send(records), { ...defaultBounds, ...bounds });
  }

  /** Connects ahead of the first publish; rejects with {@link LogUnavailable} when no broker answers. Not required. */
  async connect(): Promise<void> {
    await this.producer();
  }

  /**
   * Resolves only when every record is acknowledged by all in-sync replicas; records of one key keep their order. Rejects
   * with {@link LogUnavailable}, after at most `timeoutMs` milliseconds; the records may then have been written or not.
   */
  publish(records: OutgoingRecord[], { timeoutMs = 10_000 }: { timeoutMs?: number } = {}): Promise<void> {
    return this.queue.publish(records, timeoutMs);
  }

  /** Records and bytes that were published and are not yet acknowledged or given up. */
  pending(): { records: number; bytes: number } {
    return this.queue.pending();
  }

  /** Resolves when a broker answers within 2 s, this producer is connected and nothing has waited longer than 5 s. */
  async check(): Promise<void> {
    const age = this.queue.oldestPendingMs();
    if (age > STUCK_AFTER_MS) throw new LogUnavailable('broker', `a send has waited ${age} ms`);
    const late = () => new LogUnavailable('broker', `no broker answered within ${CHECK_LIMIT_MS} ms`);
    await within(CHECK_LIMIT_MS, Promise.all([this.producer(), this.askBroker()]), late);
  }

  /** Sends what is pending, then disconnects. */
  async close(): Promise<void> {
    await this.queue.close();
    await disconnect(this.live);
    await disconnect(this.admin);
    this.live = this.admin = undefined;
  }

  private producer(): Promise<Producer> {
    this.live ??= this.open();
    return this.live;
  }

  private async open(): Promise<Producer> {
    const producer = kafkaOf(this.connection).producer({
      allowAutoTopicCreation: false,
      createPartitioner: Partitioners.DefaultPartitioner,
      retry: { initialRetryTime: 100, maxRetryTime: 1_000, retries: 4 },
    });
    try {
      await producer.connect();
      return producer;
    } catch (error) {
      this.live = undefined;
      throw new LogUnavailable('broker', 'no broker answers', error);
    }
  }

  private async send(records: OutgoingRecord[]): Promise<void> {
    const producer = await this.producer();
    try {
      const sent = producer.sendBatch({ acks: -1, timeout: 5_000, topicMessages: this.byTopic(records) });
      await within(SEND_LIMIT_MS, sent, () => new LogUnavailable('timeout', `a send took over ${SEND_LIMIT_MS} ms`));
    } catch (error) {
      // Whether it was written is not known, and such a producer's connections are not to be trusted: take a new one.
      void disconnect(this.live);
      this.live = undefined;
      throw error instanceof LogUnavailable ? error : new LogUnavailable('broker', 'the broker took no records', error);
    }
  }

  private byTopic(records: OutgoingRecord[]): TopicMessages[] {
    const topics = new Map<string, TopicMessages>();
    for (const { topic, key, value, envelope, headers } of records) {
      let entry = topics.get(topic);
      if (!entry) topics.set(topic, (entry = { topic: this.prefix + topic, messages: [] }));
      entry.messages.push({ key, value, headers: { ...headers, ...toHeaders(envelope) } });
    }
    return [...topics.values()];
  }

  private async askBroker(): Promise<void> {
    this.admin ??= this.openAdmin();
    try {
      await (await this.admin).describeCluster();
    } catch (error) {
      void disconnect(this.admin);
      this.admin = undefined;
      throw new LogUnavailable('broker', 'no broker answers', error);
    }
  }

  private async openAdmin(): Promise<Admin> {
    const admin = kafkaOf(this.connection).admin({ retry: { retries: 1, initialRetryTime: 100 } });
    await admin.connect();
    return admin;
  }
}

/** Disconnects what may never have been connected, and lets no failure of that surface. */
async function disconnect(client: Promise<{ disconnect(): Promise<void> }> | undefined): Promise<void> {
  try {
    await (await client)?.disconnect();
  } catch {
    // It was not connected, or the broker is away: nothing is left to close.
  }
}
