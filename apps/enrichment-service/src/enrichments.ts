import type { OneEnrichmentEvent, RecordRef, Results } from '#libs/contracts';
import type { Lookup } from '#libs/expressions';
import type { Owed } from '#libs/process';
import { type AskStep, handedOn, labelOf, type Part, purposeNow, type Recipe, type Whereabouts } from '#libs/recipes';

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
  /** How often what was read had to be summed up first, the parts that were wanted last, and all summaries by part. */
  rounds?: number;
  parts?: readonly string[];
  summaries?: Readonly<Record<string, string>>;
}

/** All enrichments of one record by one recipe, in order. */
export type Enrichments = readonly Enrichment[];

export function evolveEnrichments(enrichments: Enrichments, event: OneEnrichmentEvent): Enrichments {
  if (event.type === 'EnrichmentRequested') return [...enrichments, { ...event.data, status: 'requested' }];
  return enrichments.map((enrichment) =>
    enrichment.enrichment === event.data.enrichment ? { ...enrichment, ...changeBy(enrichment, event) } : enrichment,
  );
}

const statuses = {
  EnrichmentPrepared: 'prepared',
  EnrichmentMisread: 'misread',
  EnrichmentRejected: 'rejected',
  EnrichmentCompleted: 'completed',
  EnrichmentFailed: 'failed',
} as const;

function changeBy(
  { rounds = 0, summaries }: Enrichment,
  event: Exclude<OneEnrichmentEvent, { type: 'EnrichmentRequested' }>,
): Partial<Enrichment> {
  const looked = 'looked' in event.data ? { looked: event.data.looked } : {};
  switch (event.type) {
    case 'EnrichmentDivided':
      return { ...looked, rounds: rounds + 1, parts: event.data.parts };
    case 'EnrichmentSummarised':
      return { summaries: { ...summaries, [event.data.part]: event.data.summary } };
    case 'EnrichmentMisread':
      return { status: statuses[event.type], misfit: event.data.reason };
    default:
      return { ...looked, status: statuses[event.type] };
  }
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

/** Behind summaries: what is told is read once more, since a question is made of what was read. */
export const readOn = ({ misfit, rounds = 0 }: Enrichment): string =>
  `${misfit === undefined ? READ : READ_AGAIN}-${String(rounds)}`;

/** Whether a reading is behind an answer that did not fit. */
export const isAgain = (purpose: string): boolean => purpose.startsWith(READ_AGAIN);

/** Readings, by what they take of HubSpot's limits: the record alone, with its notes, and with more than those. */
export const READ_RECORD = 'hubspot.read';
export const READ_NOTES = 'hubspot.notes';
export const READ_CONTEXT = 'hubspot.context';
const READINGS: readonly string[] = [READ_RECORD, READ_NOTES, READ_CONTEXT];
export const isReading = (kind: string): boolean => READINGS.includes(kind);
/** Calls of the last: the record, a batch of each of five kinds, and one of transcripts. */
export const CONTEXT_CALLS = 7;
/** How often what was read is summed up: also summaries, and a record that is changed meanwhile. */
export const MOST_ROUNDS = 3;
export const SUMMARISE = 'openai.summarise';

const readKind = ({ notes, context }: AskStep): string => {
  if (Object.keys(context.most).length > 0) return READ_CONTEXT;
  return notes > 0 ? READ_NOTES : READ_RECORD;
};

/** A reading of what the model is told. */
export function reading(recipe: Recipe, step: AskStep, record: RecordRef, where: Whereabouts, what: string): Owed {
  const { reads, notes, context } = step;
  const kind = readKind(step);
  return {
    kind,
    purpose: purposeNow(what, where),
    request: { record, properties: reads, notes, ...(kind === READ_CONTEXT ? { context } : {}) },
    recipes: [labelOf(recipe)],
  };
}

const PART = 'part-';
export const partIn = (purpose: string): string => purpose.slice(PART.length);

/** The call that sums up a part: the same for the same text, whichever record and recipe it is of. */
export const summing = (recipe: Recipe, { id, text }: Part): Owed => ({
  kind: SUMMARISE,
  purpose: `${PART}${id}`,
  request: { text },
  recipes: [labelOf(recipe)],
});

/** The parts whose summaries are wanted and not known. */
export const unsummed = ({ parts = [], summaries = {} }: Enrichment): string[] =>
  parts.filter((part) => summaries[part] === undefined);

/** The calls of enrichments that may still wait. */
export const waitingQuestions = (enrichments: Enrichments, where: Whereabouts): { kind: string; purpose: string }[] => {
  const waiting = enrichments.flatMap((enrichment) => {
    const { status, rounds } = enrichment;
    const isMisread = status === 'misread';
    if (!isMisread && status !== 'requested' && status !== 'prepared') return [];
    const reads = [isMisread ? READ_AGAIN : READ, ...(rounds === undefined ? [] : [readOn(enrichment)])];
    const purposes = reads.flatMap((read) => [...new Set([read, purposeNow(read, where)])]);
    return [
      ...READINGS.flatMap((kind) => purposes.map((purpose) => ({ kind, purpose }))),
      ...unsummed(enrichment).map((part) => ({ kind: SUMMARISE, purpose: `${PART}${part}` })),
      { kind: 'openai.ask', purpose: isMisread ? ASK_AGAIN : ASK },
    ];
  });
  return [...new Map(waiting.map((call) => [`${call.kind} ${call.purpose}`, call])).values()];
};
