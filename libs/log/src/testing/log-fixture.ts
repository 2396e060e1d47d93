import { randomBytes } from 'node:crypto';
import type { TopicSpec } from '#libs/contracts';
import { withAdmin, type LogConnection } from '../client';
import { LogConsumer } from '../consumer';
import type { BatchHandler, IncomingRecord, OutgoingRecord } from '../record';
import { applyTopics } from '../topics';

/** A connection to the test run's broker under a prefix of its own, so that test files do not meet. */
export function testConnection(name: string): LogConnection & { topicPrefix: string } {
  const brokers = process.env['KAFKA_BROKERS']?.split(',') ?? [];
  return { brokers, clientId: `test-${name}`, topicPrefix: `${name}-${randomBytes(4).toString('hex')}.` };
}

/** Creates topics under the connection's prefix. */
export async function createTopics(connection: LogConnection, specs: readonly TopicSpec[]): Promise<void> {
  await withAdmin(connection, (admin) => applyTopics(admin, specs, { prefix: connection.topicPrefix }));
}

/** A record with a whole envelope, as short as a test needs it. */
export function testRecord(topic: string, key: string, value: string | Buffer): OutgoingRecord {
  return {
    topic,
    key,
    value: Buffer.from(value),
    envelope: {
      id: randomBytes(8).toString('hex'),
      source: '/test',
      type: 'refrain.test.happened.v1',
      subject: key,
      time: new Date().toISOString(),
      tenant: 'default',
      correlationid: 'root',
    },
  };
}

/** Resolves as soon as `condition` holds, looked at whenever something was noted; the test's own time-out bounds it. */
export class Progress {
  private waiting: (() => void)[] = [];

  note(): void {
    for (const look of this.waiting) look();
  }

  until(condition: () => boolean): Promise<void> {
    return new Promise((resolve) => {
      const look = () => {
        if (!condition()) return;
        this.waiting = this.waiting.filter((other) => other !== look);
        resolve();
      };
      this.waiting.push(look);
      look();
    });
  }
}

/** Reads a topic from its beginning and keeps what it read. */
export class TopicReader {
  readonly records: IncomingRecord[] = [];
  private readonly progress = new Progress();
  private readonly consumer: LogConsumer;

  constructor(connection: LogConnection, ...topics: string[]) {
    const keep: BatchHandler = (records) => {
      this.records.push(...records);
      this.progress.note();
      return Promise.resolve();
    };
    const groupId = `reader-${randomBytes(4).toString('hex')}`;
    this.consumer = new LogConsumer(connection, { groupId }, new Map(topics.map((topic) => [topic, keep])));
    this.consumer.start();
  }

  /** Resolves with all records read as soon as there are `count` that fit. */
  async until(count: number, fits: (record: IncomingRecord) => boolean = () => true): Promise<IncomingRecord[]> {
    await this.progress.until(() => this.records.filter(fits).length >= count);
    return this.records.filter(fits);
  }

  close(): Promise<void> {
    return this.consumer.close();
  }
}
