import { isDeepStrictEqual } from 'node:util';
import { inDollars } from '../dollars';
import type { Bound } from './asking';
import { type Drift, type Evaluation, RECORDED, type RowResult, type SideResult, type Took } from './result';

/** What a run will cost at most, as lines for people. */
export const boundLines = (bounds: readonly Bound[], pricesOf: string): string[] =>
  bounds.map(({ model, questions, tokens, usd }) => {
    const most = `${String(tokens.input)} tokens in, ${String(tokens.output)} out`;
    return usd === undefined
      ? `${String(questions)} questions to ${model}, whose price is not known here: at most ${most}`
      : `${String(questions)} questions to ${model}: at most ${inDollars(usd)} (${most}; prices of ${pricesOf})`;
  });

/** An evaluation as lines for people; of rows that are answered otherwise so many are shown. */
export function evaluationLines({ sides, recorded, drift, rows }: Evaluation, shown: number): string[] {
  const names = [...new Set(sides.flatMap(({ fields }) => Object.keys(fields)))];
  const row = (what: string, ofSide: (side: SideResult) => string, ofRecorded = '', differ = '') => [
    ...[what, ...(recorded ? [ofRecorded] : [])],
    ...[...sides.map(ofSide), ...(drift ? [differ] : [])],
  ];
  const table = [
    row('', ({ name }) => name, RECORDED, 'differ'),
    ...names.map((field) => row(field, ({ fields }) => agreementText(fields[field]), '', driftText(drift?.[field]))),
    row('agreement', ({ agreement }) => (agreement === undefined ? 'not judged' : shareText(agreement))),
    row('answered', (side) => answeredText(side, rows.length), recorded && answeredText(recorded, rows.length)),
    row('tokens', tokensText, recorded && tokensText(recorded)),
    row('cost', costText, recorded && costText(recorded)),
    row('latency', latencyText, recorded && latencyText(recorded)),
  ];
  const [first, last] = [recorded ? RECORDED : sides[0]?.name, sides.at(-1)?.name];
  const differing =
    drift && first !== undefined && last !== undefined ? rows.flatMap((one) => differences(one, first, last)) : [];
  const more = differing.length > shown && shown > 0 ? [`… and ${String(differing.length - shown)} more`] : [];
  return [...aligned(table), ...differing.slice(0, shown), ...more];
}

/** How often each, as words. */
export const countsText = (counts: Readonly<Record<string, number>>): string =>
  Object.entries(counts)
    .map(([what, n]) => `${String(n)} ${what}`)
    .join(', ');

const shareText = (share: number): string => share.toFixed(2);

const agreementText = (field: SideResult['fields'][string] | undefined): string =>
  field === undefined ? '' : field === 'not judged' ? field : `${shareText(field.agreement)} (${String(field.judged)})`;

const driftText = (drift: Drift | undefined): string =>
  drift ? `${String(drift.differs)} of ${String(drift.of)}` : '';

function answeredText({ answered, errors = {} }: Took & Partial<Pick<SideResult, 'errors'>>, of: number): string {
  const failed = countsText(errors);
  return `${String(answered)} of ${String(of)}${failed === '' ? '' : ` (${failed})`}`;
}

const tokensText = ({ tokens }: Took): string => `${String(tokens.input)} in, ${String(tokens.output)} out`;

const costText = ({ usd }: Took): string => (usd === undefined ? 'not known' : inDollars(usd));

const latencyText = ({ latencyMs }: Took): string =>
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

/** The fields of one row that are answered otherwise, side by side. */
function differences({ row, came }: RowResult, one: string, other: string): string[] {
  const [a, b] = [came[one], came[other]];
  if (!a || !b || 'error' in a || 'error' in b) return [];
  return Object.keys(a.answer)
    .filter((field) => field in b.answer && !isDeepStrictEqual(a.answer[field], b.answer[field]))
    .map((field) => `${row}: ${field}: ${JSON.stringify(a.answer[field])} → ${JSON.stringify(b.answer[field])}`);
}
