import type { EnrichmentEvent, OneEnrichmentEvent } from '#libs/contracts';
import { Looked, type Lookup } from '#libs/expressions';
import { type Decision, nothing, type Owed } from '#libs/process';
import {
  askedNow,
  coolsDown,
  depthOf,
  goesOnAs,
  GONE,
  handedOn,
  isGone,
  isSameChange,
  type Known,
  labelOf,
  type LeftOut,
  LOOP,
  purposeOf,
  type Recipe,
  ruleOn,
  type Ruling,
  type StepDue,
  stepOf,
  type Whereabouts,
} from '#libs/recipes';
import { endings, fail, gone, onAnswer, REFUSED } from './answer.decider';
import type { AskDue, EnrichmentInput, ReadRecord } from './enrichment-input';
import {
  aboutOf,
  ASK,
  ASK_AGAIN,
  byCause,
  type Enrichment,
  type Enrichments,
  isAgain,
  MOST_ROUNDS,
  partIn,
  READ,
  reading,
  readOn,
  summing,
  unsummed,
} from './enrichments';
import { questionOf } from './question';

/** Asks the model about a record, by what is known of that. */
export function decideEnrichment(
  enrichments: Enrichments,
  known: Known,
  input: EnrichmentInput,
): Decision<EnrichmentEvent> {
  const { where } = known;
  switch (input.type) {
    case 'triggered':
      return onTrigger(enrichments, known, input.trigger);
    case 'read':
      return onRead(enrichments, where, input);
    case 'summarised':
      return onSummary(enrichments, where, input);
    case 'answered':
      return onAnswer(enrichments, where, input);
  }
}

// The same rule as for renders: one root cause, one enrichment; another one asks again unless the same content asked
// within the cool-down (protocol 7).
function onTrigger(enrichments: Enrichments, { where, triggers }: Known, trigger: AskDue): Decision<EnrichmentEvent> {
  const { recipe, step, record, rootCause, content, at, failed, results } = trigger;
  const read = reading(recipe, step, goesOnAs(record, where), where, READ);
  if (byCause(enrichments, rootCause)) return isGone(where, at) ? nothing() : { events: [], effects: [read] };
  if (enrichments.some((enrichment) => repeats(enrichment, trigger))) return nothing();
  const ruling = ruleOn(triggers, trigger);
  if (ruling.let === 'echo') return nothing();
  const about = {
    recipe: recipe.id,
    recipeVersion: recipe.version,
    enrichment: enrichments.length + 1,
    triggeredAt: at,
  };
  const requested: OneEnrichmentEvent = {
    type: 'EnrichmentRequested',
    data: { ...about, rootCause, content, ...handedOn(results), ...depthOf(ruling) },
  };
  const refused = ruling.let === 'cut' ? LOOP : failed;
  if (refused) {
    const rejected: EnrichmentEvent = { type: 'EnrichmentRejected', data: { ...about, ...refused } };
    return { events: [...cutBy(ruling, trigger), requested, rejected] };
  }
  if (isGone(where, at)) return { events: [requested, { type: 'EnrichmentFailed', data: { ...about, ...GONE } }] };
  return { events: [requested], effects: [read] };
}

/** That machines answer each other is told once. */
export const cutBy = (ruling: Ruling, { recipe, at }: StepDue): EnrichmentEvent[] =>
  ruling.let === 'cut' && !ruling.again ? [{ type: 'EnrichmentLoopCut', data: { recipe: recipe.id, at } }] : [];

/** What was asked of a record that goes on as another one, and was not answered, is asked of that one. */
function readingNow({ recipe, purpose }: EnrichmentInput & { type: 'read' }, where: Whereabouts): Owed | undefined {
  const step = stepOf(recipe, 'ask');
  const record = askedNow(purpose, where);
  return recipe && step && record ? reading(recipe, step, record, where, purposeOf(purpose)) : undefined;
}

function repeats({ content, triggeredAt: at, status }: Enrichment, due: AskDue): boolean {
  const said = { content, at };
  return isSameChange(said, due) || (status !== 'rejected' && coolsDown(said, due, due.recipe.coolDownMs));
}

// Read again (a replay, after a fix), the same enrichment is prepared again or its question stated once more: the ledger
// says whether that question is answered, changed or owed again. The same goes for the reading behind a misread answer, and
// for the one behind summaries.
function onRead(
  enrichments: Enrichments,
  where: Whereabouts,
  input: EnrichmentInput & { type: 'read' },
): Decision<OneEnrichmentEvent> {
  const enrichment = byCause(enrichments, input.rootCause);
  if (!enrichment) return nothing();
  const again = isAgain(purposeOf(input.purpose));
  const open = enrichment.status === (again ? 'misread' : 'requested');
  if (isGone(where)) return open ? gone(enrichment) : nothing();
  const { recipe, ended } = input;
  const elsewhere = open && ended.state !== 'done' && readingNow(input, where);
  if (elsewhere) return { events: [], effects: [elsewhere] };
  const asked = ended.state === 'done' ? askOf(enrichment, recipe, ended.answer, again) : unread(ended.code);
  if ('refused' in asked) return open ? refuse(enrichment, asked, again) : nothing();
  if ('parts' in asked) return divide(enrichment, asked, open);
  const effects = [asked.ask];
  if (again || (!open && enrichment.status !== 'rejected')) return { events: [], effects };
  return { events: [{ type: 'EnrichmentPrepared', data: { ...aboutOf(enrichment), ...asked.said } }], effects };
}

/** Where something was paid for already, it is no rejection. */
const refuse = (enrichment: Enrichment, { refused: { code, reason } }: Refused, again: boolean) =>
  (again || enrichment.rounds !== undefined ? fail : reject)(enrichment, code, reason);

// What has ended well wants no summaries any more. Of what has failed the calls are stated, for the ledger to compare: one
// that was refused may be owed again.
function divide(enrichment: Enrichment, { parts, said }: Divided, open: boolean): Decision<OneEnrichmentEvent> {
  const { status, rounds = 0 } = enrichment;
  if (!open && status !== 'rejected')
    return { events: [], effects: status === 'failed' ? parts.map(({ owed }) => owed) : [] };
  if (rounds >= MOST_ROUNDS) return fail(enrichment, UNSETTLED.code, UNSETTLED.reason);
  return {
    events: [
      { type: 'EnrichmentDivided', data: { ...aboutOf(enrichment), ...said, parts: parts.map(({ id }) => id) } },
    ],
    effects: parts.map(({ owed }) => owed),
  };
}

const UNSETTLED = {
  code: 'unsettled',
  reason: 'what the record says was other each time that it was read behind its summaries',
};

/** What the model says that a part says; behind the last one the record is read once more, and the question asked. */
function onSummary(
  enrichments: Enrichments,
  where: Whereabouts,
  { rootCause, recipe, record, purpose, ended }: EnrichmentInput & { type: 'summarised' },
): Decision<OneEnrichmentEvent> {
  const enrichment = byCause(enrichments, rootCause);
  if (!enrichment || ended.state === 'held') return nothing();
  if (!['requested', 'misread', 'rejected', 'failed'].includes(enrichment.status)) return nothing();
  if (ended.state === 'superseded' || isGone(where)) return gone(enrichment);
  if (ended.state !== 'done') return fail(enrichment, ended.code, REFUSED);
  const { finish, summary, model, tokens } = ended.answer;
  if (finish !== 'stop') return fail(enrichment, finish, endings[finish]);
  const part = partIn(purpose);
  if (enrichment.summaries?.[part] !== undefined) return nothing();
  const step = stepOf(recipe, 'ask');
  if (!recipe || !step) return fail(enrichment, RECIPE_GONE, asksNothing(enrichment));
  const isLast = unsummed(enrichment).every((other) => other === part);
  return {
    events: [{ type: 'EnrichmentSummarised', data: { ...aboutOf(enrichment), part, summary, model, tokens } }],
    effects: isLast ? [reading(recipe, step, goesOnAs(record, where), where, readOn(enrichment))] : [],
  };
}

interface Asked {
  ask: Owed;
  said: Omit<Extract<OneEnrichmentEvent, { type: 'EnrichmentPrepared' }>['data'], keyof ReturnType<typeof aboutOf>>;
}

interface Divided {
  parts: { id: string; owed: Owed }[];
  said: { ask: string; leftOut?: LeftOut[]; looked?: Lookup[] };
}

interface Refused {
  refused: { code: string; reason: string };
}

const unread = (code: string): Refused => ({ refused: { code, reason: 'the record could not be read' } });

const RECIPE_GONE = 'recipe-gone';
const asksNothing = ({ recipe }: Enrichment): string => `recipe ${recipe} asks nothing any more`;

/** The question that is asked of what was read, and what is said of it; what must be summed up before; or why there is none. */
function askOf(
  enrichment: Enrichment,
  recipe: Recipe | undefined,
  { properties, ...told }: ReadRecord,
  again: boolean,
): Asked | Divided | Refused {
  const step = stepOf(recipe, 'ask');
  if (!recipe || !step) return { refused: { code: RECIPE_GONE, reason: asksNothing(enrichment) } };
  const { summaries = {} } = enrichment;
  const looked = new Looked(enrichment.looked);
  const bindings = { record: properties, steps: enrichment.results ?? {} };
  const asked = questionOf(step, bindings, told, looked, (part) => summaries[part]);
  if ('rejected' in asked) return { refused: asked.rejected };
  const { leftOut } = asked;
  const said = { ask: step.name, ...(leftOut.length > 0 ? { leftOut } : {}), ...found(looked) };
  if ('missing' in asked)
    return { parts: asked.missing.map((part) => ({ id: part.id, owed: summing(recipe, part) })), said };
  const { request, summedUp } = asked;
  const ask: Owed = {
    kind: 'openai.ask',
    purpose: again ? ASK_AGAIN : ASK,
    request: again ? { ...request, misfit: enrichment.misfit } : request,
    recipes: [labelOf(recipe)],
  };
  const counts = Object.entries(told.context ?? {}).map(([kind, all]) => [kind, all.length] as const);
  return {
    ask,
    said: {
      ...said,
      notes: told.notes.length,
      ...(counts.length > 0 ? { context: Object.fromEntries(counts) } : {}),
      ...(summedUp.length > 0 ? { summedUp: [...summedUp] } : {}),
    },
  };
}

const found = ({ all }: Looked): { looked?: Lookup[] } => (all.length > 0 ? { looked: all } : {});

const reject = (enrichment: Enrichment, code: string, reason: string): Decision<OneEnrichmentEvent> => ({
  events: [{ type: 'EnrichmentRejected', data: { ...aboutOf(enrichment), code, reason } }],
});
