import { setTimeout as wait } from 'node:timers/promises';
import { type Answer, openaiCodes } from '#libs/contracts';
import { type AskFile, type AskRow, readAnswer, stepOfAsk, unsupportedIn, withoutUnsupported } from '#libs/recipes';
import { type LanguageModel, type Question, type Reply, usdFor } from '#libs/vendors/openai';

/** An ask as it is tried: `name` says of whose answers a column is. */
export interface Side {
  name: string;
  ask: AskFile;
}

/** What came of one question: an answer as the hub would take it, or why there is none; with what it took. */
export type Asked = ({ answer: Record<string, unknown> } | { error: string }) & {
  tokens?: { input: number; output: number };
  usd?: number;
  /** How long the answer took. */
  ms?: number;
};

/** The question that the hub would put. */
export function questionOf({ ask }: Side, row: AskRow): Question & { text: string } {
  const { name, model, instruction, answer: schema, effort } = stepOfAsk(ask, {});
  return {
    ...{ name, model, instruction, text: row.textFor(ask), schema },
    ...(effort === undefined ? {} : { effort: effort as Question['effort'] }),
  };
}

/** What questions may cost at most; `usd` is absent where the price of a model is not known. */
export interface Bound {
  model: string;
  questions: number;
  tokens: { input: number; output: number };
  usd?: number;
}

// What the adapter says of data, and what the vendor puts around messages, in bytes.
const AROUND = 1_000;

/** How much the questions tell that a side puts of rows, in bytes. */
export const bytesTold = ({ ask }: Side, rows: readonly AskRow[]): number[] =>
  rows.map((row) => Buffer.byteLength(row.textFor(ask)));

/**
 * The most that a side's questions may cost that tell so many bytes each: no token is shorter than a byte, and no answer
 * longer than where it is cut.
 */
export function boundOf({ ask }: Side, told: readonly number[], mostTokens: number): Bound {
  const { model, instruction, answer } = stepOfAsk(ask, {});
  const around = Buffer.byteLength(instruction + JSON.stringify(answer)) + AROUND;
  const each = told.map((bytes) => ({ input: around + bytes, output: mostTokens }));
  const usd = each.map((tokens) => usdFor(model, tokens));
  const isKnown = usd.every((one) => one !== undefined);
  return {
    model,
    questions: told.length,
    tokens: { input: sum(each.map(({ input }) => input)), output: sum(each.map(({ output }) => output)) },
    ...(isKnown ? { usd: sum(usd) } : {}),
  };
}

const sum = (all: readonly number[]): number => all.reduce((total, one) => total + one, 0);

/** How rows are asked. */
export interface Asking {
  model: Pick<LanguageModel, 'ask'>;
  deadlineMs: number;
  /** How many questions are under way at a time. */
  atOnce: number;
  /** Told after each question. */
  asked: (done: number) => void;
}

/**
 * Asks every row of every side; resolves to what came of each, by side and row, whatever fails. Where nothing pays for an
 * answer, or the key is not taken, no further one is asked for: the rest are `not-asked`.
 */
export async function askAll(sides: readonly Side[], rows: readonly AskRow[], asking: Asking): Promise<Asked[][]> {
  const came: Asked[][] = sides.map(() => []);
  // Sides take turns: what slows the vendor down slows down both.
  const due = rows.flatMap((row, at) => sides.map((side, of) => ({ row, at, side, of })));
  let [next, done, stopped] = [0, 0, false];
  const work = async (): Promise<void> => {
    for (let one = due[next++]; one; one = due[next++]) {
      const { row, at, side, of } = one;
      const asked = stopped ? { error: NOT_ASKED } : await askOnce(side, row, asking);
      if ('error' in asked && STOPS.includes(asked.error)) stopped = true;
      (came[of] ?? [])[at] = asked;
      asking.asked(++done);
    }
  };
  await Promise.all(Array.from({ length: Math.min(asking.atOnce, due.length) }, work));
  return came;
}

const NOT_ASKED = 'not-asked';
const STOPS = [...openaiCodes('unpaid'), ...openaiCodes('unauthorized')];
const MOST_TRIES = 4;
const LONGEST_WAIT_MS = 60_000;

async function askOnce(side: Side, row: AskRow, { model, deadlineMs }: Asking): Promise<Asked> {
  const question = questionOf(side, row);
  for (let tries = 1; ; tries += 1) {
    const began = performance.now();
    const answer = await model.ask(question, 'evaluation', AbortSignal.timeout(deadlineMs));
    const ms = performance.now() - began;
    if (answer.outcome === 'done') return read(side, question, answer.value, answer.cost, ms);
    // Only what was surely not paid for is asked again: so the bound holds.
    const passes = answer.outcome === 'retry' && answer.refused && openaiCodes('busy').includes(answer.code);
    if (!passes || tries === MOST_TRIES) return { error: answer.code };
    await wait(Math.min(answer.afterMs ?? tries * 1_000, LONGEST_WAIT_MS));
  }
}

type Cost = Extract<Answer, { outcome: 'done' }>['cost'];

function read({ ask }: Side, { text }: { text: string }, reply: Reply, cost: Cost, ms: number): Asked {
  const { tokens } = reply;
  return { ...takenOf(ask, text, reply), tokens, ms, ...(typeof cost?.usd === 'number' ? { usd: cost.usd } : {}) };
}

/** An answer as the hub would take it: it must fit its schema, and what nothing bears out goes by the ask. */
export function takenOf(
  ask: Pick<AskFile, 'answer' | 'supported' | 'unsupported'>,
  text: string,
  { finish, content }: { finish: string; content: string },
): { answer: Record<string, unknown> } | { error: string } {
  if (finish !== 'stop') return { error: finish };
  const found = readAnswer(ask, content);
  if ('error' in found) return { error: 'schema' };
  const { supported = [], unsupported = 'leave-out' } = ask;
  const places = unsupportedIn(found.answer, supported, text);
  if (places.length > 0 && unsupported === 'fail') return { error: 'unsupported' };
  return { answer: unsupported === 'leave-out' ? withoutUnsupported(found.answer, places) : found.answer };
}
