import type { OneEnrichmentEvent, RecordRef, Results } from '#libs/contracts';
import type { Lookup } from '#libs/expressions';
import type { Owed } from '#libs/process';
import { type AskStep, handedOn, labelOf, purposeNow, type Recipe, type Whereabouts } from '#libs/recipes';

/** One enrichment of a record by a recipe, from the first request on. */
export interface Enrichment {
  recipe: string;
  recipeVersion: string;
  enrichment: number;
  triggeredAt: string;
  rootCause: string;
  content: string;
  /** What the steps before it left. */
  results?: Results;
  status: 'requested' | 'prepared' | 'misread' | 'completed' | 'failed' | 'rejected';
  /** What of the first answer did not fit, where one did not. */
  misfit?: string;
  /** What was looked up when it was prepared. */
  looked?: readonly Lookup[];
}

/** All enrichments of one record by one recipe, in order. */
export type Enrichments = readonly Enrichment[];

export function evolveEnrichments(enrichments: Enrichments, event: OneEnrichmentEvent): Enrichments {
  if (event.type === 'EnrichmentRequested') return [...enrichments, { ...event.data, status: 'requested' }];
  const statuses = {
    EnrichmentPrepared: 'prepared',
    EnrichmentMisread: 'misread',
    EnrichmentRejected: 'rejected',
    EnrichmentCompleted: 'completed',
    EnrichmentFailed: 'failed',
  } as const;
  return enrichments.map((enrichment) =>
    enrichment.enrichment === event.data.enrichment
      ? {
          ...enrichment,
          status: statuses[event.type],
          ...('looked' in event.data ? { looked: event.data.looked } : {}),
          ...(event.type === 'EnrichmentMisread' ? { misfit: event.data.reason } : {}),
        }
      : enrichment,
  );
}

export const byCause = (enrichments: Enrichments, rootCause: string): Enrichment | undefined =>
  enrichments.find((enrichment) => enrichment.rootCause === rootCause);

/** What the steps behind the ask are given. */
export const chainOf = ({ content, results }: Enrichment) => ({ content, ...handedOn(results) });

export const aboutOf = ({ recipe, recipeVersion, enrichment, triggeredAt }: Enrichment) => ({
  recipe,
  recipeVersion,
  enrichment,
  triggeredAt,
});

// What calls are for, within one enrichment.
export const READ = 'read';
export const ASK = 'ask';
/** Of an answer that does not fit its schema: what was told is read once more, and the model asked once more. */
export const READ_AGAIN = 'read-again';
export const ASK_AGAIN = 'ask-again';

/** A reading of what the model is told. */
export const reading = (
  recipe: Recipe,
  { reads, notes }: AskStep,
  record: RecordRef,
  where: Whereabouts,
  what: string,
): Owed => ({
  kind: 'hubspot.read',
  purpose: purposeNow(what, where),
  request: { record, properties: reads, notes },
  recipes: [labelOf(recipe)],
});

/** The calls of enrichments that may still wait. */
export const waitingQuestions = (enrichments: Enrichments, where: Whereabouts): { kind: string; purpose: string }[] => {
  const are = (...open: Enrichment['status'][]) => enrichments.some(({ status }) => open.includes(status));
  const calls = (read: string, ask: string) => [
    ...[...new Set([read, purposeNow(read, where)])].map((purpose) => ({ kind: 'hubspot.read', purpose })),
    { kind: 'openai.ask', purpose: ask },
  ];
  return [
    ...(are('requested', 'prepared') ? calls(READ, ASK) : []),
    ...(are('misread') ? calls(READ_AGAIN, ASK_AGAIN) : []),
  ];
};
