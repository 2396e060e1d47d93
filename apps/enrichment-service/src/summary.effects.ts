import type { Answer, Cost } from '#libs/contracts';
import { type EffectKind, type Lane, plus } from '#libs/process';
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
export function summingUp(model: Model): EffectKind {
  const { summaryModel, calling, answered, mostFor, priceOf } = model;
  return {
    ...calling,
    shares: ({ text }: PartAsked) => JSON.stringify([summaryModel, SUMMING_UP, text]),
    spend: {
      estimate: ({ text }: PartAsked) => priceOf(summaryModel, SUMMING_UP, dataOf(text), JSON.stringify(SUMMARY)),
    },
    plan: {
      cost: ({ text }: PartAsked, lane) =>
        plus(mostFor([summaryModel], SUMMING_UP.length + AROUND_DATA + text.length, lane), { apiCalls: 1 }),
      // The last summary leads on to all that a reading leads to; which one that is, nobody knows before.
      follows: (_part: PartAsked, lane) => plus(mostAfterReading(model, MOST_PARTS, lane), { apiCalls: CONTEXT_CALLS }),
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
 * record may be read and which may be asked once more, and all summaries before it. Summaries go by no batch.
 */
export function mostAfterReading({ asked, summaryModel, mostFor }: Model, texts: number, lane: Lane): Cost {
  const characters = Math.min(MOST_BYTES, texts * LONGEST_TEXT);
  const once = mostFor(asked(), LONGEST_INSTRUCTION + characters, lane);
  const parts = MOST_ROUNDS * Math.min(MOST_PARTS, texts + Math.ceil(characters / PART));
  const around = mostFor([summaryModel], SUMMING_UP.length + AROUND_DATA, 'live');
  const { outputTokens: _, ...told } = mostFor([summaryModel], characters, 'live');
  const calls: Cost = { apiCalls: 2 + CONTEXT_CALLS + parts + MOST_ROUNDS * CONTEXT_CALLS };
  const all = [times(2, once), times(parts, around), times(MOST_ROUNDS, told), calls];
  const { usd, ...most } = all.reduce<Cost>(plus, {});
  // Where one price is not known, none is.
  const isKnown = once.usd !== undefined && around.usd !== undefined && usd !== undefined;
  return isKnown ? { ...most, usd } : most;
}

const times = (n: number, cost: Cost): Cost =>
  Object.fromEntries(Object.entries(cost).map(([unit, amount]) => [unit, n * amount]));
