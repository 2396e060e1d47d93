import { inWords, type RecordRef, type Refusal, RENDER_CREDITS } from '#libs/contracts';
import { type CardPart, type CardRead, type Fact, fewer, type SaidError, shortened } from '#libs/event-store';

/** Why something failed, as a card shows it. */
export type CardError = { code: string } & Refusal;

/** Whether a render can be made again, and what that costs; else why not. */
export type Again = { cost: { credits: number } } | { refused: string };

/** The newest render of a recipe. */
export interface CardVideo {
  recipe: string;
  render: number;
  status: string;
  at: string;
  videoId: string | null;
  url: string | null;
  error: CardError | null;
  cost: { credits: number } | null;
  again: Again;
}

/** The newest enrichment of a recipe. */
export interface CardEnrichment {
  recipe: string;
  ask: string;
  status: string;
  at: string;
  model: string | null;
  score: number | null;
  sentiment: number | null;
  summary: string | null;
  reasons: string[];
  evidence: string[];
  facts: Fact[];
  error: CardError | null;
  cost: { inputTokens: number; outputTokens: number } | null;
}

/** What a recipe's step fetched last. */
export interface CardExternal {
  recipe: string;
  step: string;
  system: string;
  at: string;
  fields: Fact[];
  error: CardError | null;
}

/** What an app card is answered. */
export interface Card {
  record: RecordRef;
  asOf: string;
  videos: CardVideo[];
  enrichments: CardEnrichment[];
  external: CardExternal[];
  lastError: ({ of: CardPart['kind']; at: string } & CardError) | null;
  spent: CardRead['spent'];
  /** Says what was left out, where something was. */
  cut?: string;
}

/** HubSpot takes a megabyte; this leaves room for what stands around it. */
const MOST_BYTES = 900_000;

interface Bounds {
  entries: number;
  items: number;
  text: number;
}

// The last of them fits whatever is said.
const bounds: readonly Bounds[] = [
  { entries: 50, items: 100, text: 4_200 },
  { entries: 25, items: 25, text: 1_000 },
  { entries: 10, items: 10, text: 200 },
];

/** The card of a record, of as much as one answer holds: what is left out is marked where it stood, and said in `cut`. */
export function cardOf(record: RecordRef, read: CardRead): Card {
  const whole = wholeCard(record, read);
  for (const bound of bounds) {
    const card = bounded(whole, bound, read.left);
    if (Buffer.byteLength(JSON.stringify(card)) <= MOST_BYTES) return card;
  }
  throw new Error('a card is larger than its bounds allow');
}

/** The newest render of each recipe, that it is shown by; newest first. */
export const videosIn = ({ parts }: CardRead): CardPart[] => newestOf(parts, 'video');

/** Why a render cannot be made again; undefined where it can. */
export function refusedAgain({ said: { status } }: CardPart, { isGone }: CardRead): string | undefined {
  if (isGone) return 'The record was deleted.';
  const isOpen = status === 'PENDING' || status === 'PROCESSING';
  return isOpen ? 'The video is still being made: it can be rendered again once that has ended.' : undefined;
}

function wholeCard(record: RecordRef, read: CardRead): Card {
  const enrichments = newestOf(read.parts, 'enrichment');
  const external = newestOf(read.parts, 'external');
  const videos = videosIn(read);
  return {
    record,
    asOf: read.asOf,
    videos: videos.map((part) => videoOf(part, read)),
    enrichments: enrichments.map(enrichmentOf),
    external: external.map(externalOf),
    lastError: lastErrorIn([
      ...videos,
      ...enrichments,
      ...external,
      ...read.parts.filter(({ kind }) => kind === 'write'),
    ]),
    spent: read.spent,
  };
}

/** Of a recipe, or a step of it, the one of the newest trigger: a record may have more since another was merged into it. */
function newestOf(parts: readonly CardPart[], kind: CardPart['kind']): CardPart[] {
  const newest = new Map<string, CardPart>();
  for (const part of parts.filter((one) => one.kind === kind)) {
    const name = `${part.recipe} ${part.said.step ?? ''}`;
    const before = newest.get(name);
    if (!before || isNewer(part, before)) newest.set(name, part);
  }
  return [...newest.values()].toSorted((a, b) => Date.parse(b.at) - Date.parse(a.at));
}

const isNewer = (one: CardPart, other: CardPart): boolean => {
  const [a, b] = [triggered(one), triggered(other)];
  return a === b ? one.job > other.job : a > b;
};
const triggered = ({ said, at }: CardPart): number => Date.parse(said.triggeredAt ?? at);

const videoOf = (part: CardPart, read: CardRead): CardVideo => {
  const { recipe, job: render, at, said, credits } = part;
  const refused = refusedAgain(part, read);
  return {
    recipe,
    render,
    status: said.status ?? 'PENDING',
    at,
    videoId: said.videoId ?? null,
    url: said.url ?? null,
    error: errorOf(said.error),
    cost: credits > 0 ? { credits } : null,
    again: refused === undefined ? { cost: { credits: RENDER_CREDITS } } : { refused },
  };
};

const enrichmentOf = ({ recipe, at, said, inputTokens, outputTokens }: CardPart): CardEnrichment => ({
  recipe,
  ask: said.ask ?? '',
  status: said.status ?? 'PENDING',
  at,
  model: said.model ?? null,
  score: said.score ?? null,
  sentiment: said.sentiment ?? null,
  summary: said.summary ?? null,
  reasons: said.reasons ?? [],
  evidence: said.evidence ?? [],
  facts: said.facts ?? [],
  error: errorOf(said.error),
  cost: inputTokens + outputTokens > 0 ? { inputTokens, outputTokens } : null,
});

const externalOf = ({ recipe, at, said }: CardPart): CardExternal => ({
  recipe,
  step: said.step ?? '',
  system: said.system ?? '',
  at,
  fields: said.fields ?? [],
  error: errorOf(said.error),
});

const errorOf = (error: SaidError | null | undefined): CardError | null =>
  error ? { code: error.code, ...inWords(error.code, error.reason) } : null;

// What a recipe decided not to do is no error.
const MEANT: ReadonlySet<string> = new Set(['not-met', 'still-so', 'superseded']);

function lastErrorIn(parts: readonly CardPart[]): Card['lastError'] {
  const failed = parts.filter(({ said: { error } }) => error && !MEANT.has(error.code));
  const [last] = failed.toSorted((a, b) => Date.parse(b.at) - Date.parse(a.at));
  const error = errorOf(last?.said.error);
  return last && error ? { of: last.kind, ...error, at: last.at } : null;
}

function bounded(card: Card, { entries, items, text }: Bounds, left: number): Card {
  const some = <T>(all: readonly T[]): T[] => all.slice(0, entries);
  const short = (said: string): string => shortened(said, text);
  const maybe = (said: string | null): string | null => (said === null ? null : short(said));
  const texts = (all: readonly string[]): string[] => fewer(all, (n) => `… and ${n} more`, { most: items }).map(short);
  const facts = (all: readonly Fact[]): Fact[] =>
    fewer(all, (n) => ({ label: '…', value: `and ${n} more` }), { most: items }).map(({ label, value }) => ({
      label: short(label),
      value: short(value),
    }));
  const error = <E extends CardError | null>(one: E): E =>
    one && { ...one, code: short(one.code), says: short(one.says), remedy: maybe(one.remedy) };
  const { videos, enrichments, external } = card;
  const more = left + [videos, enrichments, external].reduce((n, all) => n + Math.max(0, all.length - entries), 0);
  return {
    ...card,
    videos: some(videos).map((one) => ({
      ...one,
      recipe: short(one.recipe),
      videoId: maybe(one.videoId),
      // Half an address leads nowhere.
      url: one.url !== null && one.url.length > text ? null : one.url,
      error: error(one.error),
    })),
    enrichments: some(enrichments).map((one) => ({
      ...one,
      recipe: short(one.recipe),
      ask: short(one.ask),
      model: maybe(one.model),
      summary: maybe(one.summary),
      reasons: texts(one.reasons),
      evidence: texts(one.evidence),
      facts: facts(one.facts),
      error: error(one.error),
    })),
    external: some(external).map((one) => ({
      ...one,
      recipe: short(one.recipe),
      step: short(one.step),
      system: short(one.system),
      fields: facts(one.fields),
      error: error(one.error),
    })),
    lastError: error(card.lastError),
    ...(more > 0 ? { cut: `More is known than one card holds: the ${more} oldest entries were left out.` } : {}),
  };
}
