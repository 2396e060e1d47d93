import { LogUnavailable, type LogProducer, type OutgoingRecord } from '#libs/log';
import { Problem } from '#libs/platform';

/** HubSpot gives a whole request 5 s; what the log has not acknowledged by then is better asked for again. */
const PUBLISH_LIMIT_MS = 3_000;
const RETRY_AFTER_SECONDS = 5;

/** What a vendor is told of a request whose records are durable. */
export interface Accepted {
  accepted: number;
  quarantined: number;
}

/** The gateway's way into the log: resolves when all records are durable, else throws the 503 that makes a vendor retry. */
export class Ingress {
  constructor(private readonly producer: Pick<LogProducer, 'publish'>) {}

  async accept(records: OutgoingRecord[]): Promise<void> {
    try {
      await this.producer.publish(records, { timeoutMs: PUBLISH_LIMIT_MS });
    } catch (error) {
      if (!(error instanceof LogUnavailable)) throw error;
      const code = error.code === 'overloaded' ? 'overloaded' : 'log-unavailable';
      throw new Problem(code, { retryAfterSeconds: RETRY_AFTER_SECONDS, cause: error });
    }
  }
}
