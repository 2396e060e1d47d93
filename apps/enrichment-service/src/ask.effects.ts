import { type Answer, type CallRecord, type Cost, openaiCodes } from '#libs/contracts';
import type { EffectKind } from '#libs/process';
import { LONGEST_INSTRUCTION, readAnswer, unsupportedIn } from '#libs/recipes';
import { OpenAiClient, type Question, type Reply, usdFor } from '#libs/vendors/openai';
import { accountAlerts, type Lines, stoppedBy } from './account-alerts';
import type { EnrichmentConfig } from './enrichment.config';
import { observed } from './model-telemetry';

/**
 * The call by which the model is asked, and what may be spent at most once a record is read. Of answers that nothing pays
 * for, or whose key is not taken, all wait, and one at a time is tried; that is told once.
 */
export function askingTheModel(
  config: EnrichmentConfig,
  lines: Lines,
): { ask: EffectKind; mostAfterReading: (texts: number) => Cost } {
  const openai = new OpenAiClient({
    baseUrl: config.OPENAI_BASE_URL,
    apiKey: config.OPENAI_API_KEY,
    api: config.OPENAI_API,
    structure: config.OPENAI_STRUCTURE,
    isCompatible: config.OPENAI_COMPATIBLE,
    mostTokens: config.OPENAI_MOST_TOKENS,
    ...(config.OPENAI_PRICES && { prices: config.OPENAI_PRICES }),
  });
  const alerts = accountAlerts(lines);
  // What the model will say is not known before; four characters are about one token.
  const tokensFor = (characters: number) => ({
    inputTokens: Math.ceil(characters / 4),
    outputTokens: config.OPENAI_MOST_TOKENS,
  });
  // Where an answer does not fit: the record is read once more, with its notes, and the model asked once more.
  const askedAgain = (characters: number): Cost => ({ ...tokensFor(characters), apiCalls: 3 });
  const ask: EffectKind = {
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
    // What else the question says counts as well, the version of its ask above all.
    shares: ({ model, name, instruction, text, schema, ...further }: Asked) =>
      JSON.stringify([model, name, instruction, schema, text, ...(Object.keys(further).length > 0 ? [further] : [])]),
    // A token is no less than a byte: a budget is never overspent by what was thought too little.
    spend: {
      estimate({ model, instruction, text, schema }: Asked) {
        const input = FRAME_TOKENS + Buffer.byteLength(instruction + text + JSON.stringify(schema));
        const tokens = { input, output: config.OPENAI_MOST_TOKENS };
        const usd = usdFor(model, tokens, config.OPENAI_PRICES);
        return usd === undefined || usd === 0 ? undefined : { usd };
      },
    },
    plan: {
      cost: ({ instruction, text }: Asked) => ({ ...tokensFor(instruction.length + text.length), apiCalls: 1 }),
      follows: ({ instruction, text, misfit }: Asked) =>
        misfit === undefined ? askedAgain(instruction.length + text.length) : {},
    },
    async perform(question: Asked, { tenant, signal, repeats }) {
      const answer = paidFor(await observed(question, () => openai.ask(question, tenant, signal)), 1 + repeats);
      alerts.answered(answer);
      if (answer.outcome === 'done') return { ...checked(question, answer), record: recordOf(question, answer) };
      return stoppedBy(answer) ? { ...answer, afterMs: config.OPENAI_RETRY_AFTER } : answer;
    },
  };
  return {
    ask,
    mostAfterReading(texts) {
      // A question to the model, or to another system, whose record may be read and which may be asked once more.
      const { inputTokens, outputTokens } = tokensFor(LONGEST_INSTRUCTION + texts * LONGEST_TEXT);
      return { inputTokens: 2 * inputTokens, outputTokens: 2 * outputTokens, apiCalls: 4 };
    },
  };
}

/** What is kept of an answer: how it came to be, and, sealed, what was asked and what was said. */
function recordOf({ name, model, instruction, text, schema, misfit }: Asked, { value, cost }: Done): CallRecord {
  const { finish, content, model: answered, tokens } = value;
  const facts = { ask: name, model, answered, finish, inputTokens: tokens.input, outputTokens: tokens.output };
  return {
    facts: { ...facts, ...(cost?.usd === undefined ? {} : { usd: cost.usd }) },
    sealed: { instruction, text, schema, ...(misfit === undefined ? {} : { misfit }), answer: content },
  };
}

// What stands around a question, in tokens: the roles, and the words for a second try.
const FRAME_TOKENS = 500;

/** An answer of a call that was repeated: each of the calls before it may have been paid for as well. */
function paidFor(answer: Answer<Reply>, calls: number): Answer<Reply> {
  if (answer.outcome !== 'done' || !answer.cost || calls === 1) return answer;
  const cost = Object.fromEntries(Object.entries(answer.cost).map(([unit, amount]) => [unit, amount * calls]));
  return { ...answer, cost };
}

// In characters: HubSpot's own limit of a text property's value and of a note.
const LONGEST_TEXT = 65_536;

/**
 * A question, the fields of its answer that must stand in what is told, and the ask of a file that it is, by name and
 * version.
 */
type Asked = Question & { supported?: string[]; ask?: string };

type Done = Answer<Reply> & { outcome: 'done' };

const misread = { outcome: 'stop', code: 'schema' } as const;

/**
 * Looks at an answer while what was told is at hand, which no receipt keeps: what does not stand there is named. An answer
 * that fits its schema no better than the one before is none: it waits among the dead letters, with what it says.
 */
function checked(question: Asked, answer: Done): Answer {
  const { supported, schema, text, misfit } = question;
  const { finish, content } = answer.value;
  if (finish !== 'stop' || (!supported && misfit === undefined)) return answer;
  const read = readAnswer({ answer: schema as { type: 'object'; properties: Record<string, unknown> } }, content);
  if ('error' in read) return misfit === undefined ? answer : { ...misread, message: content, cost: answer.cost ?? {} };
  const unsupported = unsupportedIn(read.answer, supported ?? [], text);
  return unsupported.length > 0 ? { ...answer, value: { ...answer.value, unsupported } } : answer;
}
