import type { EnrichmentEvent, OneEnrichmentEvent, RecordRef, Results } from '#libs/contracts';
import { Looked, type Lookup } from '#libs/expressions';
import { type Decision, nothing, type Owed } from '#libs/process';
import {
  askedNow,
  type AskStep,
  askText,
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
  type Note,
  type Properties,
  purposeNow,
  readAnswer,
  type Recipe,
  type Rejection,
  rejectionOf,
  ruleOn,
  type Ruling,
  type StepBindings,
  type StepDue,
  stepOf,
  unmetBy,
  type Whereabouts,
} from '#libs/recipes';

/** One enrichment of a record by a recipe, from the first request on. */
export interface Enrichment {
  recipe: string;
  recipeVersion: string;
  enrichment: number;
  triggeredAt: string;
  rootCause: string;
  content: string;
  /** What the steps before it left. */
  results?: Results;
  status: 'requested' | 'prepared' | 'completed' | 'failed' | 'rejected';
  /** What was looked up when it was prepared. */
  looked?: readonly Lookup[];
}

/** All enrichments of one record by one recipe, in order. */
export type Enrichments = readonly Enrichment[];

/** How a call ended; `answer` is the adapter's. */
export type Ended<T> = { state: 'done'; answer: T } | { state: 'dead' | 'held' | 'superseded'; code: string };

/** A question that is to be asked, and what it follows. */
export type AskDue = StepDue<AskStep>;

interface ReadRecord {
  properties: Properties;
  notes: Note[];
}

interface Reply {
  finish: 'stop' | 'refusal' | 'length' | 'content_filter';
  content: string;
  model: string;
  tokens: { input: number; output: number };
}

export type EnrichmentInput =
  | { type: 'triggered'; trigger: AskDue }
  | { type: 'read'; rootCause: string; recipe: Recipe | undefined; purpose: string; ended: Ended<ReadRecord> }
  | { type: 'answered'; rootCause: string; recipe: Recipe | undefined; at: string; ended: Ended<Reply> };

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

/** The calls of enrichments that may still wait. */
export const waitingQuestions = (enrichments: Enrichments, where: Whereabouts): { kind: string; purpose: string }[] =>
  enrichments.some(({ status }) => status === 'requested' || status === 'prepared')
    ? [
        ...[...new Set([READ, purposeNow(READ, where)])].map((purpose) => ({ kind: 'hubspot.read', purpose })),
        { kind: 'openai.ask', purpose: 'ask' },
      ]
    : [];

const READ = 'read';

export function evolveEnrichments(enrichments: Enrichments, event: OneEnrichmentEvent): Enrichments {
  if (event.type === 'EnrichmentRequested') return [...enrichments, { ...event.data, status: 'requested' }];
  const statuses = {
    EnrichmentPrepared: 'prepared',
    EnrichmentRejected: 'rejected',
    EnrichmentCompleted: 'completed',
    EnrichmentFailed: 'failed',
  } as const;
  return enrichments.map((enrichment) =>
    enrichment.enrichment === event.data.enrichment
      ? {
          ...enrichment,
          status: statuses[event.type],
          ...('looked' in event.data ? { looked: event.data.looked } : {}),
        }
      : enrichment,
  );
}

// The same rule as for renders: one root cause, one enrichment; another one asks again unless the same content asked
// within the cool-down (protocol 7).
function onTrigger(enrichments: Enrichments, { where, triggers }: Known, trigger: AskDue): Decision<EnrichmentEvent> {
  const { recipe, step, record, rootCause, content, at, failed, results } = trigger;
  const read = reading(recipe, step, goesOnAs(record, where), where);
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

const reading = (recipe: Recipe, { reads, notes }: AskStep, record: RecordRef, where: Whereabouts): Owed => ({
  kind: 'hubspot.read',
  purpose: purposeNow(READ, where),
  request: { record, properties: reads, notes },
  recipes: [labelOf(recipe)],
});

/** What was asked of a record that goes on as another one, and was not answered, is asked of that one. */
function readingNow({ recipe, purpose }: EnrichmentInput & { type: 'read' }, where: Whereabouts): Owed | undefined {
  const step = stepOf(recipe, 'ask');
  const record = askedNow(purpose, where);
  return recipe && step && record ? reading(recipe, step, record, where) : undefined;
}

function repeats({ content, triggeredAt: at, status }: Enrichment, due: AskDue): boolean {
  const said = { content, at };
  return isSameChange(said, due) || (status !== 'rejected' && coolsDown(said, due, due.recipe.coolDownMs));
}

// Read again (a replay, after a fix), the same enrichment is prepared again or its question stated once more: the ledger
// says whether that question is answered, changed or owed again.
function onRead(
  enrichments: Enrichments,
  where: Whereabouts,
  input: EnrichmentInput & { type: 'read' },
): Decision<OneEnrichmentEvent> {
  const enrichment = byCause(enrichments, input.rootCause);
  if (!enrichment) return nothing();
  const open = enrichment.status === 'requested';
  if (isGone(where)) return open ? gone(enrichment) : nothing();
  const refuse = (code: string, reason: string) =>
    open ? reject(enrichment, code, reason) : nothing<OneEnrichmentEvent>();
  if (input.ended.state !== 'done') {
    const again = open && readingNow(input, where);
    return again ? { events: [], effects: [again] } : refuse(input.ended.code, 'the record could not be read');
  }
  const step = stepOf(input.recipe, 'ask');
  if (!input.recipe || !step) return refuse('recipe-gone', `recipe ${enrichment.recipe} asks nothing any more`);
  const { properties, notes } = input.ended.answer;
  const bindings = { record: properties, steps: enrichment.results ?? {} };
  const looked = new Looked(enrichment.looked);
  const refused = unaskable(step, bindings, notes, looked);
  if (refused) return refuse(refused.code, refused.reason);
  const asked = question(step, bindings, notes, looked);
  if ('rejected' in asked) return refuse(asked.rejected.code, asked.rejected.reason);
  const ask: Owed = { kind: 'openai.ask', purpose: 'ask', request: asked, recipes: [labelOf(input.recipe)] };
  if (!open && enrichment.status !== 'rejected') return { events: [], effects: [ask] };
  const data = { ...aboutOf(enrichment), ask: step.name, notes: notes.length, ...found(looked) };
  return { events: [{ type: 'EnrichmentPrepared', data }], effects: [ask] };
}

/** Why nothing is asked of what was read, if so. */
function unaskable(step: AskStep, bindings: StepBindings & { record: Properties }, notes: Note[], looked: Looked) {
  const unmet = step.when && unmetBy(step.when, { ...bindings }, { looked });
  if (unmet) return unmet;
  const isEmpty = !step.properties.some((name) => bindings.record[name]) && notes.length === 0;
  return isEmpty && Object.keys(step.facts).length === 0
    ? { code: 'nothing-to-ask', reason: 'the record has neither notes nor any of the properties' }
    : undefined;
}

const found = ({ all }: Looked): { looked?: Lookup[] } => (all.length > 0 ? { looked: all } : {});

function question(
  step: AskStep,
  bindings: StepBindings,
  notes: Note[],
  looked: Looked,
): object | { rejected: Rejection } {
  const { name, model, instruction, answer: schema } = step;
  try {
    return { name, model, instruction, text: askText(step, bindings, notes, { looked }), schema };
  } catch (error) {
    return { rejected: rejectionOf(error) };
  }
}

const reject = (enrichment: Enrichment, code: string, reason: string): Decision<OneEnrichmentEvent> => ({
  events: [{ type: 'EnrichmentRejected', data: { ...aboutOf(enrichment), code, reason } }],
});

function onAnswer(
  enrichments: Enrichments,
  where: Whereabouts,
  input: EnrichmentInput & { type: 'answered' },
): Decision<OneEnrichmentEvent> {
  const enrichment = byCause(enrichments, input.rootCause);
  if (enrichment?.status !== 'prepared' && enrichment?.status !== 'failed') return nothing();
  if (input.ended.state === 'held') return nothing();
  if (input.ended.state === 'superseded' || where.forgotten) return gone(enrichment);
  if (input.ended.state !== 'done') return fail(enrichment, input.ended.code, 'OpenAI refused the request');
  const { finish, content, model, tokens } = input.ended.answer;
  if (finish !== 'stop') return fail(enrichment, finish, endings[finish]);
  const step = stepOf(input.recipe, 'ask');
  if (!step) return fail(enrichment, 'recipe-gone', `recipe ${enrichment.recipe} asks nothing any more`);
  const read = readAnswer(step, content);
  if ('error' in read) return fail(enrichment, 'schema', read.error);
  const data = { ...aboutOf(enrichment), ask: step.name, model, answer: read.answer, tokens, ...chainOf(enrichment) };
  return { events: [{ type: 'EnrichmentCompleted', data }] };
}

const endings = {
  refusal: 'the model refused to answer',
  length: 'the answer was cut off',
  content_filter: 'the content filter stopped the answer',
};

// A late answer may follow a failure; a second failure says nothing new.
const fail = (enrichment: Enrichment, code: string, reason: string): Decision<OneEnrichmentEvent> =>
  enrichment.status === 'failed'
    ? nothing()
    : { events: [{ type: 'EnrichmentFailed', data: { ...aboutOf(enrichment), code, reason } }] };

const gone = (enrichment: Enrichment): Decision<OneEnrichmentEvent> => fail(enrichment, GONE.code, GONE.reason);

const byCause = (enrichments: Enrichments, rootCause: string): Enrichment | undefined =>
  enrichments.find((enrichment) => enrichment.rootCause === rootCause);

const chainOf = ({ content, results }: Enrichment) => ({ content, ...handedOn(results) });

const aboutOf = ({ recipe, recipeVersion, enrichment, triggeredAt }: Enrichment) => ({
  recipe,
  recipeVersion,
  enrichment,
  triggeredAt,
});
