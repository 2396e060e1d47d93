import type { OneEnrichmentEvent } from '#libs/contracts';
import { type Decision, nothing } from '#libs/process';
import { type AskStep, goesOnAs, GONE, readAnswer, stepOf, type Whereabouts, withoutUnsupported } from '#libs/recipes';
import type { EnrichmentInput, Reply } from './enrichment-input';
import {
  aboutOf,
  ASK_AGAIN,
  byCause,
  chainOf,
  type Enrichment,
  type Enrichments,
  READ_AGAIN,
  reading,
} from './enrichments';

/** What an answer says, if it can be believed; if not, it is asked for once more or the enrichment fails. */
export function onAnswer(
  enrichments: Enrichments,
  where: Whereabouts,
  input: EnrichmentInput & { type: 'answered' },
): Decision<OneEnrichmentEvent> {
  const enrichment = byCause(enrichments, input.rootCause);
  if (!enrichment || !isAwaited(enrichment, input.purpose)) return nothing();
  const { ended } = input;
  if (ended.state === 'held') return nothing();
  if (ended.state === 'superseded' || where.forgotten) return gone(enrichment);
  if (ended.state !== 'done') return fail(enrichment, ended.code, refusals[ended.code] ?? REFUSED);
  return onReply(enrichment, where, input, ended.answer);
}

function onReply(
  enrichment: Enrichment,
  where: Whereabouts,
  input: EnrichmentInput & { type: 'answered' },
  { finish, content, model, tokens, unsupported = [] }: Reply,
): Decision<OneEnrichmentEvent> {
  if (finish !== 'stop') return fail(enrichment, finish, endings[finish]);
  const step = stepOf(input.recipe, 'ask');
  if (!step) return fail(enrichment, 'recipe-gone', `recipe ${enrichment.recipe} asks nothing any more`);
  const read = readAnswer(step, content);
  if ('error' in read) return misread(enrichment, where, input, { step, tokens, reason: read.error });
  if (unsupported.length > 0 && step.unsupported === 'fail')
    return fail(enrichment, 'unsupported', `nothing that the model was told bears out ${unsupported.join(', ')}`);
  const answer = step.unsupported === 'leave-out' ? withoutUnsupported(read.answer, unsupported) : read.answer;
  const data = {
    ...{ ...aboutOf(enrichment), ask: step.name, model, answer, tokens, ...chainOf(enrichment) },
    ...(unsupported.length > 0 ? { unsupported } : {}),
  };
  return { events: [{ type: 'EnrichmentCompleted', data }] };
}

// A late answer may follow a failure. Behind an answer that was misread only the next one counts.
function isAwaited({ status }: Enrichment, purpose: string): boolean {
  if (status === 'failed') return true;
  return status === (purpose === ASK_AGAIN ? 'misread' : 'prepared');
}

/** What does not fit is asked for once more, of the record as it is now. */
function misread(
  enrichment: Enrichment,
  where: Whereabouts,
  { recipe, record, purpose }: EnrichmentInput & { type: 'answered' },
  { step, tokens, reason }: { step: AskStep; tokens: Reply['tokens']; reason: string },
): Decision<OneEnrichmentEvent> {
  if (!recipe || purpose === ASK_AGAIN || enrichment.status === 'failed') return fail(enrichment, 'schema', reason);
  const told = reason.slice(0, MOST_MISFIT);
  return {
    events: [{ type: 'EnrichmentMisread', data: { ...aboutOf(enrichment), code: 'schema', reason: told, tokens } }],
    effects: [reading(recipe, step, goesOnAs(record, where), where, READ_AGAIN)],
  };
}

const MOST_MISFIT = 300;
export const REFUSED = 'OpenAI refused the request';
const refusals: Readonly<Partial<Record<string, string>>> = {
  schema: 'the answer does not fit its schema, nor did the one before',
};

export const endings = {
  refusal: 'the model refused to answer',
  length: 'the answer was cut off',
  content_filter: 'the content filter stopped the answer',
};

// A late answer may follow a failure; a second failure says nothing new.
export const fail = (enrichment: Enrichment, code: string, reason: string): Decision<OneEnrichmentEvent> =>
  enrichment.status === 'failed'
    ? nothing()
    : { events: [{ type: 'EnrichmentFailed', data: { ...aboutOf(enrichment), code, reason } }] };

export const gone = (enrichment: Enrichment): Decision<OneEnrichmentEvent> => fail(enrichment, GONE.code, GONE.reason);
