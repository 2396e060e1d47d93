import { createHash } from 'node:crypto';
import { deadLetterTopic, RECORD_UNREADABLE } from '#libs/contracts';
import type { LogProducer } from './producer';
import type { IncomingRecord } from './record';

/** A record that a service cannot read, and why. */
export interface DeadLetter {
  service: string;
  record: IncomingRecord;
  error: { code: string; class: string; message?: string };
  attempts: number;
  /** Version of the code that could not read it, so that one sees what to release after a fix. */
  handlerVersion: string;
}

/** Copies the original bytes to `<service>.dlq` with where they stood and what was wrong; resolves once durable. */
export async function deadLetter(producer: LogProducer, letter: DeadLetter): Promise<void> {
  const { service, record, error, attempts, handlerVersion } = letter;
  const origin = `${record.topic}/${record.partition}/${record.offset}`;
  // The same record twice has the same id, so that a redelivered poison record is one dead letter to its readers.
  const id = createHash('sha256').update(`${service} ${origin}`).digest('hex').slice(0, 32);
  await producer.publish([
    {
      topic: deadLetterTopic(service),
      key: record.key,
      value: record.value,
      headers: {
        refrain_original_topic: record.topic,
        refrain_original_partition: String(record.partition),
        refrain_original_offset: record.offset,
        refrain_original_key: record.key,
        refrain_original_timestamp: String(record.timestamp),
        refrain_error_code: error.code,
        refrain_error_class: error.class,
        ...(error.message === undefined ? {} : { refrain_error_message: error.message.slice(0, 1_000) }),
        refrain_attempts: String(attempts),
        refrain_handler_version: handlerVersion,
      },
      envelope: {
        id,
        source: `/${service}`,
        type: RECORD_UNREADABLE,
        subject: record.envelope?.subject ?? `record:${origin}`,
        time: new Date().toISOString(),
        tenant: record.envelope?.tenant ?? 'unknown',
        correlationid: record.envelope?.correlationid ?? id,
        causationid: record.envelope?.id,
        traceparent: record.envelope?.traceparent ?? record.headers['traceparent'],
      },
    },
  ]);
}
