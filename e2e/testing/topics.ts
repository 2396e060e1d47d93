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
      eachMessage: ({ topic, message }) => {
        const headers = Object.entries(message.headers ?? {}).map(([name, value]) => [name, String(value)]);
        this.records.push({
          topic: topic.slice(this.prefix.length),
          key: String(message.key),
          value: message.value ?? Buffer.alloc(0),
          headers: Object.fromEntries(headers) as Record<string, string>,
        });
        return Promise.resolve();
      },
    });
  }

  /** Resolves when a consumer group has committed all that now stands on the topics given. */
  async consumed(group: string, names: string[]): Promise<void> {
    const topics = names.map((name) => this.prefix + name);
    const ends = new Map<string, number>();
    for (const topic of topics)
      for (const { partition, low, high } of await this.admin.fetchTopicOffsets(topic))
        if (low !== high) ends.set(`${topic}/${partition}`, Number(high));
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

  private async names(): Promise<string[]> {
    return (await this.admin.listTopics()).filter((name) => name.startsWith(this.prefix));
  }
}
