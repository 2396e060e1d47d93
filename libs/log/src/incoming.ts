import type { KafkaMessage } from 'kafkajs';
import { readEnvelope, toText } from './headers';
import type { IncomingRecord } from './record';

/** A message as the client gives it, with its headers as text and its envelope, where it has one. */
export function incomingRecord(topic: string, partition: number, message: KafkaMessage): IncomingRecord {
  const headers = toText(message.headers);
  return {
    topic,
    partition,
    offset: message.offset,
    timestamp: Number(message.timestamp),
    key: message.key?.toString() ?? '',
    value: message.value ?? Buffer.alloc(0),
    envelope: readEnvelope(headers),
    headers,
  };
}
