import type { Consumer } from 'kafkajs';
import type { LogLines } from './client';

interface Position {
  topic: string;
  partition: number;
  offset: string;
}

/** Commits the newest handled offset of each partition, coalesced: a commit for every batch costs a third of the throughput. */
export class OffsetCommits {
  private readonly noted = new Map<string, Position>();
  private consumer: Consumer | undefined;
  private timer: NodeJS.Timeout | undefined;
  private running: Promise<void> = Promise.resolve();
  private joins = 0;

  constructor(
    private readonly everyMs: number,
    private readonly lines: LogLines | undefined,
  ) {}

  /** Begins anew after joining a group: what was noted before may belong to another member now, and is redelivered at worst. */
  restart(consumer: Consumer): void {
    this.stop();
    this.noted.clear();
    this.joins += 1;
    this.consumer = consumer;
    this.timer = setInterval(() => void this.flush(), this.everyMs);
  }

  /** Stops committing; what is noted stays so. */
  stop(): void {
    clearInterval(this.timer);
    this.consumer = undefined;
  }

  /** Notes that everything up to and including `offset` is handled. */
  note(topic: string, partition: number, offset: string): void {
    this.noted.set(`${topic}/${partition}`, { topic, partition, offset: String(BigInt(offset) + 1n) });
  }

  /** Resolves when what is noted now was committed, or could not be: then it is redelivered. */
  flush(): Promise<void> {
    this.running = this.running.then(() => this.commit());
    return this.running;
  }

  private async commit(): Promise<void> {
    const positions = [...this.noted.values()];
    if (positions.length === 0 || !this.consumer) return;
    this.noted.clear();
    const joins = this.joins;
    try {
      await this.consumer.commitOffsets(positions);
    } catch (error) {
      this.lines?.warn({ err: error }, 'offsets were not committed and will be tried again');
      for (const position of joins === this.joins ? positions : []) {
        const where = `${position.topic}/${position.partition}`;
        if (!this.noted.has(where)) this.noted.set(where, position);
      }
    }
  }
}
