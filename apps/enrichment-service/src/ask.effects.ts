import { type Answer, type Cost, openaiCodes } from '#libs/contracts';
import type { CallContext, EffectKind } from '#libs/process';
import { dataOf, MOST_CHARACTERS, MOST_PARTS, PART, readAnswer, unsupportedIn } from '#libs/recipes';
import { OpenAiClient, type Question, type Reply } from '#libs/vendors/openai';
import { accountAlerts, type Lines, stoppedBy } from './account-alerts';
import type { EnrichmentConfig } from './enrichment.config';
import { CONTEXT_CALLS, MOST_ROUNDS } from './enrichments';
import { observed } from './model-telemetry';

/**
 * The call by which the model is asked, and what may be spent at most once a record is read. Of answers that nothing pays
 * for, or whose key is not taken, all wait, and one at a time is tried; that is told once.
 */
export function askingTheModel(
  config: EnrichmentConfig,
  lines: Lines,
): { ask: EffectKind; summarise: EffectKind; mostAfterReading: (texts: number) => Cost } {
  const openai = new OpenAiClient({
    baseUrl: config.OPENAI_BASE_URL,
    apiKey: config.OPENAI_API_KEY,
    api: config.OPENAI_API,
    structure: config.OPENAI_STRUCTURE,
    isCompatible: config.OPENAI_COMPATIBLE,
    mostTokens: config.OPENAI_MOST_TOKENS,
  });
  const alerts = accountAlerts(lines);
  // What the model will say is not known before; four characters are about one token.
  const tokensFor = (characters: number) => ({
    inputTokens: Math.ceil(characters / 4),
    outputTokens: config.OPENAI_MOST_TOKENS,
  });
  // Where an answer does not fit: the record is read once more, with its notes, and the model asked once more.
  const askedAgain = (characters: number): Cost => ({ ...tokensFor(characters), apiCalls: 1 + CONTEXT_CALLS });
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
  } satisfies Partial<EffectKind>;
  const answered = async (question: Question, { tenant, signal }: CallContext): Promise<Answer<Reply>> => {
    const answer = await observed(question, () => openai.ask(question, tenant, signal));
    alerts.answered(answer);
    return stoppedBy(answer) ? ({ ...answer, afterMs: config.OPENAI_RETRY_AFTER } as Answer<Reply>) : answer;
  };
  // What all summaries cost at most that readings of one record lead to, and what is read behind them.
  const summing = (texts: number, characters: number): Cost => {
    const parts = MOST_ROUNDS * Math.min(MOST_PARTS, texts + Math.ceil(characters / PART));
    const each = tokensFor(SUMMING_UP.length + AROUND_DATA);
    return {
      inputTokens: parts * each.inputTokens + MOST_ROUNDS * tokensFor(characters).inputTokens,
      outputTokens: parts * each.outputTokens,
      apiCalls: parts + MOST_ROUNDS * CONTEXT_CALLS,
    };
  };
  // A question to the model, or to another system, whose record may be read and which may be asked once more.
  const mostAfterReading = (texts: number): Cost => {
    const characters = Math.min(MOST_CHARACTERS, texts * LONGEST_TEXT);
    const { inputTokens, outputTokens } = tokensFor(LONGEST_INSTRUCTION + characters);
    const asked = { inputTokens: 2 * inputTokens, outputTokens: 2 * outputTokens, apiCalls: 2 + CONTEXT_CALLS };
    return added(asked, summing(texts, characters));
  };
  const summarise: EffectKind = {
    ...calling,
    // The same text is summed up once, whichever record, recipe or question it is told for.
    shares: ({ text }: PartAsked) => JSON.stringify([config.OPENAI_SUMMARY_MODEL, SUMMING_UP, text]),
    plan: {
      cost: ({ text }: PartAsked) => ({ ...tokensFor(SUMMING_UP.length + AROUND_DATA + text.length), apiCalls: 1 }),
      // The last summary leads on to all that a reading leads to; which one that is, nobody knows before.
      follows: () => added(mostAfterReading(MOST_PARTS), { apiCalls: CONTEXT_CALLS }),
    },
    async perform({ text }: PartAsked, call) {
      const answer = await answered(
        {
          name: 'summary',
          model: config.OPENAI_SUMMARY_MODEL,
          instruction: SUMMING_UP,
          text: dataOf(text),
          schema: SUMMARY,
        },
        call,
      );
      return answer.outcome === 'done' ? summaryOf(answer) : answer;
    },
  };
  const ask: EffectKind = {
    ...calling,
    shares: ({ model, name, instruction, text, schema, ...further }: Asked) =>
      JSON.stringify([model, name, instruction, schema, text, ...(Object.keys(further).length > 0 ? [further] : [])]),
    plan: {
      cost: ({ instruction, text }: Asked) => ({ ...tokensFor(instruction.length + text.length), apiCalls: 1 }),
      follows: ({ instruction, text, misfit }: Asked) =>
        misfit === undefined ? askedAgain(instruction.length + text.length) : {},
    },
    async perform(question: Asked, call) {
      const answer = await answered(question, call);
      return answer.outcome === 'done' ? checked(question, answer) : answer;
    },
  };
  return { ask, summarise, mostAfterReading };
}

/** Sums, by unit. */
const added = (one: Cost, other: Cost): Cost => ({
  inputTokens: (one.inputTokens ?? 0) + (other.inputTokens ?? 0),
  outputTokens: (one.outputTokens ?? 0) + (other.outputTokens ?? 0),
  apiCalls: (one.apiCalls ?? 0) + (other.apiCalls ?? 0),
});

/** A part of a text that is longer than one question may hold. */
interface PartAsked {
  text: string;
}

const SUMMING_UP =
  'You sum up one part of a longer text about a record of a CRM, so that questions can be answered without the text. ' +
  'Keep what was said and by whom: every name, amount, number, date, request, objection, decision and agreed step, and the ' +
  'mood; quote decisive sentences word for word. Leave out greetings and repetitions. Write at most 350 words, in the ' +
  'language of the text, and add nothing that does not stand there.';
const SUMMARY = {
  type: 'object' as const,
  additionalProperties: false,
  required: ['summary'],
  properties: { summary: { type: 'string' } },
};

/** A summary out of an answer. One that cannot be read is none: it waits among the dead letters. */
function summaryOf({ value, ...answer }: Done): Answer {
  const { finish, content, model, tokens } = value;
  if (finish !== 'stop') return { ...answer, value: { finish, summary: '', model, tokens } };
  const read = readAnswer({ answer: SUMMARY }, content);
  if ('error' in read) return { outcome: 'stop', code: 'schema', message: content };
  return { ...answer, value: { finish, summary: String(read.answer['summary']), model, tokens } };
}

// In characters: HubSpot's own limit of a text property's value and of a note, and far more than a recipe's instruction.
const LONGEST_TEXT = 65_536;
const LONGEST_INSTRUCTION = 10_000;

/** The adapter's own words around what it tells. */
const AROUND_DATA = 400;

/** A question, the fields of its answer that must stand in what is told, and that itself where its summary is told. */
type Asked = Question & { supported?: string[]; original?: string };

type Done = Answer<Reply> & { outcome: 'done' };

/**
 * Looks at an answer while what was told is at hand, which no receipt keeps: what does not stand there is named. An answer
 * that fits its schema no better than the one before is none: it waits among the dead letters, with what it says.
 */
function checked(question: Asked, answer: Done): Answer {
  const { supported, schema, text, original = text, misfit } = question;
  const { finish, content } = answer.value;
  if (finish !== 'stop' || (!supported && misfit === undefined)) return answer;
  const read = readAnswer({ answer: schema as { type: 'object'; properties: Record<string, unknown> } }, content);
  if ('error' in read) return misfit === undefined ? answer : { outcome: 'stop', code: 'schema', message: content };
  const unsupported = unsupportedIn(read.answer, supported ?? [], original);
  return unsupported.length > 0 ? { ...answer, value: { ...answer.value, unsupported } } : answer;
}
