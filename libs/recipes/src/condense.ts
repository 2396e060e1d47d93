import { hash } from 'node:crypto';
import { isWithin, tokensIn } from './tokens';

/** One line of what a model is told: named, masked and made inert already. */
export interface Entry {
  /** As the model is told, such as `firstname` or `note of 2026-11-20`. */
  name: string;
  /** What it is one of; such entries may be summed up together. */
  kind: string;
  text: string;
}

/** A part of a long text that is summed up by itself; the same text is the same part, whoever tells it. */
export interface Part {
  id: string;
  text: string;
}

/** An entry that the model is told by its summary alone. */
export interface SummedUp {
  entry: string;
  characters: number;
  tokens: number;
  parts: number;
}

export interface Fitting {
  entries: readonly Entry[];
  summedUp: readonly SummedUp[];
}

/** Tokens of one part; far below where models cost more, and few enough parts for a chain of a replay. */
export const PART = 20_000;
export const MOST_PARTS = 40;
/** What a summary takes at most, about; what is not twice as long is summed up together with its neighbours. */
const SUMMARY = 600;
/** Summaries of summaries; a model that shortens nothing must not go on for ever. */
const DEEPEST = 3;

/** The most bytes that are looked at, two megabytes and what comes with them; and the most tags of HTML in them. */
export const MOST_BYTES = 2_500_000;
export const MOST_TAGS = 100_000;

const lineOf = ({ name, text }: Entry): string => `${name}: ${text}`;
export const linesOf = (entries: readonly Entry[]): string => entries.map(lineOf).join('\n');

/** An entry with its length; `was` where it is a summary already. */
interface Counted extends Entry {
  tokens: number;
  was?: SummedUp;
}

/**
 * Makes entries fit into so many tokens: the longest are told by the summaries of their parts, the others as they are.
 * `missing` are parts of which no summary is known yet. Pure, and bounded in time by {@link MOST_BYTES}.
 */
export function fitted(
  entries: readonly Entry[],
  most: number,
  summaryOf: (part: string) => string | undefined,
): Fitting | { missing: Part[] } | { tooLong: string } {
  if (isWithin(linesOf(entries), most)) return { entries, summedUp: [] };
  let counted: Counted[] = entries.map((entry) => ({ ...entry, tokens: tokensIn(lineOf(entry)) }));
  const all = sumOf(counted);
  if (all > most + MOST_PARTS * PART) return { tooLong: `it holds ${String(all)} tokens` };
  for (let depth = 0; depth < DEEPEST; depth += 1) {
    if (sumOf(counted) <= most) {
      const summedUp = counted.flatMap(({ was }) => was ?? []);
      return { entries: counted.map(({ name, kind, text }) => ({ name, kind, text })), summedUp };
    }
    const groups = groupsOf(counted, chosen(counted, most));
    const parts = groups.flatMap((group) => ('parts' in group ? group.parts : []));
    if (parts.length > MOST_PARTS)
      return {
        tooLong: `it would be summed up in ${String(parts.length)} parts, and ${String(MOST_PARTS)} are allowed`,
      };
    const missing = parts.filter(({ id }) => summaryOf(id) === undefined);
    if (missing.length > 0) return { missing: [...new Map(missing.map((part) => [part.id, part])).values()] };
    counted = groups.map((group) => ('parts' in group ? summaryFor(group, summaryOf) : group));
  }
  return { tooLong: `its summaries are longer than ${String(most)} tokens` };
}

const sumOf = (counted: readonly Counted[]): number => counted.reduce((sum, { tokens }) => sum + tokens, 0);

/**
 * The longest entries, as many as must be summed up so that all will probably fit; short ones from the end on, where the
 * oldest stand, so that neighbours go together.
 */
function chosen(counted: readonly Counted[], most: number): ReadonlySet<Counted> {
  const inTurn = [
    ...counted.filter((one) => !isShort(one)).sort((a, b) => b.tokens - a.tokens),
    ...counted.filter(isShort).reverse(),
  ];
  const some = new Set<Counted>();
  let left = sumOf(counted);
  let summaries = 0;
  for (const one of inTurn) {
    // Short ones become one summary together; that of a long one in many parts is summed up itself if need be.
    if (!isShort(one) || ![...some].some(isShort)) summaries += 1;
    some.add(one);
    left -= one.tokens;
    if (left + summaries * SUMMARY <= most) break;
  }
  return some;
}

const isShort = ({ tokens }: Counted): boolean => tokens < 2 * SUMMARY;

interface Group {
  of: Counted[];
  parts: Part[];
}

/** Each long entry in parts of its own, so that they are the same at whatever record; short neighbours in one. */
function groupsOf(counted: readonly Counted[], some: ReadonlySet<Counted>): (Counted | Group)[] {
  const groups: (Counted | Group)[] = [];
  let run: Counted[] = [];
  const end = () => {
    if (run.length > 0) groups.push({ of: run, parts: cut(run.map(lineOf).join('\n')) });
    run = [];
  };
  for (const one of counted) {
    const isPacked = some.has(one) && isShort(one);
    if (!isPacked || run[0]?.kind !== one.kind) end();
    if (isPacked) run.push(one);
    else groups.push(some.has(one) ? { of: [one], parts: cut(one.text) } : one);
  }
  end();
  return groups;
}

function summaryFor({ of, parts }: Group, summaryOf: (part: string) => string | undefined): Counted {
  const text = parts.map(({ id }) => summaryOf(id) ?? '').join('\n  ');
  const [first] = of;
  const name = of.length === 1 ? (first?.name ?? '') : `${String(of.length)} ${first?.kind ?? ''}`;
  const entry = { name: `summary of ${name}`, kind: first?.kind ?? '', text };
  const before = of.map(({ was, text: { length: characters }, tokens }) => was ?? { characters, tokens, parts: 0 });
  const sum = (unit: 'characters' | 'tokens' | 'parts') => before.reduce((all, one) => all + one[unit], 0);
  return {
    ...entry,
    // A summary that was summed up again is told as what it was first.
    ...(first?.was && of.length === 1 ? { name: first.name } : {}),
    tokens: tokensIn(lineOf(entry)),
    was: {
      entry: of.length === 1 ? (first?.was?.entry ?? name) : name,
      characters: sum('characters'),
      tokens: sum('tokens'),
      parts: sum('parts') + parts.length,
    },
  };
}

// The end of a sentence or paragraph and the blanks behind it belong to what stands before.
const SENTENCES = /[^.!?。！？\n]+(?:[.!?。！？\n]+\s*|$)|[.!?。！？\n]+\s*/gu;
const PIECES = /.{1,1000}(?:\s+|$)|.{1,1000}/gsu;

/** Cuts a text into parts of about equal length, at ends of sentences, or of words where a sentence has none. */
export function cut(text: string, most = PART): Part[] {
  const units = (text.match(SENTENCES) ?? []).flatMap((unit) =>
    unit.length > 4_000 ? (unit.match(PIECES) ?? []) : [unit],
  );
  const counts = units.map(tokensIn);
  const all = counts.reduce((sum, count) => sum + count, 0);
  const target = all / Math.max(1, Math.ceil(all / most));
  const parts: string[] = [];
  let [part, begun, done] = ['', 0, 0];
  units.forEach((unit, i) => {
    const count = counts[i] ?? 0;
    // Cut where the next end would be further from the share than this one.
    if (part !== '' && (begun + count > most || done + count / 2 > target * (parts.length + 1))) {
      parts.push(part);
      [part, begun] = ['', 0];
    }
    [part, begun, done] = [part + unit, begun + count, done + count];
  });
  if (part !== '') parts.push(part);
  return parts.map((one) => ({ id: idOf(one), text: one }));
}

const idOf = (text: string): string => hash('sha256', text).slice(0, 24);
