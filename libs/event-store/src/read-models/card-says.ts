import {
  type CrmEvent,
  type EnrichmentEvent,
  type FetchEvent,
  isOfEnrichment,
  isOfFetch,
  isOfRender,
  type OneEnrichmentEvent,
  type OneRenderEvent,
  RENDER_CREDITS,
  type RenderEvent,
} from '#libs/contracts';

/** What the parts of a card are about. */
export type PartKind = 'video' | 'enrichment' | 'external' | 'write';

/** Why something was not done, as its event says it. */
export interface SaidError {
  code: string;
  reason: string;
}

/** What one event says of one part of its record's card. */
export interface PartSaid {
  /** Tells the parts of one stream apart. */
  part: string;
  kind: PartKind;
  recipe: string;
  /** Number of the render, enrichment, fetch or write; what an older one says counts no more. */
  job: number;
  /** Nothing overrules it but a newer job. */
  isFinal?: boolean;
  said: Record<string, unknown>;
  credits?: number;
  inputTokens?: number;
  outputTokens?: number;
}

/** A name and a value, as people read them. */
export interface Fact {
  label: string;
  value: string;
}

/** What a render's event says. */
export function saidOfRender(event: RenderEvent): PartSaid | undefined {
  if (!isOfRender(event)) return undefined;
  const { recipe, render: job } = event.data;
  return { part: 'video', kind: 'video', recipe, job, ...ofRender(event) };
}

function ofRender({ type, data }: OneRenderEvent): Pick<PartSaid, 'said' | 'credits' | 'isFinal'> {
  switch (type) {
    case 'RenderRequested':
      return { said: { status: 'PENDING', triggeredAt: data.triggeredAt } };
    case 'RenderPrepared':
      return { said: { status: 'PENDING' } };
    case 'RenderSubmitted':
      return { said: { status: 'PENDING', videoId: data.videoId, error: null }, credits: RENDER_CREDITS };
    case 'RenderStarted':
      return { said: { status: 'PROCESSING', videoId: data.videoId } };
    case 'RenderPostponed':
      return { said: { status: 'PENDING', error: errorOf(data) }, ...unspent(data.videoId) };
    case 'RenderRejected':
      return { said: { status: 'REJECTED', error: errorOf(data) } };
    case 'RenderFailed':
      return { said: { status: 'FAILED', videoId: data.videoId, error: errorOf(data) } };
    case 'RenderCopied':
      return { said: {} };
    case 'RenderCompleted':
      return { said: { status: 'COMPLETED', videoId: data.videoId, url: data.url, error: null }, isFinal: true };
  }
}

// HeyGen charges nothing for an order that it took and failed at.
const unspent = (videoId?: string) => (videoId === undefined ? {} : { credits: -RENDER_CREDITS });

/** What an event of the enrichments' stream says: of an enrichment, or of a fetch. */
export function saidOfEnrichment(event: EnrichmentEvent): PartSaid | undefined {
  if (isOfFetch(event)) return saidOfFetch(event);
  if (!isOfEnrichment(event)) return undefined;
  const { recipe, enrichment: job } = event.data;
  return { part: 'enrichment', kind: 'enrichment', recipe, job, ...ofEnrichment(event) };
}

function ofEnrichment({
  type,
  data,
}: OneEnrichmentEvent): Pick<PartSaid, 'said' | 'inputTokens' | 'outputTokens' | 'isFinal'> {
  switch (type) {
    case 'EnrichmentRequested':
      return { said: { status: 'PENDING', triggeredAt: data.triggeredAt } };
    case 'EnrichmentDivided':
    case 'EnrichmentPrepared':
      return { said: { status: 'PENDING', ask: data.ask } };
    // It may follow a failure, too, and says nothing of how the enrichment stands.
    case 'EnrichmentSummarised':
      return { said: {}, inputTokens: data.tokens.input, outputTokens: data.tokens.output };
    case 'EnrichmentMisread':
      return { said: { status: 'PENDING' }, inputTokens: data.tokens.input, outputTokens: data.tokens.output };
    case 'EnrichmentRejected':
      return { said: { status: 'REJECTED', error: errorOf(data) } };
    case 'EnrichmentFailed':
      return { said: { status: 'FAILED', error: errorOf(data) } };
    case 'EnrichmentCompleted': {
      const { ask, model, answer, tokens } = data;
      const said = { status: 'COMPLETED', ask, model, error: null, ...answerSaid(answer) };
      return { said, isFinal: true, inputTokens: tokens.input, outputTokens: tokens.output };
    }
  }
}

// What an earlier fetch brought is shown until the newer one has ended.
function saidOfFetch({ type, data }: FetchEvent): PartSaid | undefined {
  const { recipe, step, fetch: job, triggeredAt } = data;
  const about = { part: `fetch:${step}`, kind: 'external', recipe, job } as const;
  switch (type) {
    case 'FetchRequested':
      return undefined;
    case 'FetchCompleted': {
      const fields = factsOf(Object.entries(data.fields));
      return { ...about, said: { step, system: data.system, triggeredAt, fields, error: null }, isFinal: true };
    }
    case 'FetchRejected':
      return { ...about, said: { step, triggeredAt, error: errorOf(data) } };
  }
}

/** What an event of the record's own stream says of writing to it. */
export function saidOfWrite({ type, data }: CrmEvent): PartSaid | undefined {
  switch (type) {
    case 'RecordUpdated':
      return { part: 'write', kind: 'write', recipe: '', job: data.write, said: { error: null } };
    case 'RecordUpdateRejected':
      return { part: 'write', kind: 'write', recipe: '', job: data.write, said: { error: errorOf(data) } };
    case 'RecordStepFilled':
      return stepSaid('step', data, null);
    case 'RecordStepRejected':
      return stepSaid('step', data, errorOf(data));
    case 'ActionDone':
      return stepSaid('action', data, null);
    case 'ActionRejected':
      return stepSaid('action', data, errorOf(data));
    default:
      return undefined;
  }
}

const stepSaid = (
  what: string,
  { recipe, step }: { recipe: string; step: string },
  error: SaidError | null,
): PartSaid => ({ part: `${what}:${recipe}:${step}`, kind: 'write', recipe, job: 0, said: { error } });

const errorOf = ({ code, reason }: SaidError): SaidError => ({ code, reason: shortened(reason) });

// Answers have the shapes that recipes give them; these names are what the shipped recipes and the guides use.
const SCORES = ['lead_score', 'score'];
const SENTIMENTS = ['sentiment', 'sentiment_score', 'ai_sentiment_score'];
const SUMMARIES = ['summary', 'lead_summary', 'ai_lead_summary'];
const REASONS = ['reasons', 'reason'];
const EVIDENCE = ['evidence'];

/** Sorts an answer into what a card shows by itself, and facts: all else that it says. */
export function answerSaid(answer: Readonly<Record<string, unknown>>) {
  const left = new Map(Object.entries(answer));
  const take = <T>(names: readonly string[], read: (value: unknown) => T | undefined): T | undefined => {
    for (const name of names) {
      const value = read(left.get(name));
      if (value === undefined) continue;
      left.delete(name);
      return value;
    }
    return undefined;
  };
  return {
    score: take(SCORES, numberIn) ?? null,
    sentiment: take(SENTIMENTS, numberIn) ?? null,
    summary: take(SUMMARIES, textIn) ?? null,
    reasons: take(REASONS, textsIn) ?? [],
    evidence: take(EVIDENCE, textsIn) ?? [],
    facts: factsOf([...left]),
  };
}

const numberIn = (value: unknown): number | undefined => {
  const number = typeof value === 'string' && value.trim() !== '' ? Number(value) : value;
  return typeof number === 'number' && Number.isFinite(number) ? number : undefined;
};
const textIn = (value: unknown): string | undefined => (typeof value === 'string' ? shortened(value) : undefined);
const textsIn = (value: unknown): string[] | undefined => {
  if (typeof value === 'string') return [shortened(value)];
  return Array.isArray(value)
    ? fewer(value, (n): unknown => `… and ${n} more`, { size: (one) => asText(one).length }).map(asText)
    : undefined;
};

const factsOf = (entries: readonly [string, unknown][]): Fact[] =>
  fewer(
    entries
      .filter(([, value]) => value !== null && value !== undefined && value !== '')
      .map(([name, value]) => ({ label: shortened(name.replaceAll('_', ' '), MOST_LABEL), value: asText(value) })),
    (n) => ({ label: '…', value: `and ${n} more` }),
    { size: ({ label, value }) => label.length + value.length },
  );

function asText(value: unknown): string {
  if (typeof value === 'string') return shortened(value);
  if (Array.isArray(value) && value.every((one) => typeof one !== 'object')) return shortened(value.join(', '));
  return shortened(JSON.stringify(value) ?? '');
}

// A row holds what a card can show, and no more: whatever a model or another system has said.
const MOST_TEXT = 4_000;
const MOST_LABEL = 200;
const MOST_ITEMS = 100;
const MOST_OF_LIST = 10_000;

/** The text, or its beginning with a mark of how much was left out. */
export const shortened = (text: string, most = MOST_TEXT): string =>
  text.length <= most ? text : `${text.slice(0, most)}… (${text.length - most} more characters)`;

/** The list, or its beginning, of so many items and of so much in all, with a mark of how many were left out. */
export function fewer<T>(
  all: readonly T[],
  mark: (left: number) => T,
  { most = MOST_ITEMS, size = () => 0 }: { most?: number; size?: (one: T) => number } = {},
): T[] {
  let total = 0;
  const end = all.findIndex((one, i) => i >= most || (total += size(one)) > MOST_OF_LIST);
  return end < 0 ? [...all] : [...all.slice(0, end), mark(all.length - end)];
}
