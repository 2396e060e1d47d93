import { isDeepStrictEqual } from 'node:util';
import { agreementOf, type AskRow } from '#libs/recipes';
import type { Asked, Side } from './asking';

/** How one field of the answers agrees with the labels: a mean from 0 to 1 over the rows that it could be judged of. */
export interface FieldAgreement {
  agreement: number;
  judged: number;
}

/** What questions took. */
export interface Took {
  answered: number;
  tokens: { input: number; output: number };
  /** In US dollars; absent where the price of the model is not known. */
  usd?: number;
  /** Of those that were answered, in milliseconds. */
  latencyMs?: { p50: number; p95: number };
}

/** What came of one side. */
export interface SideResult extends Took {
  name: string;
  model: string;
  /** Of all that could be judged, a mean from 0 to 1; absent where nothing could. A row without an answer agrees in nothing. */
  agreement?: number;
  fields: Record<string, FieldAgreement | 'not judged'>;
  errors: Record<string, number>;
}

/** How often a field of two answers to the same row differs, of so many rows where both have it. */
export interface Drift {
  differs: number;
  of: number;
}

/** What came of one row, by side. */
export interface RowResult {
  row: string;
  label: object;
  came: Record<string, { answer: Record<string, unknown> } | { error: string }>;
}

export interface Evaluation {
  sides: SideResult[];
  /** What the answers that are recorded took. */
  recorded?: Took;
  /** From what is recorded to the last side; where nothing is, from the first of two sides to the other. */
  drift?: Record<string, Drift>;
  rows: RowResult[];
}

/** As whose the recorded answers are shown. */
export const RECORDED = 'recorded';

/**
 * Holds what came of the questions against the labels, and two sides, or what is recorded and the last side, against each
 * other. Pure.
 */
export function evaluationOf(
  sides: readonly Side[],
  rows: readonly AskRow[],
  came: readonly Asked[][],
  recorded?: readonly Asked[],
): Evaluation {
  const columns = [
    ...(recorded ? [{ name: RECORDED, all: recorded }] : []),
    ...sides.map(({ name }, i) => ({ name, all: came[i] ?? [] })),
  ];
  const [first, last] = [columns[0], columns.at(-1)];
  return {
    sides: sides.map((side, i) => sideResult(side, rows, came[i] ?? [])),
    ...(recorded ? { recorded: tookOf(recorded) } : {}),
    ...(first && last && first !== last ? { drift: driftOf(fieldsOf(sides, recorded), first.all, last.all) } : {}),
    rows: rows.map(({ name, label }, at) => ({
      row: name,
      label,
      came: Object.fromEntries(columns.map((column) => [column.name, said(column.all[at])])),
    })),
  };
}

/** The fields of the last side that what it is compared with has, too. */
function fieldsOf(sides: readonly Side[], recorded: readonly Asked[] | undefined): string[] {
  const before = recorded
    ? recorded.flatMap((one) => ('answer' in one ? Object.keys(one.answer) : []))
    : Object.keys(sides[0]?.ask.answer.properties ?? {});
  const known = new Set(before);
  return Object.keys(sides.at(-1)?.ask.answer.properties ?? {}).filter((field) => known.has(field));
}

const said = (asked: Asked | undefined): RowResult['came'][string] =>
  asked && 'answer' in asked ? { answer: asked.answer } : { error: asked?.error ?? 'not-asked' };

function sideResult({ name, ask }: Side, rows: readonly AskRow[], came: readonly Asked[]): SideResult {
  const all: number[] = [];
  const fields = Object.entries(ask.answer.properties).map(([field, schema]) => {
    const judged = rows.flatMap(({ label }, at) => {
      const wanted = Object.hasOwn(label, field) ? label[field] : undefined;
      if (wanted === undefined) return [];
      const one = came[at];
      // Whether it could be judged does not hang on its having come.
      const value = one && 'answer' in one ? one.answer[field] : undefined;
      return agreementOf(schema, wanted, value) ?? [];
    });
    all.push(...judged);
    return [field, judged.length === 0 ? 'not judged' : { agreement: mean(judged), judged: judged.length }] as const;
  });
  return {
    ...{ name, model: ask.model },
    ...(all.length > 0 ? { agreement: mean(all) } : {}),
    fields: Object.fromEntries(fields),
    errors: errorsOf(came),
    ...tookOf(came),
  };
}

function tookOf(came: readonly Asked[]): Took {
  const took = came.flatMap(({ ms }) => ms ?? []).sort((a, b) => a - b);
  const paid = came.filter(({ tokens }) => tokens);
  const total = (of: (one: Asked) => number | undefined) => paid.reduce((sum, one) => sum + (of(one) ?? 0), 0);
  return {
    answered: came.filter((one) => 'answer' in one).length,
    tokens: { input: total(({ tokens }) => tokens?.input), output: total(({ tokens }) => tokens?.output) },
    ...(paid.every(({ usd }) => usd !== undefined) ? { usd: total(({ usd }) => usd) } : {}),
    ...(took.length > 0 ? { latencyMs: { p50: percentile(took, 50), p95: percentile(took, 95) } } : {}),
  };
}

function errorsOf(came: readonly Asked[]): Record<string, number> {
  const errors: Record<string, number> = {};
  for (const one of came) if ('error' in one) errors[one.error] = (errors[one.error] ?? 0) + 1;
  return errors;
}

const mean = (all: readonly number[]): number => all.reduce((sum, one) => sum + one, 0) / all.length;

/** The smallest of sorted values that so many percent of them do not pass. */
const percentile = (sorted: readonly number[], percent: number): number =>
  Math.round(sorted[Math.ceil((percent / 100) * sorted.length) - 1] ?? 0);

function driftOf(fields: readonly string[], first: readonly Asked[], second: readonly Asked[]): Record<string, Drift> {
  const both = first.flatMap((asked, at) => {
    const against = second[at];
    return 'answer' in asked && against && 'answer' in against ? [[asked.answer, against.answer] as const] : [];
  });
  return Object.fromEntries(
    fields.map((field) => {
      const having = both.filter((pair) => pair.every((answer) => Object.hasOwn(answer, field)));
      const differs = having.filter(([a, b]) => !isDeepStrictEqual(a[field], b[field])).length;
      return [field, { differs, of: having.length }];
    }),
  );
}
