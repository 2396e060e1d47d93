import type { EffectKind } from '#libs/process';
import { fetchFrom } from '#libs/vendors/fetch';
import type { HubspotAccounts, ReadRequest } from '#libs/vendors/hubspot';
import { accountAlerts, type Lines } from './account-alerts';
import { askingTheModel } from './ask.effects';
import { askingInBatches } from './batch.effects';
import type { EnrichmentConfig } from './enrichment.config';
import { fetchKind, type SystemRequest } from './fetch.decider';
import type { Systems } from './systems';

/**
 * enrichment-service's calls. OpenAI knows no idempotency key: an answer that was lost is asked for once more, which may
 * be paid twice and is counted as a repeat in the ledger; after that a person decides. The same
 * question to the same model is asked once, whichever records it concerns. Each declared system is a kind of its own, with
 * a limit and a breaker of its own; those that are declared later are added.
 */
export function enrichmentEffects(
  config: EnrichmentConfig,
  systems: Systems,
  hubspot: HubspotAccounts,
  lines: Lines,
  /** The models that live recipes ask: for plans, which must bound what a question costs before it is known. */
  models: () => readonly string[] = () => [],
): Record<string, EffectKind> {
  const alerts = accountAlerts(lines);
  const model = askingTheModel(config, alerts, models);
  const kinds: Record<string, EffectKind> = {
    'hubspot.read': {
      is: 'query',
      deadlineMs: 8_000,
      maxAttempts: 8,
      maxRepeats: 0,
      // The record, and one batch of its notes.
      limits: hubspot.limits(2),
      plan: {
        cost: ({ notes }: ReadRequest) => ({ apiCalls: notes > 0 ? 2 : 1 }),
        follows: ({ properties, notes }: ReadRequest, lane) => model.mostAfterReading(properties.length + notes, lane),
      },
      perform: (request: ReadRequest, call) => hubspot.of(call.tenant).read(request, call.signal),
    },
    'openai.ask': model.ask,
    'openai.batch': askingInBatches(config, alerts, lines),
  };
  systems.follow((names) => {
    for (const name of names) kinds[fetchKind(name)] ??= asking(name, systems);
  });
  return kinds;
}

const slow = ['http-429', 'http-503'];

/** Asks a system as it is declared now; what was owed before it was taken away ends as `no-system`. */
const asking = (name: string, systems: Systems): EffectKind => ({
  is: 'query',
  vendor: `http.${name}`,
  get deadlineMs() {
    return systems.get(name)?.timeoutMs ?? NO_DEADLINE_MS;
  },
  maxAttempts: 8,
  maxRepeats: 0,
  get limits() {
    const most = systems.get(name)?.perMinute;
    return most === undefined ? [] : [{ name: 'minutely', most, perMs: 60_000, pausedBy: slow }];
  },
  shares: ({ path, kept }: SystemRequest) => kept && JSON.stringify([path, kept.forMs, kept.since]),
  plan: {
    cost: () => ({ apiCalls: 1 }),
    // Where a shared call has failed, the record is read and the system asked once more.
    follows: ({ kept }: SystemRequest) => (kept ? { apiCalls: 2 } : {}),
  },
  perform: ({ path }: SystemRequest, { signal }) => {
    const system = systems.get(name);
    return system
      ? fetchFrom(system, { path }, signal)
      : Promise.resolve({ outcome: 'stop', code: 'no-system', message: `no system ${name} is declared` });
  },
});

const NO_DEADLINE_MS = 10_000;
