import type { Looked } from '#libs/expressions';
import {
  askNamed,
  type AskStep,
  dataOf,
  fitted,
  inert,
  isWithin,
  type LeftOut,
  linesOf,
  MOST_BYTES,
  MOST_TAGS,
  NOT_TEXT,
  type Part,
  type Properties,
  type Rejection,
  rejectionOf,
  type StepBindings,
  type SummedUp,
  type Telling,
  tellingOf,
  type Told,
  tokensIn,
  unmetBy,
} from '#libs/recipes';

/** Why nothing is asked. */
interface Refused {
  code: Rejection['code'] | 'nothing-to-ask' | typeof NOT_TEXT;
  reason: string;
}

/** What is asked of what was read, and what of that is not told as it stands. */
export interface Question {
  request: object;
  leftOut: LeftOut[];
  summedUp: readonly SummedUp[];
}

type Bindings = StepBindings & { record: Properties };

/** What is told to the model of how it must answer, beside the recipe's own words, in tokens. */
const AROUND = 300;

/**
 * What is asked of what was read; what must be summed up before it can be asked; or why nothing is asked. `summaryOf` are
 * the summaries that are known.
 */
export function questionOf(
  step: AskStep,
  bindings: Bindings,
  told: Told,
  looked: Looked,
  summaryOf: (part: string) => string | undefined,
): Question | { missing: Part[]; leftOut: LeftOut[] } | { rejected: Refused } {
  const unmet = step.when && unmetBy(step.when, { ...bindings }, { looked });
  if (unmet) return { rejected: unmet };
  const all = textsOf(bindings.record, step, told);
  if (Buffer.byteLength(all) > MOST_BYTES) return tooLong(`more than ${String(MOST_BYTES)} bytes`);
  if (all.split('<').length > MOST_TAGS) return tooLong(`more than ${String(MOST_TAGS)} tags of HTML`);
  let telling: Telling;
  try {
    telling = tellingOf(step, bindings, told, { looked });
  } catch (error) {
    return { rejected: rejectionOf(error) };
  }
  const { entries, leftOut } = telling;
  if (entries.length === 0) return { rejected: nothingIn(leftOut) };
  const fit = fitted(
    entries,
    roomFor(linesOf(entries), step),
    (part) => summaryOf(part) && inert(summaryOf(part) ?? ''),
  );
  if ('tooLong' in fit) return tooLong(fit.tooLong);
  if ('missing' in fit) return { missing: fit.missing, leftOut };
  const { summedUp } = fit;
  const { model, instruction, answer: schema, effort, supported, use } = step;
  // What two recipes ask by the same file is the same question, whatever they call it.
  const name = use === undefined ? step.name : askNamed(use).name;
  // What a recipe does not say does not stand there: the same question stays the same.
  const request = {
    ...{ name, model, instruction, text: dataOf(linesOf(fit.entries)), schema },
    ...(effort === undefined ? {} : { effort }),
    ...(supported.length > 0 ? { supported } : {}),
    ...(use === undefined ? {} : { ask: use }),
    // What an answer quotes must stand in what was written, not in what a model made of it.
    ...(supported.length > 0 && summedUp.length > 0 ? { original: linesOf(entries) } : {}),
  };
  return { request, leftOut, summedUp };
}

/** The tokens that are left for what is told. Bytes are no fewer than tokens: where they leave room, nothing is counted. */
function roomFor(lines: string, { instruction, answer, tokens }: AskStep): number {
  const asked = `${instruction}${JSON.stringify(answer)}`;
  return isWithin(asked + lines, tokens - AROUND) ? tokens : Math.max(1, tokens - AROUND - tokensIn(asked));
}

const textsOf = (record: Properties, { properties }: AskStep, { notes, context = {} }: Told): string =>
  [
    ...properties.map((name) => record[name] ?? ''),
    ...[notes, ...Object.values(context)].flat().map(({ text }) => text),
  ].join('\n');

const tooLong = (why: string): { rejected: Refused } => ({
  rejected: { code: 'too-long', reason: `the record says too much for one question: ${why}; let the ask tell less` },
});

function nothingIn(leftOut: readonly LeftOut[]): Refused {
  if (leftOut.length === 0)
    return { code: 'nothing-to-ask', reason: 'the record has neither notes nor any of the properties' };
  const what = leftOut.slice(0, 5).map(({ entry, is }) => `${entry} is ${is}`);
  return { code: NOT_TEXT, reason: `nothing that was read is text: ${what.join(', ')}; store what it says as text` };
}
