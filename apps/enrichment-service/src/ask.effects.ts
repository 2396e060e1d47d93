import { type Answer, type CallRecord, type Cost, openaiCodes } from '#libs/contracts';
import type { VendorWatch } from '#libs/platform';
import { type CallContext, type EffectKind, type Lane, plus, type SpendEstimate } from '#libs/process';
import { askNamed, readAnswer, unsupportedIn } from '#libs/recipes';
import { BATCH_RATE, OpenAiClient, type OpenAiSettings, type Question, type Reply, usdFor } from '#libs/vendors/openai';
import type { EnrichmentConfig } from './enrichment.config';
import { CONTEXT_CALLS } from './enrichments';
import { observed } from './model-telemetry';
import { stoppedBy } from './openai-account';

/** How the model is called, whatever it is asked. */
export interface Model {
  /** The models that live recipes ask: plans must bound what a question costs before it is known. */
  asked(): readonly string[];
  /** The model that sums up. */
  summaryModel: string;
  calling: Omit<EffectKind, 'perform'>;
  answered(question: Question, call: CallContext): Promise<Answer<Reply>>;
  /** What a call to the dearest of these models costs at most that tells so many characters: four are about one token. */
  mostFor(models: readonly string[], characters: number, lane: Lane): Cost;
  /** What a call costs at most that says these texts; undefined where no price is known, or nothing is paid. */
  priceOf(model: string, ...texts: string[]): SpendEstimate | undefined;
}

/** Of answers that nothing pays for, or whose key is not taken, all wait, and one at a time is tried; that is told once. */
export function modelAt(
  config: EnrichmentConfig,
  account: VendorWatch,
  asked: () => readonly string[] = () => [],
): Model {
  const openai = new OpenAiClient(settingsOf(config));
  // What the model will say is not known before; four characters are about one token. Of a batch half is paid, unless it is
  // asked singly where there is none.
  const mostFor = (models: readonly string[], characters: number, lane: Lane): Cost => {
    const tokens = { input: Math.ceil(characters / 4), output: config.OPENAI_MOST_TOKENS };
    const rate = lane === 'batch' && config.OPENAI_BATCH_ELSE === 'wait' ? BATCH_RATE : 1;
    const prices = models.map((one) => usdFor(one, tokens, { agreed: config.OPENAI_PRICES, rate }));
    const usd = prices.every((price) => price !== undefined) ? { usd: Math.max(0, ...prices) } : {};
    return { inputTokens: tokens.input, outputTokens: tokens.output, ...usd };
  };
  // A token is no less than a byte: a budget is never overspent by what was thought too little.
  const priceOf = (model: string, ...texts: string[]): SpendEstimate | undefined => {
    const tokens = { input: FRAME_TOKENS + Buffer.byteLength(texts.join('')), output: config.OPENAI_MOST_TOKENS };
    const usd = usdFor(model, tokens, { agreed: config.OPENAI_PRICES });
    return usd === undefined || usd === 0 ? undefined : { usd };
  };
  const calling = {
    is: 'command',
    deadlineMs: config.OPENAI_DEADLINE,
    maxAttempts: 5,
    maxRepeats: 1,
    limits: [
      {
        ...{ name: 'minutely', most: config.OPENAI_PER_MINUTE, perMs: 60_000 },
        pausedBy: [...openaiCodes('busy')],
        stoppedBy: [...openaiCodes('unpaid'), ...openaiCodes('unauthorized')],
      },
      // A call counts until its window after its end: so short a one makes this the number of calls at once.
      { name: 'at-once', most: config.OPENAI_AT_ONCE, perMs: 1 },
    ],
  } satisfies Model['calling'];
  const answered = async (question: Question, { tenant, signal, repeats }: CallContext): Promise<Answer<Reply>> => {
    const answer = await observed(question, () => openai.ask(question, tenant, signal));
    account.answered(answer);
    if (answer.outcome === 'done') return withRecord(question, paidFor(answer, 1 + repeats));
    return stoppedBy(answer) ? ({ ...answer, afterMs: config.OPENAI_RETRY_AFTER } as Answer<Reply>) : answer;
  };
  return { asked, summaryModel: config.OPENAI_SUMMARY_MODEL, calling, answered, mostFor, priceOf };
}

/** Where the model is, and how it is asked. */
export const settingsOf = (config: EnrichmentConfig): OpenAiSettings => ({
  baseUrl: config.OPENAI_BASE_URL,
  apiKey: config.OPENAI_API_KEY,
  api: config.OPENAI_API,
  structure: config.OPENAI_STRUCTURE,
  isCompatible: config.OPENAI_COMPATIBLE,
  mostTokens: config.OPENAI_MOST_TOKENS,
  ...(config.OPENAI_PRICES && { prices: config.OPENAI_PRICES }),
});

/** The call by which the model is asked about a record. */
export function askingTheModel({ calling, answered, mostFor, priceOf }: Model): EffectKind {
  const asking = ({ model, instruction, text }: Asked, lane: Lane): Cost =>
    mostFor([model], instruction.length + text.length, lane);
  return {
    ...calling,
    // What else the question says counts as well, the version of its ask above all.
    shares: ({ model, name, instruction, text, schema, ...further }: Asked) =>
      JSON.stringify([model, name, instruction, schema, text, ...(Object.keys(further).length > 0 ? [further] : [])]),
    spend: {
      estimate: ({ model, instruction, text, schema }: Asked) =>
        priceOf(model, instruction, text, JSON.stringify(schema)),
    },
    plan: {
      cost: (question: Asked, lane) => plus(asking(question, lane), { apiCalls: 1 }),
      // Where an answer does not fit: the record is read once more, with all that is told, and the model asked once more.
      follows: (question: Asked, lane) =>
        question.misfit === undefined ? plus(asking(question, lane), { apiCalls: 1 + CONTEXT_CALLS }) : {},
    },
    async perform(question: Asked, call) {
      const answer = await answered(question, call);
      return answer.outcome === 'done' ? checked(question, answer) : answer;
    },
  };
}

/** An answer with what is kept of it: how it came to be, and, sealed, what was asked and what was said. */
export function withRecord(question: Question & Pick<Asked, 'ask'>, done: Done): Done {
  const { name, ask, model, instruction, text, schema, misfit } = question;
  const { finish, content, model: answered, tokens } = done.value;
  const version = ask === undefined ? undefined : askNamed(ask).version;
  const usd = done.cost?.usd;
  const record: CallRecord = {
    facts: {
      ...{ ask: name, ...(version === undefined ? {} : { version }), model, answered, finish },
      ...{ inputTokens: tokens.input, outputTokens: tokens.output, ...(usd === undefined ? {} : { usd }) },
    },
    sealed: { instruction, text, schema, ...(misfit === undefined ? {} : { misfit }), answer: content },
  };
  return { ...done, record };
}

// What stands around a question, in tokens: the roles, and the words for a second try.
const FRAME_TOKENS = 500;

/** An answer of a call that was repeated: each of the calls before it may have been paid for as well. */
function paidFor(done: Done, calls: number): Done {
  if (!done.cost || calls === 1) return done;
  return { ...done, cost: Object.fromEntries(Object.entries(done.cost).map(([unit, n]) => [unit, n * calls])) };
}

/**
 * A question, the fields of its answer that must stand in what is told, that itself where its summary is told, and the ask
 * of a file that it is, by name and version.
 */
export type Asked = Question & { supported?: string[]; original?: string; ask?: string };

/** An answer that is of no use: it is paid for all the same, and its record is kept. */
export const useless = ({ cost, record, value }: Done): Answer => ({
  ...{ outcome: 'stop', code: 'schema', message: value.content },
  ...(cost ? { cost } : {}),
  ...(record ? { record } : {}),
});

export type Done = Answer<Reply> & { outcome: 'done' };

/**
 * Looks at an answer while what was told is at hand, which no receipt keeps: what does not stand there is named. An answer
 * that fits its schema no better than the one before is none: it waits among the dead letters, with what it says.
 */
export function checked(question: Asked, answer: Done): Answer {
  const { supported, schema, text, original = text, misfit } = question;
  const { finish, content } = answer.value;
  if (finish !== 'stop' || (!supported && misfit === undefined)) return answer;
  const read = readAnswer({ answer: schema as { type: 'object'; properties: Record<string, unknown> } }, content);
  if ('error' in read) return misfit === undefined ? answer : useless(answer);
  const unsupported = unsupportedIn(read.answer, supported ?? [], original);
  return unsupported.length > 0 ? { ...answer, value: { ...answer.value, unsupported } } : answer;
}
