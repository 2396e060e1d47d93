import { type Answer, type Cost, openaiCodes } from '#libs/contracts';
import type { EffectKind } from '#libs/process';
import { LONGEST_INSTRUCTION, readAnswer, unsupportedIn } from '#libs/recipes';
import { OpenAiClient, type Question, type Reply } from '#libs/vendors/openai';
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
    plan: {
      cost: ({ instruction, text }: Asked) => ({ ...tokensFor(instruction.length + text.length), apiCalls: 1 }),
      follows: ({ instruction, text, misfit }: Asked) =>
        misfit === undefined ? askedAgain(instruction.length + text.length) : {},
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
    mostAfterReading(texts) {
      // A question to the model, or to another system, whose record may be read and which may be asked once more.
      const { inputTokens, outputTokens } = tokensFor(LONGEST_INSTRUCTION + texts * LONGEST_TEXT);
      return { inputTokens: 2 * inputTokens, outputTokens: 2 * outputTokens, apiCalls: 4 };
    },
  };
}

// In characters: HubSpot's own limit of a text property's value and of a note.
const LONGEST_TEXT = 65_536;

/**
 * A question, the fields of its answer that must stand in what is told, and the ask of a file that it is, by name and
 * version.
 */
type Asked = Question & { supported?: string[]; ask?: string };

type Done = Answer<Reply> & { outcome: 'done' };

/**
 * Looks at an answer while what was told is at hand, which no receipt keeps: what does not stand there is named. An answer
 * that fits its schema no better than the one before is none: it waits among the dead letters, with what it says.
 */
function checked(question: Asked, answer: Done): Answer {
  const { supported, schema, text, misfit } = question;
  const { finish, content } = answer.value;
  if (finish !== 'stop' || (!supported && misfit === undefined)) return answer;
  const read = readAnswer({ answer: schema as { type: 'object'; properties: Record<string, unknown> } }, content);
  if ('error' in read) return misfit === undefined ? answer : { outcome: 'stop', code: 'schema', message: content };
  const unsupported = unsupportedIn(read.answer, supported ?? [], text);
  return unsupported.length > 0 ? { ...answer, value: { ...answer.value, unsupported } } : answer;
}
