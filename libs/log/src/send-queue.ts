import { LogUnavailable } from './log-unavailable';
import type { OutgoingRecord } from './record';

/** Bounds of what is sent at once and of what may wait; sizes in bytes. */
export interface SendBounds {
  batchRecords: number;
  batchBytes: number;
  pendingRecords: number;
  pendingBytes: number;
}

/** One batch fits a broker's usual message limit of 1 MiB even if all its records go to one partition. */
export const defaultBounds: SendBounds = {
  batchRecords: 1_000,
  batchBytes: 900_000,
  pendingRecords: 20_000,
  pendingBytes: 32 * 1024 * 1024,
};

interface Call {
  records: OutgoingRecord[];
  /** Index of the first record that was not yet handed to a send. */
  next: number;
  unacknowledged: number;
  since: number;
  settle: (error?: LogUnavailable) => void;
}

const ENVELOPE_BYTES = 512;
const sizeOf = (record: OutgoingRecord): number => record.value.length + record.key.length + ENVELOPE_BYTES;

/**
 * Batches what is published while a send is in flight and sends at once otherwise. One send is in flight, and what is
 * left of a call whose records failed is never sent: records of one call appear in order or not at all.
 */
export class SendQueue {
  private calls: Call[] = [];
  private inFlight = new Set<Call>();
  private pendingRecords = 0;
  private pendingBytes = 0;
  private sending: Promise<void> | undefined;
  private closed = false;

  constructor(
    private readonly send: (records: OutgoingRecord[]) => Promise<void>,
    private readonly bounds: SendBounds = defaultBounds,
  ) {}

  /**
   * Resolves once every record was acknowledged. Rejects with {@link LogUnavailable}: at once when too much is pending,
   * after `timeoutMs`, or when a send failed.
   */
  publish(records: OutgoingRecord[], timeoutMs: number): Promise<void> {
    if (this.closed) return Promise.reject(new LogUnavailable('closed', 'the producer was closed'));
    if (records.length === 0) return Promise.resolve();
    const bytes = records.reduce((sum, record) => sum + sizeOf(record), 0);
    if (
      this.pendingRecords + records.length > this.bounds.pendingRecords ||
      this.pendingBytes + bytes > this.bounds.pendingBytes
    ) {
      return Promise.reject(new LogUnavailable('overloaded', `${this.pendingRecords} records are pending`));
    }
    this.pendingRecords += records.length;
    this.pendingBytes += bytes;
    return new Promise((resolve, reject) => {
      const call: Call = {
        records,
        next: 0,
        unacknowledged: records.length,
        since: Date.now(),
        settle: (error) => {
          clearTimeout(timer);
          if (error) reject(error);
          else resolve();
        },
      };
      const timer = setTimeout(
        () => this.drop(call, new LogUnavailable('timeout', `no acknowledgement within ${timeoutMs} ms`)),
        timeoutMs,
      );
      this.calls.push(call);
      this.flush();
    });
  }

  /** What was published and is not yet acknowledged or given up. */
  pending(): { records: number; bytes: number } {
    return { records: this.pendingRecords, bytes: this.pendingBytes };
  }

  /** Age in milliseconds of the oldest call that waits for its acknowledgement; 0 when none does. */
  oldestPendingMs(): number {
    let oldest = Date.now();
    const now = oldest;
    for (const call of [...this.inFlight, ...this.calls.slice(0, 1)]) oldest = Math.min(oldest, call.since);
    return now - oldest;
  }

  /** Takes no more and resolves when nothing is pending; every call's own time-out bounds the wait. */
  async close(): Promise<void> {
    this.closed = true;
    while (this.sending) await this.sending;
  }

  private flush(): void {
    if (this.sending) return;
    const batch = this.takeBatch();
    if (batch.records.length === 0) return;
    this.sending = this.sendBatch(batch).finally(() => {
      this.sending = undefined;
      this.flush();
    });
  }

  private async sendBatch({ records, parts }: Batch): Promise<void> {
    this.inFlight = new Set(parts.keys());
    try {
      await this.send(records);
      for (const [call, count] of parts) {
        call.unacknowledged -= count;
        if (call.unacknowledged === 0) call.settle();
      }
    } catch (error) {
      const failure = error instanceof LogUnavailable ? error : new LogUnavailable('broker', 'a send failed', error);
      for (const call of parts.keys()) this.drop(call, failure);
    } finally {
      this.inFlight.clear();
      this.release(records);
    }
  }

  private takeBatch(): Batch {
    const records: OutgoingRecord[] = [];
    const parts = new Map<Call, number>();
    let bytes = 0;
    for (let call = this.calls[0]; call; call = this.calls[0]) {
      const from = call.next;
      for (let record = call.records[call.next]; record; record = call.records[++call.next]) {
        bytes += sizeOf(record);
        const full = records.length >= this.bounds.batchRecords || bytes > this.bounds.batchBytes;
        if (full && records.length > 0) break;
        records.push(record);
      }
      if (call.next > from) parts.set(call, call.next - from);
      if (call.next < call.records.length) break;
      this.calls.shift();
    }
    return { records, parts };
  }

  /** Ends a call with an error; those of its records that were not handed to a send never will be. */
  private drop(call: Call, error: LogUnavailable): void {
    this.release(call.records.slice(call.next));
    call.next = call.records.length;
    this.calls = this.calls.filter((other) => other !== call);
    call.settle(error);
  }

  private release(records: OutgoingRecord[]): void {
    this.pendingRecords -= records.length;
    for (const record of records) this.pendingBytes -= sizeOf(record);
  }
}

interface Batch {
  records: OutgoingRecord[];
  /** How many records of each call are in the batch. */
  parts: Map<Call, number>;
}
