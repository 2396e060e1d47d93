import { type EnrichmentEvent, enrichmentEvents, subjectOf, Topic } from '#libs/contracts';
import {
  type EffectOutcome,
  type ProcessDefinition,
  type ReadableRecord,
  readStreamId,
  type Route,
  streamIdOf,
  type Target,
  UnreadableRecord,
} from '#libs/process';
import {
  ofKind,
  type Recipe,
  recipesWith,
  type Reference,
  type Step,
  type StepDue,
  stepsDue,
  withTexts,
  type WriterApp,
} from '#libs/recipes';
import type { Ended } from './enrichment-input';
import { isReading, SUMMARISE } from './enrichments';
import { FETCH_KINDS, type FetchEnd, fetchIn } from './fetch.decider';
import { type Asked, type AskedInput as Input, serviceDecider } from './service.decider';

export const service = 'enrichment-service';

/**
 * enrichment-service's ways in: what lets a recipe's ask and fetch steps begin, and effects' ends. Each input
 * goes by the recipes and the systems of its moment.
 */
export function enrichmentProcess(
  recipes: () => readonly Recipe[],
  writer: WriterApp,
  around: Around = {},
): ProcessDefinition<Asked, EnrichmentEvent, Input> {
  const { isDeclared = () => false } = around;
  const steps = (record: ReadableRecord) => routeSteps(record, recipes(), writer, isDeclared);
  return {
    service,
    catalog: enrichmentEvents,
    decider: serviceDecider,
    provenance: ['recipeVersion', 'actedAt'],
    declared(texts) {
      const declared = withTexts(recipes(), texts, around.environment, around.reference);
      return enrichmentProcess(() => declared, writer, around);
    },
    routes: {
      [Topic.ingressHubspot]: steps,
      [Topic.ingressGeneric]: steps,
      [Topic.render]: steps,
      [Topic.enrichment]: steps,
      [Topic.crm]: steps,
      [Topic.sweep]: steps,
    },
    outcome({ kind, purpose, rootCause, ...end }, at, streamId) {
      const ended = (
        end.state === 'done' ? { state: 'done', answer: end.answer } : { ...end, code: end.code ?? end.state }
      ) as Ended<never>;
      const { name, record } = readStreamId(streamId);
      const recipe = recipes().find((r) => r.id === name);
      const fetch = fetchIn(purpose);
      if (fetch) {
        const about = { ...fetch, rootCause, recipe, ended: fetchEnd(end) };
        if (kind === 'hubspot.read') return { type: 'fetch-read', declared: isDeclared, purpose, ...about };
        return { type: 'fetched', at, system: kind.slice(FETCH_KINDS.length), record, ...about };
      }
      if (isReading(kind)) return { type: 'read', rootCause, recipe, purpose, ended };
      if (kind === SUMMARISE) return { type: 'summarised', rootCause, recipe, record, purpose, ended };
      if (kind === 'openai.ask') return { type: 'answered', rootCause, recipe, record, purpose, at, ended };
      throw new Error(`${service} owes no ${kind}`);
    },
  };
}

/** What a process goes by beside its recipes. */
interface Around {
  environment?: string;
  reference?: Reference;
  /** Whether a system may be asked; none unless said. */
  isDeclared?: (system: string) => boolean;
}

function fetchEnd({ state, answer, code }: Pick<EffectOutcome, 'state' | 'answer' | 'code'>): FetchEnd<never> {
  if (state === 'done') return { state, answer: answer as never };
  // Held waits for a person, and late is no end.
  if (state === 'held' || state === 'late') return { state: 'open' };
  return { state: state === 'dead' ? state : 'withdrawn', code: code ?? state };
}

function routeSteps(
  record: ReadableRecord,
  recipes: readonly Recipe[],
  writer: WriterApp,
  isDeclared: (system: string) => boolean,
): Route<Input> {
  const read = stepsDue(record, recipes, writer);
  if ('error' in read) throw new UnreadableRecord(read.error);
  const asks = ofKind(read.due, 'ask').map((trigger) => targetOf(trigger, { type: 'triggered', trigger }));
  const fetches = ofKind(read.due, 'fetch').map((due) =>
    targetOf(due, { type: 'fetch-due', due, declared: isDeclared(due.step.system) }),
  );
  const { tenant } = record.envelope;
  // What became of a record is told to its streams by all recipes, those too that nothing has set off yet.
  const followed = read.fates.flatMap(({ record: about, fate }) =>
    recipesWith(recipes, ['ask', 'fetch'], { tenant, type: about.type }).map((recipe) =>
      targetOf({ recipe, tenant, record: about }, { type: 'followed', fate }),
    ),
  );
  const written = read.written
    .filter(({ recipe }) => recipe.steps.some(isSetOff))
    .map(({ recipe, record: about, value }) => targetOf({ recipe, tenant, record: about }, { type: 'written', value }));
  const targets = [...asks, ...fetches, ...written, ...followed];
  return targets.length === 0 ? { ignored: true } : { inbox: read.inbox, targets };
}

const isSetOff = ({ kind, after }: Step): boolean => (kind === 'ask' || kind === 'fetch') && after === undefined;

const targetOf = (trigger: Pick<StepDue, 'recipe' | 'tenant' | 'record'>, input: Input): Target<Input> => ({
  streamId: streamIdOf({ context: 'enrichment', ...trigger, name: trigger.recipe.id }),
  tenant: trigger.tenant,
  subject: subjectOf(trigger.record),
  input,
});
