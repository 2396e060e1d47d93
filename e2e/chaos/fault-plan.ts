import type { Service } from '../testing/hub';
import type { Vendor } from '../testing/vendors';
import type { Chances } from './random';

type Replica = { service: Service; replica: 1 | 2 };

export type FaultBody =
  | ({ kind: 'kill' } & Replica)
  | ({ kind: 'stop'; forMs: number } & Replica)
  | { kind: 'kill-infra'; part: 'kafka' | 'postgres'; downMs: number }
  | { kind: 'cut-database'; forMs: number; everyMs: number }
  | { kind: 'freeze-vendor'; vendor: Vendor; forMs: number }
  | { kind: 'callbacks'; how: Partial<Callbacks> }
  | { kind: 'no-credit'; creditFailure: 'submit' | 'render'; forMs: number }
  | { kind: 'crowded'; concurrency: number; forMs: number }
  | { kind: 'calls'; vendor: Vendor; pathPrefix: string; fault: { kind: string; status?: number }; times: number };

/** How HeyGen's callbacks are sent from then on; as usual where nothing else is said. */
export interface Callbacks {
  early: boolean;
  duplicate: number;
  lost: number;
  lateMs: number;
  signature: 'v3+v1' | 'wrong-secret' | 'stale';
}

export const callbacksAsUsual: Callbacks = { early: false, duplicate: 0, lost: 0, lateMs: 0, signature: 'v3+v1' };

/** A fault and when it comes, in milliseconds after the first webhook. */
export type PlannedFault = FaultBody & { atMs: number };

/** Longer than the longest lease of the run (20 s for HeyGen) and a consumer's session (10 s). */
const STOP_MS = 22_000;
/** One round of all kinds of faults takes about so long. */
const ROUND_MS = 45_000;

/** Every kind of fault at least once, more often in longer runs, all at random times. */
export function planFaults(chances: Chances, overMs: number): PlannedFault[] {
  const rounds = Math.max(1, Math.round(overMs / ROUND_MS));
  return Array.from({ length: rounds }, () => round(chances))
    .flat()
    .map((fault) => ({ ...fault, atMs: Math.round(chances.next() * overMs) }))
    .sort((a, b) => a.atMs - b.atMs);
}

function round(chances: Chances): FaultBody[] {
  const replica = () => chances.pick([1, 2] as const);
  const services = ['gateway', 'render-service', 'enrichment-service', 'crm-writer', 'crm-reader'] as const;
  const stop = (): FaultBody => ({
    kind: 'stop',
    service: chances.pick(services),
    replica: replica(),
    forMs: STOP_MS + chances.between(0, 3_000),
  });
  const cut = (): FaultBody => ({
    kind: 'cut-database',
    forMs: chances.between(500, 2_000),
    everyMs: chances.between(5, 40),
  });
  const freeze = (): FaultBody => ({
    kind: 'freeze-vendor',
    vendor: chances.pick(['hubspot', 'heygen', 'openai'] as const),
    forMs: chances.between(1_000, 7_000),
  });
  const callbacks = (): FaultBody => ({
    kind: 'callbacks',
    how: { early: chances.happens(0.5), duplicate: chances.between(0, 2), lost: chances.between(0, 2) },
  });
  return [
    ...services.map((service): FaultBody => ({ kind: 'kill', service, replica: replica() })),
    { kind: 'kill', service: chances.pick(services), replica: replica() },
    { kind: 'kill-infra', part: 'kafka', downMs: chances.between(0, 3_000) },
    { kind: 'kill-infra', part: 'postgres', downMs: chances.between(0, 3_000) },
    stop(),
    stop(),
    ...Array.from({ length: 4 }, cut),
    freeze(),
    freeze(),
    { kind: 'callbacks', how: { early: true, duplicate: 1, lost: 1 } },
    callbacks(),
  ];
}
