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
  LOOP,
  purposeOf,
  type Recipe,
  ruleOn,
  type Ruling,
  type StepDue,
  stepOf,
  type Whereabouts,
} from '#libs/recipes';
import { fail, gone, onAnswer } from './answer.decider';
import type { AskDue, EnrichmentInput, ReadRecord } from './enrichment-input';
import {
  aboutOf,
  ASK,
  ASK_AGAIN,
  byCause,
  type Enrichment,
  type Enrichments,
  READ,
  READ_AGAIN,
  reading,
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
// says whether that question is answered, changed or owed again. The same goes for the reading behind a misread answer.
function onRead(
  enrichments: Enrichments,
  where: Whereabouts,
  input: EnrichmentInput & { type: 'read' },
): Decision<OneEnrichmentEvent> {
  const enrichment = byCause(enrichments, input.rootCause);
  if (!enrichment) return nothing();
  const isAgain = purposeOf(input.purpose) === READ_AGAIN;
  const open = enrichment.status === (isAgain ? 'misread' : 'requested');
  if (isGone(where)) return open ? gone(enrichment) : nothing();
  const { recipe, ended } = input;
  const again = open && ended.state !== 'done' && readingNow(input, where);
  if (again) return { events: [], effects: [again] };
  const asked = ended.state === 'done' ? askOf(enrichment, recipe, ended.answer, isAgain) : unread(ended.code);
  if ('refused' in asked) {
    const { code, reason } = asked.refused;
    return open ? (isAgain ? fail : reject)(enrichment, code, reason) : nothing();
  }
  const effects = [asked.ask];
  if (isAgain || (!open && enrichment.status !== 'rejected')) return { events: [], effects };
  return { events: [{ type: 'EnrichmentPrepared', data: { ...aboutOf(enrichment), ...asked.said } }], effects };
}

interface Asked {
  ask: Owed;
  said: { ask: string; notes: number; looked?: Lookup[] };
}

interface Refused {
  refused: { code: string; reason: string };
}

const unread = (code: string): Refused => ({ refused: { code, reason: 'the record could not be read' } });

/** The question that is asked of what was read, and what is said of it; or why there is none. */
function askOf(
  enrichment: Enrichment,
  recipe: Recipe | undefined,
  answer: ReadRecord,
  isAgain: boolean,
): Asked | Refused {
  const step = stepOf(recipe, 'ask');
  if (!recipe || !step)
    return { refused: { code: 'recipe-gone', reason: `recipe ${enrichment.recipe} asks nothing any more` } };
  const { properties, notes } = answer;
  const looked = new Looked(enrichment.looked);
  const asked = questionOf(step, { record: properties, steps: enrichment.results ?? {} }, notes, looked);
  if ('rejected' in asked) return { refused: asked.rejected };
  const ask: Owed = {
    kind: 'openai.ask',
    purpose: isAgain ? ASK_AGAIN : ASK,
    request: isAgain ? { ...asked, misfit: enrichment.misfit } : asked,
    recipes: [labelOf(recipe)],
  };
  return { ask, said: { ask: step.name, notes: notes.length, ...found(looked) } };
}

const found = ({ all }: Looked): { looked?: Lookup[] } => (all.length > 0 ? { looked: all } : {});

const reject = (enrichment: Enrichment, code: string, reason: string): Decision<OneEnrichmentEvent> => ({
  events: [{ type: 'EnrichmentRejected', data: { ...aboutOf(enrichment), code, reason } }],
});
