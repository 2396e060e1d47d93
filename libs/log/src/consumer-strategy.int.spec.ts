import 'reflect-metadata';
import { Controller, Module, type INestMicroservice, type Type } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { EventPattern, type MicroserviceOptions } from '@nestjs/microservices';
import type { TopicSpec } from '#libs/contracts';
import { LogStrategy } from './consumer-strategy';
import { LogProducer } from './producer';
import type { BatchHandler } from './record';
import { createTopics, Progress, testConnection, testRecord } from './testing/log-fixture';

const connection = testConnection('strategy');
const spec = (name: string): TopicSpec => ({ name, partitions: 1, retentionMs: 3_600_000, says: '' });
const producer = new LogProducer(connection);

let app: INestMicroservice | undefined;
afterEach(() => app?.close());
afterAll(() => producer.close());

const seen: string[] = [];
const progress = new Progress();

@Controller()
class Orders {
  @EventPattern('orders')
  orders(_?: unknown): BatchHandler {
    return (records) => {
      seen.push(...records.map((r) => `${r.topic} ${r.value.toString()}`));
      progress.note();
      return Promise.resolve();
    };
  }

  @EventPattern('later')
  later(_?: unknown): BatchHandler {
    return this.orders();
  }
}

@Module({ controllers: [Orders] })
class App {}

async function start(module: Type, strategy: LogStrategy): Promise<void> {
  app = await NestFactory.createMicroservice<MicroserviceOptions>(module, {
    strategy,
    logger: false,
    abortOnError: false,
  });
  await app.listen();
}

it('serves the handlers that methods return, and starts before its topics exist', async () => {
  await createTopics(connection, [spec('orders')]);
  await producer.publish([testRecord('orders', 'k', '1')]);
  const strategy = new LogStrategy(connection, { groupId: 'shop' });
  await start(App, strategy);
  await expect(strategy.check()).rejects.toThrow();
  await createTopics(connection, [spec('later')]);
  await producer.publish([testRecord('later', 'k', '2')]);
  await progress.until(() => seen.length === 2);
  expect(seen.sort()).toEqual(['later 2', 'orders 1']);
  await strategy.check();
});

it('does not start where a method returns no handler', async () => {
  @Controller()
  class Wrong {
    @EventPattern('orders')
    orders(_?: unknown): string {
      return 'nothing';
    }
  }
  @Module({ controllers: [Wrong] })
  class WrongApp {}
  const strategy = new LogStrategy(connection, { groupId: 'wrong' });
  await expect(start(WrongApp, strategy)).rejects.toThrow('the method for orders returns no handler');
});
