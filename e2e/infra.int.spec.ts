import { randomUUID } from 'node:crypto';
import { Kafka, logLevel } from 'kafkajs';
import { Client } from 'pg';

describe('what the tests run on', () => {
  it('is a real Postgres that syncs to disk and lets in 200 connections', async () => {
    const client = new Client({ connectionString: process.env.DATABASE_URL });
    await client.connect();
    try {
      const { rows } = await client.query(
        `select current_setting('fsync') as fsync, current_setting('max_connections')::int as connections,
                split_part(current_setting('server_version'), '.', 1)::int >= 15 as recent`,
      );
      expect(rows).toEqual([{ fsync: 'on', connections: 200, recent: true }]);
    } finally {
      await client.end();
    }
  });

  it('is a real broker that keeps a record and makes no topic unasked', async () => {
    const brokers = process.env.KAFKA_BROKERS?.split(',') ?? [];
    const kafka = new Kafka({ clientId: 'infra-spec', brokers, logLevel: logLevel.NOTHING });
    const topic = `infra-spec-${randomUUID()}`;
    const admin = kafka.admin();
    const producer = kafka.producer();
    const consumer = kafka.consumer({ groupId: topic });
    await Promise.all([admin.connect(), producer.connect(), consumer.connect()]);
    try {
      await admin.createTopics({ topics: [{ topic, numPartitions: 1 }], waitForLeaders: true });
      await producer.send({ topic, acks: -1, messages: [{ key: 'k', value: 'hello', headers: { ce_id: '1' } }] });
      await consumer.subscribe({ topic, fromBeginning: true });
      const received = await new Promise((resolve, reject) => {
        consumer
          .run({
            eachMessage: async ({ message }) =>
              resolve([String(message.key), String(message.value), String(message.headers?.ce_id)]),
          })
          .catch(reject);
      });
      expect(received).toEqual(['k', 'hello', '1']);
      await expect(admin.fetchTopicMetadata({ topics: [`${topic}-unknown`] })).rejects.toThrow(
        /does not host this topic/,
      );
    } finally {
      await Promise.all([consumer.disconnect(), producer.disconnect()]);
      await admin.deleteTopics({ topics: [topic] });
      await admin.disconnect();
    }
  });
});
