import { Kafka, logLevel, type Admin, type LogEntry } from 'kafkajs';

export type { Admin } from 'kafkajs';

/** Where lines about the client's own doings go; a pino logger fits. */
export interface LogLines {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

/** How to reach the log. `topicPrefix` stands before every topic and group name, so that installations can share brokers. */
export interface LogConnection {
  brokers: string[];
  clientId: string;
  topicPrefix?: string;
  lines?: LogLines;
}

/** Makes a Kafka client that gives up on a broker within seconds, so that its callers decide what to do then. */
export function kafkaOf({ brokers, clientId, lines }: LogConnection): Kafka {
  return new Kafka({
    brokers,
    clientId,
    connectionTimeout: 1_000,
    requestTimeout: 5_000,
    retry: { initialRetryTime: 100, maxRetryTime: 1_000, retries: 5 },
    logLevel: logLevel.INFO,
    logCreator: () => (entry) => writeLine(lines, entry),
  });
}

/** The client reports what it is about to retry as an error: one level is taken off, the caller tells of what stays wrong. */
function writeLine(lines: LogLines | undefined, { namespace, level, log }: LogEntry): void {
  const { message, timestamp: _, stack: __, logger: ___, ...fields } = log;
  const entry = { ...fields, namespace };
  if (level === logLevel.ERROR) lines?.warn(entry, message);
  else if (level === logLevel.WARN) lines?.info(entry, message);
  else lines?.debug(entry, message);
}

/** Runs `work` with a connected admin client and disconnects it whatever happens. */
export async function withAdmin<T>(connection: LogConnection, work: (admin: Admin) => Promise<T>): Promise<T> {
  const admin = kafkaOf(connection).admin();
  await admin.connect();
  try {
    return await work(admin);
  } finally {
    await admin.disconnect();
  }
}

/** Settles as `promise` does, or rejects with `late()` after `ms` milliseconds. */
export async function within<T>(ms: number, promise: Promise<T>, late: () => Error): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const limit = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(late()), ms);
  });
  try {
    return await Promise.race([promise, limit]);
  } finally {
    clearTimeout(timer);
  }
}
