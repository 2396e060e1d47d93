import { deadLetterTopic, RECORD_UNREADABLE, services } from '#libs/contracts';
import { boundsOf, type IncomingRecord, readRange } from '#libs/log';
import { logConnection } from '../log';

/** A record that a service could not read, as its dead letter topic has it. */
export interface UnreadableLetter {
  service: string;
  /** topic/partition/offset of the original. */
  at: string;
  key: string;
  time: string;
  code: string;
  errorClass: string;
  message: string;
  attempts: number;
  handlerVersion: string;
}

/** Reads what stands on the dead letter topics about records that could not be read, oldest first. */
export async function unreadableLetters(which: {
  service?: string;
  key?: string;
  class?: string;
  olderThanMs?: number;
}): Promise<UnreadableLetter[]> {
  const connection = logConnection();
  const toMs = which.olderThanMs === undefined ? undefined : Date.now() - which.olderThanMs;
  const letters: UnreadableLetter[] = [];
  for (const service of services.filter((name) => which.service === undefined || which.service === name)) {
    const topic = deadLetterTopic(service);
    const bounds = await boundsOf(connection, { topic, toMs });
    await readRange(connection, topic, bounds, (records) => {
      letters.push(...records.filter(({ envelope }) => envelope?.type === RECORD_UNREADABLE).map(letterOf));
      return Promise.resolve();
    });
  }
  return letters.filter(
    (letter) =>
      (which.key === undefined || letter.key === which.key) &&
      (which.class === undefined || letter.errorClass === which.class),
  );
}

function letterOf({ headers, envelope }: IncomingRecord): UnreadableLetter {
  const header = (name: string) => headers[`refrain_${name}`] ?? '';
  return {
    service: envelope?.source.slice(1) ?? '',
    at: ['topic', 'partition', 'offset'].map((name) => header(`original_${name}`)).join('/'),
    key: header('original_key'),
    time: envelope?.time ?? '',
    code: header('error_code'),
    errorClass: header('error_class'),
    message: header('error_message'),
    attempts: Number(header('attempts')),
    handlerVersion: header('handler_version'),
  };
}

/** One line of `dlq ls`. */
export const letterLine = ({ service, at, key, time, errorClass, message }: UnreadableLetter): string =>
  [service.padEnd(20), `record ${at}`.padEnd(40), key.padEnd(36), time, `${errorClass}: ${message}`].join(' ');
