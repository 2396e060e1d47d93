import { LogUnavailable, type LogProducer, type OutgoingRecord } from '#libs/log';
import { Topic } from '#libs/contracts';
import { activeTraceparent, increment, Problem } from '#libs/platform';
import type { Spool } from './spool';

/** HubSpot gives a whole request 5 s; what the log has not acknowledged by then is better asked for again. */
const PUBLISH_LIMIT_MS = 3_000;
const RETRY_AFTER_SECONDS = 5;

/** Counts of what was quarantined, by `source` (door and connection) and `reason`. */
export const QUARANTINED = 'gateway_quarantined';

/** What a vendor is told of a request whose records are durable. */
export interface Accepted {
  accepted: number;
  quarantined: number;
  /** Of types that are not taken; absent where there is none. */
  ignored?: number;
}

/** When and in which trace a request was received. */
export interface Reception {
  /** RFC 3339. */
  time: string;
  traceparent: string | undefined;
}

/** A reception of now. */
export const receptionNow = (): Reception => ({
  time: new Date().toISOString(),
  traceparent: activeTraceparent(),
});

/**
 * The gateway's way into the log: resolves when all records are durable, there or in the spool if it has one; else throws
 * the 503 that makes a vendor retry.
 */
export class Ingress {
  constructor(
    private readonly producer: Pick<LogProducer, 'publish'>,
    private readonly spool?: Pick<Spool, 'isHolding' | 'keep'>,
  ) {}

  async accept(records: OutgoingRecord[]): Promise<void> {
    if (records.length === 0) return;
    const publish = () => this.producer.publish(records, { timeoutMs: PUBLISH_LIMIT_MS });
    // Behind what waits already, unless there is no room there. Records that fail to be published may be on the log all
    // the same: then they come twice, and the inbox stops the second.
    const ways = [publish];
    const { spool } = this;
    if (spool) ways.splice(spool.isHolding ? 0 : 1, 0, () => spool.keep(records));
    let unavailable: LogUnavailable | undefined;
    for (const way of ways) {
      try {
        await way();
        countQuarantined(records);
        return;
      } catch (error) {
        if (!(error instanceof LogUnavailable)) throw error;
        unavailable = error;
      }
    }
    const code = unavailable?.code === 'overloaded' ? 'overloaded' : 'log-unavailable';
    throw new Problem(code, { retryAfterSeconds: RETRY_AFTER_SECONDS, cause: unavailable });
  }
}

function countQuarantined(records: OutgoingRecord[]): void {
  for (const { topic, envelope, headers } of records) {
    if (topic === Topic.quarantine) {
      increment(QUARANTINED, { source: envelope.source, reason: headers?.['refrain_reason'] ?? '' });
    }
  }
}
