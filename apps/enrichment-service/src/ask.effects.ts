import { type Answer, type Cost, openaiCodes } from '#libs/contracts';
import type { CallContext, EffectKind } from '#libs/process';
import { readAnswer, unsupportedIn } from '#libs/recipes';
import { OpenAiClient, type Question, type Reply } from '#libs/vendors/openai';
import { accountAlerts, type Lines, stoppedBy } from './account-alerts';
import type { EnrichmentConfig } from './enrichment.config';
import { CONTEXT_CALLS } from './enrichments';
import { observed } from './model-telemetry';

/** How the model is called, whatever it is asked. */
export interface Model {
  calling: Omit<EffectKind, 'perform'>;
  answered(question: Question, call: CallContext): Promise<Answer<Reply>>;
  /** What a call costs at most that tells so many characters: four are about one token. */
  tokensFor(characters: number): { inputTokens: number; outputTokens: number };
}

/** Of answers that nothing pays for, or whose key is not taken, all wait, and one at a time is tried; that is told once. */
export function modelAt(config: EnrichmentConfig, lines: Lines): Model {
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
  const answered = async (question: Question, { tenant, signal }: CallContext): Promise<Answer<Reply>> => {
    const answer = await observed(question, () => openai.ask(question, tenant, signal));
    alerts.answered(answer);
    return stoppedBy(answer) ? ({ ...answer, afterMs: config.OPENAI_RETRY_AFTER } as Answer<Reply>) : answer;
  };
  return { calling, answered, tokensFor };
}

/** The call by which the model is asked about a record. */
export function askingTheModel({ calling, answered, tokensFor }: Model): EffectKind {
  // Where an answer does not fit: the record is read once more, with its notes, and the model asked once more.
  const askedAgain = (characters: number): Cost => ({ ...tokensFor(characters), apiCalls: 1 + CONTEXT_CALLS });
  return {
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
}

/** A question, the fields of its answer that must stand in what is told, and that itself where its summary is told. */
type Asked = Question & { supported?: string[]; original?: string };

export type Done = Answer<Reply> & { outcome: 'done' };

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
