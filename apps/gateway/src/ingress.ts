import { Topic } from '#libs/contracts';
import { LogUnavailable, type LogProducer, type OutgoingRecord } from '#libs/log';
import { activeTraceparent, Counter, Problem } from '#libs/platform';
import type { LagWatch } from './lag-watch';
import type { Spool } from './spool';

/** HubSpot gives a whole request 5 s; what the log has not acknowledged by then is better asked for again. */
const PUBLISH_LIMIT_MS = 3_000;
const RETRY_AFTER_SECONDS = 5;
const LAG_RETRY_AFTER_SECONDS = 30;

const taken = new Counter(
  'gateway_records',
  'Records that are durable, by the source of their envelope and outcome (accepted or quarantined)',
  ['source', 'outcome'],
);

const quarantined = new Counter(
  'gateway_quarantined',
  'Records that were quarantined, by source (door and connection) and reason',
  ['source', 'reason'],
);

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
 * the 503 that makes a vendor retry. While the services are too far behind, whoever repeats a 429 is answered one.
 */
export class Ingress {
  constructor(
    private readonly producer: Pick<LogProducer, 'publish'>,
    private readonly spool?: Pick<Spool, 'isHolding' | 'keep'>,
    private readonly lag?: Pick<LagWatch, 'isBehind'>,
  ) {}

  async accept(records: OutgoingRecord[], { repeats = true }: { repeats?: boolean } = {}): Promise<void> {
    if (records.length === 0) return;
    if (this.lag?.isBehind && repeats && records.every(isRepeated)) {
      throw new Problem('too-many-requests', { retryAfterSeconds: LAG_RETRY_AFTER_SECONDS });
    }
    await this.keep(records);
    for (const record of records) count(record);
  }

  private async keep(records: OutgoingRecord[]): Promise<void> {
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

const sourceOf = ({ envelope }: OutgoingRecord): string => envelope.source.split('/')[1] ?? 'none';

// HeyGen gives up after few attempts: a callback that is refused may never come again, and its render waits for it.
const isRepeated = (record: OutgoingRecord): boolean => sourceOf(record) !== 'heygen';

function count(record: OutgoingRecord): void {
  const outcome = record.topic === Topic.quarantine ? 'quarantined' : 'accepted';
  taken.add(sourceOf(record), outcome);
  if (outcome === 'quarantined') {
    quarantined.add(record.envelope.source, record.headers?.['refrain_reason'] ?? '');
  }
}
