import { LogUnavailable } from './log-unavailable';
import { LogProducer } from './producer';
import { LossyProxy } from './testing/lossy-proxy';
import { createTopics, testConnection, testRecord, TopicReader } from './testing/log-fixture';

const KEYS = ['a', 'b', 'c'];
const PAGES = 6;
const connection = testConnection('producer');

const open: { close(): Promise<void> }[] = [];
afterAll(() => Promise.all(open.map((thing) => thing.close())));

/** Publishes a page until it is acknowledged, as the relay does. */
async function publishSurely(producer: LogProducer, topic: string, page: number, onDoubt: () => void): Promise<void> {
  for (;;) {
    try {
      // Longer than the producer's own patience with a send: it is the send that is given up, with its connection.
      await producer.publish(
        KEYS.map((key) => testRecord(topic, key, String(page))),
        { timeoutMs: 60_000 },
      );
      return;
    } catch (error) {
      expect(error).toBeInstanceOf(LogUnavailable);
      onDoubt();
    }
  }
}

it.concurrent.each(['answers', 'requests'] as const)(
  'loses nothing and keeps the first appearances of each key in order when %s get lost',
  async (loss) => {
    const topic = `lost-${loss}`;
    await createTopics(connection, [{ name: topic, partitions: 3, retentionMs: 3_600_000, says: '' }]);
    const proxy = await LossyProxy.before(connection.brokers[0] ?? '');
    const producer = new LogProducer({ ...connection, brokers: [proxy.address] });
    const reader = new TopicReader(connection, topic);
    open.push(producer, reader, proxy);
    let doubts = 0;
    for (let page = 0; page < PAGES; page += 1) {
      if (page === 2) proxy.loses = loss;
      await publishSurely(producer, topic, page, () => {
        doubts += 1;
        proxy.loses = undefined;
      });
    }
    expect(doubts).toBe(1);
    const last = String(PAGES - 1);
    await reader.until(KEYS.length, (record) => record.value.toString() === last);
    for (const key of KEYS) {
      const seen = reader.records.filter((record) => record.key === key).map((record) => record.value.toString());
      expect([...new Set(seen)]).toEqual(Array.from({ length: PAGES }, (_, page) => String(page)));
    }
    await producer.check();
  },
);
