import { randomBytes } from 'node:crypto';
import { type Admin, type Consumer, Kafka, logLevel } from 'kafkajs';
import { until } from './until';

/** A record as it stands on a topic. */
export interface RawRecord {
  topic: string;
  key: string;
  value: Buffer;
  headers: Record<string, string>;
}

/** Reads every topic under a prefix from its beginning, as any other program on the broker could. */
export class Topics {
  readonly records: RawRecord[] = [];
  private readonly admin: Admin;
  private readonly consumer: Consumer;
  /** Offset after the last record read, of each partition. */
  private readonly positions = new Map<string, number>();

  constructor(
    brokers: string[],
    private readonly prefix: string,
  ) {
    const kafka = new Kafka({ brokers, clientId: 'e2e', logLevel: logLevel.NOTHING });
    this.admin = kafka.admin();
    this.consumer = kafka.consumer({ groupId: `e2e-${randomBytes(6).toString('hex')}`, maxWaitTimeInMs: 100 });
  }

  async start(): Promise<void> {
    await Promise.all([this.admin.connect(), this.consumer.connect()]);
    await this.consumer.subscribe({ topics: await this.names(), fromBeginning: true });
    await this.consumer.run({
      eachMessage: ({ topic, partition, message }) => {
        const headers = Object.entries(message.headers ?? {}).map(([name, value]) => [name, String(value)]);
        this.records.push({
          topic: topic.slice(this.prefix.length),
          key: String(message.key),
          value: message.value ?? Buffer.alloc(0),
          headers: Object.fromEntries(headers) as Record<string, string>,
        });
        this.positions.set(`${topic}/${partition}`, Number(message.offset) + 1);
        return Promise.resolve();
      },
    });
  }

  /** Resolves when all that now stands on the topics is in `records`. */
  async read(): Promise<void> {
    const ends = await this.ends(await this.names());
    await until('all topics are read', () => [...ends].every(([at, end]) => (this.positions.get(at) ?? -1) >= end));
  }

  /** Resolves when a consumer group has committed all that now stands on the topics given. */
  async consumed(group: string, names: string[]): Promise<void> {
    const topics = names.map((name) => this.prefix + name);
    const ends = await this.ends(topics);
    await until(`${group} has read all`, async () => {
      const read = await this.admin.fetchOffsets({ groupId: this.prefix + group, topics });
      return read.every(({ topic, partitions }) =>
        partitions.every(({ partition, offset }) => Number(offset) >= (ends.get(`${topic}/${partition}`) ?? -1)),
      );
    });
  }

  async close(): Promise<void> {
    await this.consumer.disconnect();
    const names = await this.names();
    if (names.length > 0) await this.admin.deleteTopics({ topics: names });
    await this.admin.disconnect();
  }

  /** Offset after the last record of each partition that has any. */
  private async ends(topics: string[]): Promise<Map<string, number>> {
    const ends = new Map<string, number>();
    for (const topic of topics)
      for (const { partition, low, high } of await this.admin.fetchTopicOffsets(topic))
        if (low !== high) ends.set(`${topic}/${partition}`, Number(high));
    return ends;
  }

  private async names(): Promise<string[]> {
    return (await this.admin.listTopics()).filter((name) => name.startsWith(this.prefix));
  }
}
