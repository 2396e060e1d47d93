import { type EnrichmentEvent, type Fate, isOfEnrichment, isOfFetch } from '#libs/contracts';
import { type Decider, type Decision, nothing } from '#libs/process';
import { followed, following, isGone, subjectNow, type Whereabouts } from '#libs/recipes';
import {
  decideEnrichment,
  type EnrichmentInput,
  type Enrichments,
  evolveEnrichments,
  waitingQuestions,
} from './enrichment.decider';
import {
  decideFetch,
  evolveFetches,
  type Fetches,
  type FetchInput,
  isOfFetchInput,
  waitingFetches,
} from './fetch.decider';

/** What was asked about one record by one recipe: of the model, and of other systems; and where that record is. */
export interface Asked {
  enrichments: Enrichments;
  fetches: Fetches;
  where: Whereabouts;
}

export type AskedInput = EnrichmentInput | FetchInput | { type: 'followed'; fate: Fate };

/**
 * Enrichments and fetches of one stream, each decided by itself. Where the record goes on as another one, so do they; of a
 * record that is gone nothing is asked any more.
 */
export const serviceDecider: Decider<Asked, EnrichmentEvent, AskedInput> = {
  initial: { enrichments: [], fetches: [], where: {} },
  evolve(asked, event) {
    if (isOfFetch(event)) return { ...asked, fetches: evolveFetches(asked.fetches, event) };
    if (isOfEnrichment(event)) return { ...asked, enrichments: evolveEnrichments(asked.enrichments, event) };
    return { ...asked, where: followed(asked.where, event.data) };
  },
  decide: (asked, input) => ({ ...decide(asked, input), ...subjectNow(asked.where) }),
};

function decide(asked: Asked, input: AskedInput): Decision<EnrichmentEvent> {
  const { enrichments, fetches, where } = asked;
  if (input.type === 'followed') return onFollowed(asked, input.fate);
  const isDue = input.type === 'triggered' || input.type === 'fetch-due';
  if (isDue && where.forgotten) return nothing();
  return isOfFetchInput(input) ? decideFetch(fetches, where, input) : decideEnrichment(enrichments, where, input);
}

// What still waits is withdrawn, and its end is told; what was asked already is paid for, and its answer is taken.
function onFollowed({ enrichments, fetches, where }: Asked, fate: Fate): Decision<EnrichmentEvent> {
  const now = following(where, fate);
  if (!now) return nothing();
  const waiting = isGone(now) ? [...waitingQuestions(enrichments, now), ...waitingFetches(fetches, now)] : [];
  return {
    events: [{ type: 'EnrichmentRecordFollowed', data: fate }],
    ...(waiting.length > 0 ? { supersede: waiting } : {}),
  };
}
