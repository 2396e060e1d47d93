import { type Answer, type Cost, openaiCodes } from '#libs/contracts';
import { type EffectKind, type Lane, plus } from '#libs/process';
import { readAnswer, unsupportedIn } from '#libs/recipes';
import { BATCH_RATE, OpenAiClient, type OpenAiSettings, type Question, type Reply, usdFor } from '#libs/vendors/openai';
import { type AccountAlerts, stoppedBy } from './account-alerts';
import type { EnrichmentConfig } from './enrichment.config';
import { observed } from './model-telemetry';

/**
 * The call by which the model is asked, and what may be spent at most once a record is read. Of answers that nothing pays
 * for, or whose key is not taken, all wait, and one at a time is tried; that is told once.
 */
export function askingTheModel(
  config: EnrichmentConfig,
  alerts: AccountAlerts,
  models: () => readonly string[],
): { ask: EffectKind; mostAfterReading: (texts: number, lane: Lane) => Cost } {
  const openai = new OpenAiClient(settingsOf(config));
  // What the model will say is not known before; four characters are about one token. Of a batch half is paid, unless it is
  // asked singly where there is none.
  const mostFor = (model: readonly string[], characters: number, lane: Lane): Cost => {
    const tokens = { input: Math.ceil(characters / 4), output: config.OPENAI_MOST_TOKENS };
    const rate = lane === 'batch' && config.OPENAI_BATCH_ELSE === 'wait' ? BATCH_RATE : 1;
    const prices = model.map((one) => usdFor(one, tokens, rate));
    const usd = prices.every((price) => price !== undefined) ? { usd: Math.max(0, ...prices) } : {};
    return { inputTokens: tokens.input, outputTokens: tokens.output, ...usd };
  };
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
    shares: ({ model, name, instruction, text, schema, ...further }: Asked) =>
      JSON.stringify([model, name, instruction, schema, text, ...(Object.keys(further).length > 0 ? [further] : [])]),
    plan: {
      cost: ({ model, instruction, text }: Asked, lane) => ({
        ...mostFor([model], instruction.length + text.length, lane),
        apiCalls: 1,
      }),
      // Where an answer does not fit: the record is read once more, with its notes, and the model asked once more.
      follows: ({ model, instruction, text, misfit }: Asked, lane) =>
        misfit === undefined ? { ...mostFor([model], instruction.length + text.length, lane), apiCalls: 3 } : {},
    },
    async perform(question: Asked, { tenant, signal }) {
      const answer = await observed(question, () => openai.ask(question, tenant, signal));
      alerts.answered(answer);
      if (answer.outcome === 'done') return checked(question, answer);
      return stoppedBy(answer) ? { ...answer, afterMs: config.OPENAI_RETRY_AFTER } : answer;
    },
  };
  return {
    ask,
    mostAfterReading(texts, lane) {
      // A question to the model, or to another system, whose record may be read and which may be asked once more.
      const once = mostFor(models(), LONGEST_INSTRUCTION + texts * LONGEST_TEXT, lane);
      return { ...plus(once, once), apiCalls: 4 };
    },
  };
}

/** Where the model is, and how it is asked. */
export const settingsOf = (config: EnrichmentConfig): OpenAiSettings => ({
  baseUrl: config.OPENAI_BASE_URL,
  apiKey: config.OPENAI_API_KEY,
  api: config.OPENAI_API,
  structure: config.OPENAI_STRUCTURE,
  isCompatible: config.OPENAI_COMPATIBLE,
  mostTokens: config.OPENAI_MOST_TOKENS,
});

// In characters: HubSpot's own limit of a text property's value and of a note, and far more than a recipe's instruction.
const LONGEST_TEXT = 65_536;
const LONGEST_INSTRUCTION = 10_000;

/** A question, and the fields of its answer that must stand in what is told. */
export type Asked = Question & { supported?: string[] };

type Done = Answer<Reply> & { outcome: 'done' };

/**
 * Looks at an answer while what was told is at hand, which no receipt keeps: what does not stand there is named. An answer
 * that fits its schema no better than the one before is none: it waits among the dead letters, with what it says.
 */
export function checked(question: Asked, answer: Done): Answer {
  const { supported, schema, text, misfit } = question;
  const { finish, content } = answer.value;
  if (finish !== 'stop' || (!supported && misfit === undefined)) return answer;
  const read = readAnswer({ answer: schema as { type: 'object'; properties: Record<string, unknown> } }, content);
  if ('error' in read) return misfit === undefined ? answer : { outcome: 'stop', code: 'schema', message: content };
  const unsupported = unsupportedIn(read.answer, supported ?? [], text);
  return unsupported.length > 0 ? { ...answer, value: { ...answer.value, unsupported } } : answer;
}
