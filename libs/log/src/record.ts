import type { Envelope } from '#libs/contracts';

/** A record to be published. The Kafka key is `tenant:subject` (protocol 2); the value is sent as these very bytes. */
export interface OutgoingRecord {
  topic: string;
  key: string;
  value: Buffer;
  envelope: Envelope;
  /** Further headers, beside `ce_*` and `traceparent`. */
  headers?: Record<string, string>;
}

/** A record as read from a topic. `envelope` is undefined where the headers are no CloudEvent: such a record is poison. */
export interface IncomingRecord {
  topic: string;
  partition: number;
  offset: string;
  /** Broker's or producer's time of the record, epoch milliseconds. */
  timestamp: number;
  key: string;
  value: Buffer;
  envelope: Envelope | undefined;
  headers: Record<string, string>;
}

/**
 * Handles the records of one partition, in order. When the promise resolves, every record is accounted for and the
 * offset may go on; when it rejects, the same records are handed over again after a pause (infrastructure is away).
 */
export type BatchHandler = (records: IncomingRecord[]) => Promise<void>;
