import { type EnrichmentEvent, isOfFetch } from '#libs/contracts';
import type { Decider } from '#libs/process';
import { enrichmentDecider, type EnrichmentInput, type Enrichments } from './enrichment.decider';
import { decideFetch, evolveFetches, type Fetches, type FetchInput, isOfFetchInput } from './fetch.decider';

/** What was asked about one record by one recipe: of the model, and of other systems. */
export interface Asked {
  enrichments: Enrichments;
  fetches: Fetches;
}

/** Enrichments and fetches of one stream, each decided by itself. */
export const serviceDecider: Decider<Asked, EnrichmentEvent, EnrichmentInput | FetchInput> = {
  initial: { enrichments: enrichmentDecider.initial, fetches: [] },
  evolve: (asked, event) =>
    isOfFetch(event)
      ? { ...asked, fetches: evolveFetches(asked.fetches, event) }
      : { ...asked, enrichments: enrichmentDecider.evolve(asked.enrichments, event) },
  decide: (asked, input) =>
    isOfFetchInput(input) ? decideFetch(asked.fetches, input) : enrichmentDecider.decide(asked.enrichments, input),
};
