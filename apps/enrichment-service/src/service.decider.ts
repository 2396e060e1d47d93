import { type EnrichmentEvent, type Fate, isOfEnrichment, isOfFetch } from '#libs/contracts';
import { type Decider, type Decision, nothing } from '#libs/process';
import {
  acted,
  followed,
  following,
  isGone,
  type Known,
  LOOP,
  noTriggers,
  numbered,
  refused,
  subjectNow,
  type Triggers,
  type Written,
  wrote,
} from '#libs/recipes';
import type { EnrichmentInput } from './enrichment-input';
import { decideEnrichment } from './enrichment.decider';
import { type Enrichments, evolveEnrichments, waitingQuestions } from './enrichments';
import {
  decideFetch,
  evolveFetches,
  type Fetches,
  type FetchInput,
  isOfFetchInput,
  waitingFetches,
} from './fetch.decider';

/** What was asked about one record by one recipe: of the model, and of other systems; and what is known of that record. */
export interface Asked extends Known {
  enrichments: Enrichments;
  fetches: Fetches;
}

export type AskedInput =
  EnrichmentInput | FetchInput | { type: 'followed'; fate: Fate } | { type: 'written'; value: Written['value'] };

/**
 * Enrichments and fetches of one stream, each decided by itself. Where the record goes on as another one, so do they; of a
 * record that is gone nothing is asked any more, nor where machines answer each other.
 */
export const serviceDecider: Decider<Asked, EnrichmentEvent, AskedInput> = {
  initial: { enrichments: [], fetches: [], where: {}, triggers: noTriggers },
  evolve(before, event) {
    const asked = { ...before, triggers: evolveTriggers(before.triggers, event) };
    if (isOfFetch(event)) return { ...asked, fetches: evolveFetches(asked.fetches, event) };
    if (isOfEnrichment(event)) return { ...asked, enrichments: evolveEnrichments(asked.enrichments, event) };
    return event.type === 'EnrichmentRecordFollowed' ? { ...asked, where: followed(asked.where, event.data) } : asked;
  },
  decide: (asked, input) => ({ ...dated(decide(asked, input), input), ...subjectNow(asked.where) }),
};

function evolveTriggers(triggers: Triggers, { type, data }: EnrichmentEvent): Triggers {
  switch (type) {
    case 'EnrichmentRequested':
    case 'FetchRequested':
      return numbered(triggers, { ...data, at: data.triggeredAt });
    case 'EnrichmentRejected':
    case 'FetchRejected':
      return data.code === LOOP.code ? refused(triggers, data.triggeredAt) : triggers;
    case 'EnrichmentCompleted':
    case 'FetchCompleted':
      return acted(triggers, data.actedAt);
    case 'EnrichmentValueWritten':
      return wrote(triggers, data);
    default:
      return triggers;
  }
}

/** What leads on to writes, to which others may answer, says when it was. */
function dated(decision: Decision<EnrichmentEvent>, input: AskedInput): Decision<EnrichmentEvent> {
  if (!('at' in input)) return decision;
  const { at: actedAt } = input;
  const events = decision.events.map((event) =>
    event.type === 'EnrichmentCompleted' || event.type === 'FetchCompleted'
      ? ({ ...event, data: { ...event.data, actedAt } } as EnrichmentEvent)
      : event,
  );
  return { ...decision, events };
}

function decide(asked: Asked, input: AskedInput): Decision<EnrichmentEvent> {
  const { enrichments, fetches, where } = asked;
  if (input.type === 'written') return { events: [{ type: 'EnrichmentValueWritten', data: input.value }] };
  if (input.type === 'followed') return onFollowed(asked, input.fate);
  const isDue = input.type === 'triggered' || input.type === 'fetch-due';
  if (isDue && where.forgotten) return nothing();
  return isOfFetchInput(input) ? decideFetch(fetches, asked, input) : decideEnrichment(enrichments, asked, input);
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
