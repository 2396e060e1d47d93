import type { Consumer, EachBatchPayload, Kafka } from 'kafkajs';
import { kafkaOf, type LogConnection } from './client';
import { incomingRecord } from './incoming';
import { LogUnavailable } from './log-unavailable';
import { OffsetCommits } from './offset-commits';
import type { BatchHandler, IncomingRecord } from './record';
import { StallWatch } from './stall-watch';

/** How a group consumes. */
export interface ConsumerOptions {
  groupId: string;
  /** Most records that a handler is given at once. */
  chunkRecords?: number;
  /** Where a group without committed offsets begins; the start of each topic unless told otherwise. */
  fromBeginning?: boolean;
  /** Partitions handled at the same time. */
  concurrency?: number;
  /** How long, in milliseconds, a partition may stand still before {@link LogConsumer.check} rejects; 30 s unless told. */
  redAfterMs?: number;
}

const HEARTBEAT_MS = 2_000;
const COMMIT_EVERY_MS = 250;
const RETRY_CAP_MS = 5_000;
const RED_AFTER_MS = 30_000;

interface Retry {
  attempt: number;
  since: number;
  timer?: NodeJS.Timeout;
}

/**
 * Hands the records of each partition to its topic's handler, in order, and commits only what a handler resolved. After
 * a rejection that partition waits (full jitter, at most 5 s) and the same records come again; none is skipped, and the
 * other partitions go on. It survives the loss of every broker: it joins again until it is closed.
 */
export class LogConsumer {
  private readonly kafka: Kafka;
  private readonly prefix: string;
  private readonly retries = new Map<string, Retry>();
  private readonly inHand = new Set<Promise<void>>();
  private readonly commits: OffsetCommits;
  private readonly stalls: StallWatch;
  private readonly stopped = Promise.withResolvers<void>();
  private supervised: Promise<void> | undefined;
  private joined = false;
  private closing = false;

  constructor(
    private readonly connection: LogConnection,
    private readonly options: ConsumerOptions,
    private readonly handlers: ReadonlyMap<string, BatchHandler>,
  ) {
    this.kafka = kafkaOf(connection);
    this.prefix = connection.topicPrefix ?? '';
    this.commits = new OffsetCommits(COMMIT_EVERY_MS, connection.lines);
    this.stalls = new StallWatch(connection, this.prefix + options.groupId, this.redAfterMs);
  }

  /** Begins to consume in the background; where no broker answers it tries until one does. */
  start(): void {
    this.supervised ??= this.supervise();
  }

  /** Resolves while the group is joined and every partition that has records moves on, at least every 30 s. */
  async check(): Promise<void> {
    if (!this.joined) throw new LogUnavailable('broker', 'the consumer has not joined its group');
    for (const [where, retry] of this.retries) {
      const age = Date.now() - retry.since;
      if (age > this.redAfterMs) throw new Error(`${where} is retried since ${age} ms`);
    }
    await this.stalls.check();
  }

  /** Waits for the chunks in hand, commits them, and leaves the group. */
  async close(): Promise<void> {
    this.closing = true;
    for (const retry of this.retries.values()) clearTimeout(retry.timer);
    await Promise.allSettled(this.inHand);
    await this.commits.flush();
    this.stopped.resolve();
    await this.supervised;
    await this.stalls.close();
  }

  private get redAfterMs(): number {
    return this.options.redAfterMs ?? RED_AFTER_MS;
  }

  private async supervise(): Promise<void> {
    for (let attempt = 0; !this.closing; attempt++) {
      const consumer = this.newConsumer();
      const crash = Promise.withResolvers<Error>();
      consumer.on(consumer.events.CRASH, ({ payload }) => crash.resolve(payload.error));
      consumer.on(consumer.events.GROUP_JOIN, ({ payload }) => {
        this.stalls.assign(payload.memberAssignment);
        attempt = 0;
        this.joined = true;
        this.commits.restart(consumer);
      });
      try {
        await this.run(consumer);
        const error = await Promise.race([crash.promise, this.stopped.promise]);
        if (error) throw error;
      } catch (error) {
        this.connection.lines?.error({ err: error, groupId: this.options.groupId }, 'the consumer crashed');
      }
      this.joined = false;
      this.commits.stop();
      await consumer.disconnect().catch(() => undefined);
      if (!this.closing) await Promise.race([pause(jitter(attempt)), this.stopped.promise]);
    }
  }

  private newConsumer(): Consumer {
    return this.kafka.consumer({
      groupId: this.prefix + this.options.groupId,
      allowAutoTopicCreation: false,
      // A rebalance waits for running fetches, so short ones make for a quick hand-over.
      maxWaitTimeInMs: 200,
      sessionTimeout: 10_000,
      rebalanceTimeout: 15_000,
      heartbeatInterval: HEARTBEAT_MS,
      // One way back from every fault: ours, with a new consumer.
      retry: { initialRetryTime: 100, maxRetryTime: 1_000, retries: 5, restartOnFailure: () => Promise.resolve(false) },
    });
  }

  private async run(consumer: Consumer): Promise<void> {
    await consumer.connect();
    const topics = [...this.handlers.keys()].map((topic) => this.prefix + topic);
    await consumer.subscribe({ topics, fromBeginning: this.options.fromBeginning ?? true });
    await consumer.run({
      autoCommit: false,
      eachBatchAutoResolve: false,
      partitionsConsumedConcurrently: this.options.concurrency ?? 3,
      eachBatch: (payload) => {
        const work = this.handleBatch(payload);
        this.inHand.add(work);
        return work.finally(() => this.inHand.delete(work));
      },
    });
  }

  private async handleBatch(payload: EachBatchPayload): Promise<void> {
    const { batch, heartbeat, resolveOffset, isRunning, isStale } = payload;
    const topic = batch.topic.slice(this.prefix.length);
    const handler = this.handlers.get(topic);
    if (!handler) throw new Error(`no handler for ${topic}`);
    const size = this.options.chunkRecords ?? 500;
    for (let from = 0; from < batch.messages.length; from += size) {
      if (this.closing || !isRunning() || isStale()) return;
      const records = batch.messages.slice(from, from + size).map((m) => incomingRecord(topic, batch.partition, m));
      const last = records.at(-1);
      if (!last || !(await this.attempt(handler, records, payload))) return;
      resolveOffset(last.offset);
      this.stalls.note(batch.topic, batch.partition);
      this.commits.note(batch.topic, batch.partition, last.offset);
      await heartbeat();
    }
  }

  /**
   * A partition whose handler rejects is paused and fetched again later. It must not be retried inside the batch: the
   * client fetches nothing for any partition of a broker until all batches of its last fetch are done.
   */
  private async attempt(handler: BatchHandler, records: IncomingRecord[], payload: EachBatchPayload): Promise<boolean> {
    const { topic, partition } = payload.batch;
    const where = `${topic}/${partition}`;
    const beat = setInterval(() => void payload.heartbeat().catch(() => undefined), HEARTBEAT_MS);
    try {
      await handler(records);
      this.retries.delete(where);
      return true;
    } catch (error) {
      const retry: Retry = this.retries.get(where) ?? { attempt: 0, since: Date.now() };
      const delay = jitter(retry.attempt++);
      this.retries.set(where, retry);
      this.connection.lines?.warn(
        { err: error, topic, partition, offset: records[0]?.offset, attempt: retry.attempt, delay },
        'a batch was not handled and will be handed over again',
      );
      if (!this.closing) retry.timer = setTimeout(payload.pause(), delay);
      return false;
    } finally {
      clearInterval(beat);
    }
  }
}

/** Exponential from 100 ms to 5 s, of which a random part is taken, so that many do not come back at once. */
const jitter = (attempt: number): number => Math.random() * Math.min(RETRY_CAP_MS, 100 * 2 ** Math.min(attempt, 10));

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
