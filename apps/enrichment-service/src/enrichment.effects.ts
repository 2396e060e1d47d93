import { type AlertLines, vendorWatch } from '#libs/platform';
import type { EffectKind } from '#libs/process';
import { fetchFrom } from '#libs/vendors/fetch';
import type { HubspotAccounts, ReadRequest } from '#libs/vendors/hubspot';
import { askingTheModel, modelAt } from './ask.effects';
import { askingInBatches } from './batch.effects';
import type { EnrichmentConfig } from './enrichment.config';
import { CONTEXT_CALLS, READ_CONTEXT, READ_NOTES, READ_RECORD, SUMMARISE } from './enrichments';
import { fetchKind, type SystemRequest } from './fetch.decider';
import { openaiAccount } from './openai-account';
import { mostAfterReading, summingUp } from './summary.effects';
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
  lines: AlertLines,
  /** The models that live recipes ask. */
  models: () => readonly string[] = () => [],
): Record<string, EffectKind> {
  const account = vendorWatch(openaiAccount, lines);
  const model = modelAt(config, account, models);
  const reading = (calls: number): EffectKind => ({
    is: 'query',
    deadlineMs: 8_000,
    maxAttempts: 8,
    maxRepeats: 0,
    limits: hubspot.limits(calls),
    plan: {
      cost: (request: ReadRequest) => ({ apiCalls: callsOf(request) }),
      follows: (request: ReadRequest, lane) => mostAfterReading(model, textsOf(request), lane),
    },
    perform: (request: ReadRequest, call) => hubspot.of(call.tenant).read(request, call.signal),
  });
  const kinds: Record<string, EffectKind> = {
    [READ_RECORD]: reading(1),
    [READ_NOTES]: reading(2),
    [READ_CONTEXT]: reading(CONTEXT_CALLS),
    'openai.ask': askingTheModel(model),
    [SUMMARISE]: summingUp(model),
    'openai.batch': askingInBatches(config, account, lines),
  };
  systems.follow((names) => {
    for (const name of names) kinds[fetchKind(name)] ??= asking(name, systems);
  });
  return kinds;
}

const mostOf = ({ context }: ReadRequest): Partial<Record<string, number>> => context?.most ?? {};

function callsOf(request: ReadRequest): number {
  const { transcripts = 0, ...kinds } = mostOf(request);
  const batches = Object.keys(kinds).length + (request.notes > 0 ? 1 : 0);
  return 1 + batches + (transcripts > 0 ? (kinds['calls'] === undefined ? 2 : 1) : 0);
}

/** How many texts a reading brings at most. */
function textsOf(request: ReadRequest): number {
  const { transcripts = 0, ...kinds } = mostOf(request);
  const all = Object.values(kinds).reduce<number>((sum, most = 0) => sum + most, 0);
  return request.properties.length + request.notes + all + transcripts * (request.context?.transcript.length ?? 0);
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
