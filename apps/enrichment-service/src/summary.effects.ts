import type { Answer, Cost } from '#libs/contracts';
import type { EffectKind } from '#libs/process';
import { dataOf, LONGEST_INSTRUCTION, MOST_BYTES, MOST_PARTS, PART, readAnswer } from '#libs/recipes';
import { type Done, type Model, useless } from './ask.effects';
import { CONTEXT_CALLS, MOST_ROUNDS } from './enrichments';

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

/**
 * The call by which a part is summed up: once for the same text, whichever record, recipe or question it is told for. What
 * is asked of it is the same for all of them.
 */
export function summingUp(model: Model, summaryModel: string): EffectKind {
  const { calling, answered, tokensFor, priceOf } = model;
  return {
    ...calling,
    shares: ({ text }: PartAsked) => JSON.stringify([summaryModel, SUMMING_UP, text]),
    spend: {
      estimate: ({ text }: PartAsked) => priceOf(summaryModel, SUMMING_UP, dataOf(text), JSON.stringify(SUMMARY)),
    },
    plan: {
      cost: ({ text }: PartAsked) => ({ ...tokensFor(SUMMING_UP.length + AROUND_DATA + text.length), apiCalls: 1 }),
      // The last summary leads on to all that a reading leads to; which one that is, nobody knows before.
      follows: () => added(mostAfterReading(model, MOST_PARTS), { apiCalls: CONTEXT_CALLS }),
    },
    async perform({ text }: PartAsked, call) {
      const asked = {
        name: 'summary',
        model: summaryModel,
        instruction: SUMMING_UP,
        text: dataOf(text),
        schema: SUMMARY,
      };
      const answer = await answered(asked, call);
      return answer.outcome === 'done' ? summaryOf(answer) : answer;
    },
  };
}

/** A summary out of an answer. One that cannot be read, or says nothing, is none: it waits among the dead letters. */
function summaryOf(done: Done): Answer {
  const { value, ...answer } = done;
  const { finish, content, model, tokens } = value;
  if (finish !== 'stop') return { ...answer, value: { finish, summary: '', model, tokens } };
  const read = readAnswer({ answer: SUMMARY }, content);
  const summary = 'error' in read ? '' : String(read.answer['summary']).trim();
  if (summary === '') return useless(done);
  return { ...answer, value: { finish, summary, model, tokens } };
}

// In characters: HubSpot's own limit of a text property's value and of a note, and the adapter's own words around what it
// tells.
const LONGEST_TEXT = 65_536;
const AROUND_DATA = 400;

/**
 * What may be spent at most once so many texts of a record are read: a question to the model, or to another system, whose
 * record may be read and which may be asked once more, and all summaries before it.
 */
export function mostAfterReading(model: Model, texts: number): Cost {
  const { tokensFor } = model;
  const characters = Math.min(MOST_BYTES, texts * LONGEST_TEXT);
  const { inputTokens, outputTokens } = tokensFor(LONGEST_INSTRUCTION + characters);
  const asked = { inputTokens: 2 * inputTokens, outputTokens: 2 * outputTokens, apiCalls: 2 + CONTEXT_CALLS };
  const parts = MOST_ROUNDS * Math.min(MOST_PARTS, texts + Math.ceil(characters / PART));
  const each = tokensFor(SUMMING_UP.length + AROUND_DATA);
  return added(asked, {
    inputTokens: parts * each.inputTokens + MOST_ROUNDS * tokensFor(characters).inputTokens,
    outputTokens: parts * each.outputTokens,
    apiCalls: parts + MOST_ROUNDS * CONTEXT_CALLS,
  });
}

/** Sums, by unit. */
const added = (one: Cost, other: Cost): Cost => ({
  inputTokens: (one.inputTokens ?? 0) + (other.inputTokens ?? 0),
  outputTokens: (one.outputTokens ?? 0) + (other.outputTokens ?? 0),
  apiCalls: (one.apiCalls ?? 0) + (other.apiCalls ?? 0),
});
