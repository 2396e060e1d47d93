import type { ObservableResult } from '@opentelemetry/api';
import type { LogProducer } from '#libs/log';
import { meter } from '#libs/platform';
import type { LagWatch } from './lag-watch';
import type { Spool } from './spool';

const gauge = (name: string, description: string) => meter.createObservableGauge(`gateway_${name}`, { description });

const gauges = {
  pendingRecords: gauge('pending_records', 'Records that were sent to the log and are not yet acknowledged'),
  pendingBytes: gauge('pending_bytes', 'Bytes of the pending records'),
  lag: gauge('lag_records', 'Records that the services are behind on what came in, where LAG_LIMIT is set'),
  spoolRecords: gauge('spool_records', 'Records that wait in the spool'),
  spoolAge: gauge('spool_oldest_age_seconds', 'Age of the oldest record in the spool'),
};

/** Shows what waits in a gateway, until the returned function is called. */
export function showWaiting(producer: LogProducer, spool?: Spool, lag?: LagWatch): () => void {
  const callbacks = [
    [gauges.pendingRecords, (to: ObservableResult) => to.observe(producer.pending().records)],
    [gauges.pendingBytes, (to: ObservableResult) => to.observe(producer.pending().bytes)],
    [
      gauges.lag,
      (to: ObservableResult) => {
        if (lag?.records !== undefined) to.observe(lag.records);
      },
    ],
  ] as const;
  const spooled = async (to: { observe(of: (typeof gauges)['lag'], value: number): void }) => {
    const state = await spool?.state();
    if (!state) return;
    to.observe(gauges.spoolRecords, state.records);
    to.observe(gauges.spoolAge, state.oldest ? Math.max(0, Date.now() - state.oldest.getTime()) / 1_000 : 0);
  };
  const both = [gauges.spoolRecords, gauges.spoolAge];
  for (const [of, read] of callbacks) of.addCallback(read);
  if (spool) meter.addBatchObservableCallback(spooled, both);
  return () => {
    for (const [of, read] of callbacks) of.removeCallback(read);
    if (spool) meter.removeBatchObservableCallback(spooled, both);
  };
}
