import type { OnApplicationBootstrap, OnApplicationShutdown } from '@nestjs/common';
import type { DomainEvent } from '#libs/contracts';
import {
  type BudgetBook,
  budgetBooks,
  checkStore,
  contentKey,
  Loop,
  type OnError,
  openPool,
  type KeptDays,
  type Pool,
  Projector,
  type ReadModel,
  StoreUnavailable,
} from '#libs/event-store';
import {
  type BatchHandler,
  boundsOf,
  deadLetter,
  type LogConnection,
  type LogLines,
  LogProducer,
  LogStrategy,
  readRange,
} from '#libs/log';
import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { deadLetterOf } from './dead-letter';
import type { ProcessDefinition } from './definition';
import type { EffectKind } from './effect-kind';
import { Keeping } from './keeping';
import { Process } from './process';
import type { Sealing } from './sealing';
import type { Spending } from './spending';

const CONNECTIONS = 9;
const BOOKS_EVERY_MS = 5_000;

/** What an app says to run its process. */
export interface RuntimeOptions<State, Event extends DomainEvent, Input> {
  definition: ProcessDefinition<State, Event, Input>;
  effects: Record<string, EffectKind>;
  /** What calls may spend, and where it is told; measured where it is watched. */
  spending?: Spending & { onBooks?: (books: readonly BudgetBook[]) => void };
  /** Where records of calls are kept; without it there are none. */
  sealing?: Sealing | undefined;
  /** What receipts of shared calls stand under; the store makes its own where none is given. */
  contentSecret?: string;
  databaseUrl: string;
  connection: LogConnection & { lines: LogLines };
  /** Vendor calls under way at once, in this replica. */
  concurrency: number;
  /** Longest time in milliseconds that one decision may take; one that takes longer ends the process. */
  decideLimitMs: number;
  /** Read models that this service keeps up with the events of all services. */
  readModels?: readonly ReadModel[];
  /** How long what is done is kept; without it nothing is ever dropped. */
  keptDays?: KeptDays;
  /** What the decider goes by beside its inputs: known before the first of them is decided, followed until the end. */
  book?: { start(pool: Pool): Promise<void>; stop(): Promise<void> };
  /** Version of the app, noted on dead letters. */
  version: string;
}

/**
 * A service's process with its own producer, consumer and database pool, following the app's life: it starts with the
 * app, and stops only after the consumer has given up its records.
 */
export class ServiceRuntime implements OnApplicationBootstrap, OnApplicationShutdown {
  readonly strategy: LogStrategy;
  private readonly pool: Pool;
  private readonly producer: LogProducer;
  private readonly process: Process<unknown, DomainEvent, unknown>;
  private readonly projectors: Projector[];
  private readonly keeping: Keeping | undefined;
  private readonly books: Loop | undefined;
  private opened: Promise<void> | undefined;

  static for<S, E extends DomainEvent, I>(options: RuntimeOptions<S, E, I>): ServiceRuntime {
    return new ServiceRuntime(options);
  }

  private constructor(private readonly options: RuntimeOptions<unknown, DomainEvent, unknown>) {
    const { definition, effects, databaseUrl, connection, concurrency, decideLimitMs, version } = options;
    const { readModels = [], spending, sealing } = options;
    const { service } = definition;
    const { lines } = connection;
    // A read model that is kept up here holds a connection of its own.
    this.pool = openPool(databaseUrl, service, CONNECTIONS + readModels.length);
    this.producer = new LogProducer(connection);
    this.strategy = new LogStrategy(connection, { groupId: service });
    const onError: OnError = (err, loop) => lines.error({ err, loop }, 'a step failed and will be tried again');
    const owner = `${service}/${randomUUID()}`;
    this.projectors = readModels.map((model) => new Projector(this.pool, model, owner, onError));
    const { keptDays } = options;
    const onBooks = spending?.onBooks;
    const lookAtBooks = async () => {
      onBooks?.(await budgetBooks(this.pool));
      return false;
    };
    this.books = onBooks && new Loop(`budgets of ${service}`, BOOKS_EVERY_MS, lookAtBooks, onError);
    const topics = Object.keys(definition.routes);
    this.keeping = keptDays && new Keeping(this.pool, keptDays, owner, connection, topics, onError);
    this.process = new Process(definition, {
      pool: this.pool,
      effects,
      spending,
      ...(sealing ? { sealing } : {}),
      concurrency,
      receiptDays: keptDays?.receipts,
      decideLimitMs,
      log: {
        bounds: (range) => boundsOf(connection, range),
        read: (topic, bounds, onRecords) => readRange(connection, topic, bounds, onRecords),
      },
      produce: (records) => this.producer.publish(records),
      deadLetter: (record, error) => deadLetter(this.producer, deadLetterOf(service, version, record, error)),
      onError,
      onParked: (inputKey, err) => lines.error({ err, inputKey }, 'an input could not be handled: its key is parked'),
      onStorm: (err) => lines.error({ err }, 'so many inputs fail alike that nothing more is decided'),
    });
  }

  /**
   * Refuses to start, with a reason, where the store's receipts stand under another key, or would be dropped while they
   * are needed, or where what it goes by cannot be read.
   */
  async onApplicationBootstrap(): Promise<void> {
    await this.open();
    await this.keeping?.start();
    this.process.start();
    for (const projector of this.projectors) projector.start();
    this.books?.start();
  }

  async onApplicationShutdown(): Promise<void> {
    const beside = [...this.projectors, ...[this.keeping, this.books].filter((one) => one !== undefined)];
    await Promise.all([this.process.stop(), ...beside.map((each) => each.stop())]);
    await this.options.book?.stop();
    await this.producer.close();
    await this.pool.end();
  }

  /** The handler of one topic, for an `@EventPattern` method to return. */
  handlerFor(topic: string): BatchHandler {
    const handle = this.process.handlerFor(topic);
    return async (...batch) => {
      await this.open();
      await handle(...batch);
    };
  }

  private open(): Promise<void> {
    return (this.opened ??= this.openStore());
  }

  private async openStore(): Promise<void> {
    const { effects, contentSecret, book } = this.options;
    if (Object.values(effects).some((kind) => kind.shares)) {
      this.process.contentKey = await whenStoreAnswers(() => contentKey(this.pool, contentSecret));
    }
    if (book) await whenStoreAnswers(() => book.start(this.pool));
  }

  /** What must answer before the service is ready. */
  checks(): Record<string, () => Promise<unknown>> {
    return {
      database: () => checkStore(this.pool),
      log: () => this.producer.check(),
      consumer: () => this.strategy.check(),
      decisions: () => this.process.check(),
    };
  }
}

async function whenStoreAnswers<T>(ask: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await ask();
    } catch (error) {
      if (!(error instanceof StoreUnavailable)) throw error;
      await pause(500);
    }
  }
}

/** How a service reaches the log, from its settings. */
export const connectionOf = (
  config: { KAFKA_BROKERS: string[]; TOPIC_PREFIX: string },
  clientId: string,
  lines: LogLines,
): LogConnection & { lines: LogLines } => ({
  brokers: config.KAFKA_BROKERS,
  topicPrefix: config.TOPIC_PREFIX,
  clientId,
  lines,
});
