import { isDeepStrictEqual } from 'node:util';
import { inDollars } from '../dollars';
import type { Bound } from './asking';
import type { Evaluation, RowResult, SideResult } from './result';

/** What a run will cost at most, as lines for people. */
export const boundLines = (bounds: readonly Bound[], pricesOf: string): string[] =>
  bounds.map(({ model, questions, tokens, usd }) => {
    const most = `${String(tokens.input)} tokens in, ${String(tokens.output)} out`;
    return usd === undefined
      ? `${String(questions)} questions to ${model}, whose price is not known here: at most ${most}`
      : `${String(questions)} questions to ${model}: at most ${inDollars(usd)} (${most}; prices of ${pricesOf})`;
  });

/** An evaluation as lines for people; of rows in which the two sides differ so many are shown. */
export function evaluationLines({ sides, drift, rows }: Evaluation, shown: number): string[] {
  const names = [...new Set(sides.flatMap(({ fields }) => Object.keys(fields)))];
  const table = [
    ['', ...sides.map(({ name }) => name), ...(drift ? ['differ'] : [])],
    ...names.map((field) => [
      field,
      ...sides.map(({ fields }) => agreementText(fields[field])),
      ...(drift ? [drift[field] ? `${String(drift[field].differs)} of ${String(drift[field].of)}` : ''] : []),
    ]),
    ['agreement', ...sides.map(({ agreement }) => (agreement === undefined ? 'not judged' : shareText(agreement)))],
    ['answered', ...sides.map((side) => answeredText(side, rows.length))],
    ['tokens', ...sides.map(({ tokens }) => `${String(tokens.input)} in, ${String(tokens.output)} out`)],
    ['cost', ...sides.map(({ usd }) => (usd === undefined ? 'not known' : inDollars(usd)))],
    ['latency', ...sides.map(latencyText)],
  ];
  const [first, second] = sides;
  const differing = first && second ? rows.flatMap((row) => differences(row, first.name, second.name)) : [];
  const more = differing.length > shown && shown > 0 ? [`… and ${String(differing.length - shown)} more`] : [];
  return [...aligned(table), ...differing.slice(0, shown), ...more];
}

const shareText = (share: number): string => share.toFixed(2);

const agreementText = (field: SideResult['fields'][string] | undefined): string =>
  field === undefined ? '' : field === 'not judged' ? field : `${shareText(field.agreement)} (${String(field.judged)})`;

function answeredText({ answered, errors }: SideResult, of: number): string {
  const failed = Object.entries(errors).map(([code, n]) => `${String(n)} ${code}`);
  return `${String(answered)} of ${String(of)}${failed.length > 0 ? ` (${failed.join(', ')})` : ''}`;
}

const latencyText = ({ latencyMs }: SideResult): string =>
  latencyMs ? `p50 ${String(latencyMs.p50)} ms, p95 ${String(latencyMs.p95)} ms` : 'not known';

function aligned(table: readonly string[][]): string[] {
  const widths = (table[0] ?? []).map((_, i) => Math.max(...table.map((row) => (row[i] ?? '').length)));
  return table.map((row) =>
    row
      .map((cell, i) => cell.padEnd(widths[i] ?? 0))
      .join('  ')
      .trimEnd(),
  );
}

/** The fields of one row that two sides answer otherwise, side by side. */
function differences({ row, came }: RowResult, one: string, other: string): string[] {
  const [a, b] = [came[one], came[other]];
  if (!a || !b || 'error' in a || 'error' in b) return [];
  return Object.keys(a.answer)
    .filter((field) => field in b.answer && !isDeepStrictEqual(a.answer[field], b.answer[field]))
    .map((field) => `${row}: ${field}: ${JSON.stringify(a.answer[field])} → ${JSON.stringify(b.answer[field])}`);
}
