import { type Pool, tellUnsealed, type WholeCall, wholeCalls } from '#libs/event-store';
import { mostSealedBytes, OwnKeys, SealBroken, Sealer } from '#libs/platform';
import { type AskFile, type AskRow, type Label, labelFrom } from '#libs/recipes';
import { z } from 'zod';
import { askedAs, openQuestion, QUESTION, type SealedQuestion } from '../sealed-questions';
import { type Asked, takenOf } from './asking';
import { countsText } from './report';

/** Which recorded inputs of an ask are wanted: the newest so many. */
export interface RecordedWanted {
  /** The ask by its name; whatever version it was asked in. */
  ask: string;
  most: number;
  tenant?: string;
  since?: string;
}

/** What is said of recorded inputs before any of them is opened. */
export interface RecordedFound {
  ask: string;
  found: number;
  /** How many are of no use, by the reason. */
  leftOut: Record<string, number>;
}

/** What is said of recorded inputs that were opened. */
export interface Recorded extends RecordedFound {
  used: number;
  /** How many were asked in which version, where it is known, and answered by which model. */
  askedAs: Record<string, number>;
  models: Record<string, number>;
  /** Of which time they are, RFC 3339. */
  from: string;
  to: string;
  /** Fields that nothing could be compared with: answered then alone, or only now. */
  onlyThen: string[];
  onlyNow: string[];
}

/** What is kept of a call in the open. */
const factsSchema = z.object({
  answered: z.string(),
  finish: z.string(),
  inputTokens: z.number(),
  outputTokens: z.number(),
  usd: z.number().optional(),
  tookMs: z.number().optional(),
});

const answerSchema = z.looseObject({ type: z.literal('object'), properties: z.record(z.string(), z.unknown()) });

/** The recorded calls of an ask, newest first, none of them opened. Rejects where there are none, with what that may come from. */
export async function recordedCalls(pool: Pool, { ask, most, tenant, since }: RecordedWanted): Promise<WholeCall[]> {
  const within = { ...(tenant === undefined ? {} : { tenant }), ...(since === undefined ? {} : { since }) };
  const calls = await wholeCalls(pool, { kind: QUESTION, facts: { ask }, limit: most, ...within });
  if (calls.length > 0) return calls;
  const where = [tenant === undefined ? '' : ` of ${tenant}`, since === undefined ? '' : ` since ${since}`].join('');
  throw new Error(
    `no input of ${ask} is recorded${where} (no-records): it was not asked, its days are over (REASONING_DAYS), or ` +
      'enrichment-service has no SEALING_KEY; `refrain reasoning ls` lists what there is',
  );
}

/** Whether a call can be of use, as far as that is known without opening it. */
const isAnswered = ({ facts }: WholeCall): boolean => facts['finish'] === 'stop';

/** What recorded calls come to at most, without opening any: how many, and the bytes that each told at most. */
export function unopened(ask: string, calls: readonly WholeCall[]): { said: RecordedFound; told: number[] } {
  const usable = calls.filter(isAnswered);
  const leftOut = counted(calls.filter((call) => !isAnswered(call)).map(({ facts }) => String(facts['finish'])));
  return {
    said: { ask, found: calls.length, leftOut },
    told: usable.map(({ sealed }) => mostSealedBytes(sealed)),
  };
}

/** A recorded call, and what was sealed of it or why that is not known. */
export interface OpenedCall extends Pick<WholeCall, 'id' | 'at' | 'facts'> {
  question: SealedQuestion | 'no-key' | 'unreadable' | 'not-opened';
}

/**
 * Opens the calls that had an answer, all of which is told on the log before any is opened. Rejects, with nothing told,
 * where no key is there for any of them.
 */
export async function openCalls(
  pool: Pool,
  calls: readonly WholeCall[],
  keys: readonly Buffer[],
  looking: { by: string; why: string },
): Promise<OpenedCall[]> {
  const sealer = new Sealer(new OwnKeys(keys));
  const answered = calls.filter(isAnswered);
  const withKey = new Set<WholeCall>();
  for (const call of answered) if (await sealer.hasKeyOf(call.sealed)) withKey.add(call);
  if (withKey.size === 0 && answered.length > 0)
    throw new Error(
      `none of ${String(answered.length)} recorded inputs was sealed by the keys of SEALING_KEY (wrong-key): set it as ` +
        'enrichment-service has it, former keys behind the new one',
    );
  await tellUnsealed(pool, [...withKey], looking);
  const opened: OpenedCall[] = [];
  for (const call of calls) {
    const { id, at, facts } = call;
    const question = withKey.has(call) ? await opening(sealer, call) : isAnswered(call) ? 'no-key' : 'not-opened';
    opened.push({ id, at, facts, question });
  }
  return opened;
}

async function opening(sealer: Sealer, call: WholeCall): Promise<OpenedCall['question']> {
  try {
    return await openQuestion(sealer, call);
  } catch (error) {
    if (error instanceof SealBroken) return 'unreadable';
    throw error;
  }
}

/** Recorded inputs as rows, what was answered to each then in the place of its label. */
export interface RecordedInputs {
  said: Recorded;
  rows: AskRow[];
  came: Asked[];
}

/**
 * Makes rows of recorded calls, for an ask that is to answer them. A call whose answer was none that the hub could take is
 * left out, and so is one whose text is another's of before: it is asked once. Throws where none is left. Pure.
 */
export function recordedInputs(name: string, ask: AskFile, calls: readonly OpenedCall[]): RecordedInputs {
  const leftOut: string[] = [];
  const used: Used[] = [];
  const texts = new Set<string>();
  for (const call of calls) {
    const one = usedOf(ask, call);
    if ('error' in one) leftOut.push(one.error);
    else if (texts.has(one.text)) leftOut.push('same-input');
    else {
      texts.add(one.text);
      used.push(one);
    }
  }
  const why = counted(leftOut);
  const [newest, oldest] = [used[0], used.at(-1)];
  if (!newest || !oldest)
    throw new Error(
      `none of ${String(calls.length)} recorded inputs of ${name} can be used (${countsText(why)}); ` +
        'take more of them, such as --recorded 1000',
    );
  const [then, now] = [new Set(used.flatMap(({ answer }) => Object.keys(answer))), Object.keys(ask.answer.properties)];
  return {
    said: {
      ...{ ask: name, found: calls.length, used: used.length, leftOut: why },
      askedAs: counted(used.map((one) => one.askedAs)),
      models: counted(used.map(({ model }) => model)),
      ...{ from: oldest.at.toISOString(), to: newest.at.toISOString() },
      onlyThen: [...then].filter((field) => !now.includes(field)),
      onlyNow: now.filter((field) => !then.has(field)),
    },
    rows: used.map(({ id, text, answer }) => ({
      name: id,
      label: labelsFrom(ask, answer),
      textFor: () => text,
      missing: () => [],
    })),
    came: used.map(({ answer, took }) => ({ answer, ...took })),
  };
}

interface Used {
  id: string;
  at: Date;
  askedAs: string;
  model: string;
  text: string;
  answer: Record<string, unknown>;
  took: Pick<Asked, 'tokens' | 'usd' | 'ms'>;
}

function usedOf(ask: AskFile, { id, at, facts, question }: OpenedCall): Used | { error: string } {
  const known = factsSchema.safeParse(facts).data;
  if (!known || question === 'unreadable') return { error: 'unreadable' };
  const { answered: model, finish, inputTokens: input, outputTokens: output, usd, tookMs } = known;
  if (question === 'not-opened') return { error: finish };
  if (question === 'no-key') return { error: question };
  const { text, answer: content, schema } = question;
  const answer = answerSchema.safeParse(schema).data;
  if (!answer) return { error: 'unreadable' };
  // By its own schema, and for the rest as the new answers are: so both are taken alike.
  const { supported, unsupported } = ask;
  const taken = takenOf({ answer, supported, unsupported }, text, { finish, content });
  if ('error' in taken) return taken;
  const took = {
    tokens: { input, output },
    ...(usd === undefined ? {} : { usd }),
    ...(tookMs === undefined ? {} : { ms: tookMs }),
  };
  return { ...{ id, at, askedAs: askedAs(facts), model, text, took }, answer: taken.answer };
}

/** What was answered then, as labels of the fields that are answered now, too. */
function labelsFrom({ answer: { properties } }: AskFile, answer: Record<string, unknown>): Record<string, Label> {
  const labels = Object.entries(answer).flatMap(([field, value]) => {
    const label = Object.hasOwn(properties, field) ? labelFrom(properties[field], value) : undefined;
    return label === undefined ? [] : [[field, label] as const];
  });
  return Object.fromEntries(labels);
}

function counted(all: readonly string[]): Record<string, number> {
  return Object.fromEntries([...Map.groupBy(all, (one) => one)].map(([one, same]) => [one, same.length]));
}

/** What was found, as lines for people. */
export function foundLines({ ask, found, leftOut }: RecordedFound): string[] {
  const without = countsText(leftOut);
  return [`${String(found)} recorded inputs of ${ask}${without === '' ? '' : `; left out: ${without}`}`];
}

/** What was opened, as lines for people. */
export function recordedLines(said: Recorded): string[] {
  const { used, from, to, onlyThen, onlyNow } = said;
  const answers = `${String(used)} are used, of ${from} to ${to}: asked as ${countsText(said.askedAs)}, answered by ${countsText(said.models)}`;
  return [
    ...foundLines(said),
    answers,
    ...(onlyThen.length > 0 ? [`answered then alone, not compared: ${onlyThen.join(', ')}`] : []),
    ...(onlyNow.length > 0 ? [`not answered then, not compared: ${onlyNow.join(', ')}`] : []),
  ];
}
