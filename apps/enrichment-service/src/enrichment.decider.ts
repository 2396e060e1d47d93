import type { EnrichmentEvent as StreamEvent, FetchEvent, Results } from '#libs/contracts';
import { Looked, type Lookup } from '#libs/expressions';
import { type Decider, type Decision, nothing, type Owed } from '#libs/process';
import {
  type AskStep,
  askText,
  coolsDown,
  handedOn,
  isSameChange,
  labelOf,
  type Note,
  type Properties,
  readAnswer,
  type Recipe,
  type Rejection,
  rejectionOf,
  type StepBindings,
  type StepDue,
  stepOf,
  unmetBy,
} from '#libs/recipes';

/** What happens to enrichments; their streams tell of fetches too. */
export type EnrichmentEvent = Exclude<StreamEvent, FetchEvent>;

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
export type Ended<T> = { state: 'done'; answer: T } | { state: 'dead' | 'held'; code: string };

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
  | { type: 'read'; rootCause: string; recipe: Recipe | undefined; ended: Ended<ReadRecord> }
  | { type: 'answered'; rootCause: string; recipe: Recipe | undefined; ended: Ended<Reply> };

export const enrichmentDecider: Decider<Enrichments, EnrichmentEvent, EnrichmentInput> = {
  initial: [],
  evolve,
  decide(enrichments, input) {
    switch (input.type) {
      case 'triggered':
        return onTrigger(enrichments, input.trigger);
      case 'read':
        return onRead(enrichments, input);
      case 'answered':
        return onAnswer(enrichments, input);
    }
  },
};

function evolve(enrichments: Enrichments, event: EnrichmentEvent): Enrichments {
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
function onTrigger(enrichments: Enrichments, trigger: AskDue): Decision<EnrichmentEvent> {
  const { recipe, step, record, rootCause, content, at, failed, results } = trigger;
  const { reads, notes } = step;
  const recipes = [labelOf(recipe)];
  const read: Owed = { kind: 'hubspot.read', purpose: 'read', request: { record, properties: reads, notes }, recipes };
  if (byCause(enrichments, rootCause)) return { events: [], effects: [read] };
  if (enrichments.some((enrichment) => repeats(enrichment, trigger))) return nothing();
  const about = {
    recipe: recipe.id,
    recipeVersion: recipe.version,
    enrichment: enrichments.length + 1,
    triggeredAt: at,
  };
  const requested: EnrichmentEvent = {
    type: 'EnrichmentRequested',
    data: { ...about, rootCause, content, ...handedOn(results) },
  };
  if (failed) return { events: [requested, { type: 'EnrichmentRejected', data: { ...about, ...failed } }] };
  return { events: [requested], effects: [read] };
}

function repeats({ content, triggeredAt: at, status }: Enrichment, due: AskDue): boolean {
  const said = { content, at };
  return isSameChange(said, due) || (status !== 'rejected' && coolsDown(said, due, due.recipe.coolDownMs));
}

// Read again (a replay, after a fix), the same enrichment is prepared again or its question stated once more: the ledger
// says whether that question is answered, changed or owed again.
function onRead(enrichments: Enrichments, input: EnrichmentInput & { type: 'read' }): Decision<EnrichmentEvent> {
  const enrichment = byCause(enrichments, input.rootCause);
  if (!enrichment) return nothing();
  const refuse = (code: string, reason: string) =>
    enrichment.status === 'requested' ? reject(enrichment, code, reason) : nothing<EnrichmentEvent>();
  if (input.ended.state !== 'done') return refuse(input.ended.code, 'the record could not be read');
  const step = stepOf(input.recipe, 'ask');
  if (!input.recipe || !step) return refuse('recipe-gone', `recipe ${enrichment.recipe} asks nothing any more`);
  const { properties, notes } = input.ended.answer;
  const bindings = { record: properties, steps: enrichment.results ?? {} };
  const looked = new Looked(enrichment.looked);
  const unmet = step.when && unmetBy(step.when, bindings, { looked });
  if (unmet) return refuse(unmet.code, unmet.reason);
  if (!step.properties.some((name) => properties[name]) && notes.length === 0 && isEmpty(step.facts)) {
    return refuse('nothing-to-ask', 'the record has neither notes nor any of the properties');
  }
  const asked = question(step, bindings, notes, looked);
  if ('rejected' in asked) return refuse(asked.rejected.code, asked.rejected.reason);
  const ask: Owed = { kind: 'openai.ask', purpose: 'ask', request: asked, recipes: [labelOf(input.recipe)] };
  if (enrichment.status !== 'requested' && enrichment.status !== 'rejected') return { events: [], effects: [ask] };
  const data = { ...aboutOf(enrichment), ask: step.name, notes: notes.length, ...found(looked) };
  return { events: [{ type: 'EnrichmentPrepared', data }], effects: [ask] };
}

const found = ({ all }: Looked): { looked?: Lookup[] } => (all.length > 0 ? { looked: all } : {});

const isEmpty = (facts: AskStep['facts']): boolean => Object.keys(facts).length === 0;

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

const reject = (enrichment: Enrichment, code: string, reason: string): Decision<EnrichmentEvent> => ({
  events: [{ type: 'EnrichmentRejected', data: { ...aboutOf(enrichment), code, reason } }],
});

function onAnswer(enrichments: Enrichments, input: EnrichmentInput & { type: 'answered' }): Decision<EnrichmentEvent> {
  const enrichment = byCause(enrichments, input.rootCause);
  if (enrichment?.status !== 'prepared' && enrichment?.status !== 'failed') return nothing();
  if (input.ended.state === 'held') return nothing();
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
const fail = (enrichment: Enrichment, code: string, reason: string): Decision<EnrichmentEvent> =>
  enrichment.status === 'failed'
    ? nothing()
    : { events: [{ type: 'EnrichmentFailed', data: { ...aboutOf(enrichment), code, reason } }] };

const byCause = (enrichments: Enrichments, rootCause: string): Enrichment | undefined =>
  enrichments.find((enrichment) => enrichment.rootCause === rootCause);

const chainOf = ({ content, results }: Enrichment) => ({ content, ...handedOn(results) });

const aboutOf = ({ recipe, recipeVersion, enrichment, triggeredAt }: Enrichment) => ({
  recipe,
  recipeVersion,
  enrichment,
  triggeredAt,
});
