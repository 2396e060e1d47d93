import { Server, type CustomTransportStrategy } from '@nestjs/microservices';
import { lastValueFrom } from 'rxjs';
import type { LogConnection } from './client';
import { LogConsumer, type ConsumerOptions } from './consumer';
import type { BatchHandler } from './record';

/**
 * Serves `@EventPattern('<topic>')` methods from Kafka. Each is called once, when the app starts to listen, and returns
 * the {@link BatchHandler} of that topic, which is then called directly: Nest's own way per record costs more than the
 * work and swallows errors. Nest's types want a parameter: `orders(_?: unknown): BatchHandler`. Pass an instance to
 * `connectMicroservice({ strategy })`.
 */
export class LogStrategy extends Server implements CustomTransportStrategy {
  override readonly propagatesEventHandlerErrors = true;
  private consumer: LogConsumer | undefined;

  constructor(
    private readonly connection: LogConnection,
    private readonly options: ConsumerOptions,
  ) {
    super();
  }

  /** Collects the handlers and begins to consume; it does not wait for a broker, readiness tells of that. */
  async listen(callback: (error?: unknown) => void): Promise<void> {
    try {
      const handlers = new Map<string, BatchHandler>();
      for (const [topic, method] of this.messageHandlers) {
        if (method.next) throw new Error(`${topic} has two handlers; a topic has one`);
        const handler: unknown = await lastValueFrom(this.transformToObservable(await method(undefined)));
        if (typeof handler !== 'function') throw new Error(`the method for ${topic} returns no handler`);
        handlers.set(topic, handler as BatchHandler);
      }
      this.consumer = new LogConsumer(this.connection, this.options, handlers);
      this.consumer.start();
      callback();
    } catch (error) {
      callback(error);
    }
  }

  /** Waits for the records in hand, commits them and leaves the group. */
  async close(): Promise<void> {
    await this.consumer?.close();
  }

  /** Resolves while the group is joined and every partition that has records moves on, at least every 30 s. */
  async check(): Promise<void> {
    if (!this.consumer) throw new Error('the consumer was not started');
    await this.consumer.check();
  }

  on(): never {
    throw new Error('this strategy emits no events');
  }

  unwrap<T>(): T {
    return this.consumer as T;
  }
}
