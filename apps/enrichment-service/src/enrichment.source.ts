import { type EnrichmentEvent, enrichmentEvents, subjectOf, Topic } from '#libs/contracts';
import {
  type ProcessDefinition,
  type ReadableRecord,
  readStreamId,
  type Route,
  streamIdOf,
  UnreadableRecord,
} from '#libs/process';
import { ofKind, type Recipe, type Reference, stepsDue, withTexts } from '#libs/recipes';
import { type Ended, enrichmentDecider, type EnrichmentInput, type Enrichments } from './enrichment.decider';

const service = 'enrichment-service';

/**
 * enrichment-service's ways in: what lets a recipe's ask step begin, and effects' ends. Each input goes by
 * the recipes of its moment.
 */
export function enrichmentProcess(
  recipes: () => readonly Recipe[],
  writerAppId: string,
  environment?: string,
  reference?: Reference,
): ProcessDefinition<Enrichments, EnrichmentEvent, EnrichmentInput> {
  const steps = (record: ReadableRecord) => routeSteps(record, recipes(), writerAppId);
  return {
    service,
    catalog: enrichmentEvents,
    decider: enrichmentDecider,
    provenance: ['recipeVersion'],
    declared(texts) {
      const declared = withTexts(recipes(), texts, environment, reference);
      return enrichmentProcess(() => declared, writerAppId, environment, reference);
    },
    routes: {
      [Topic.ingressHubspot]: steps,
      [Topic.ingressGeneric]: steps,
      [Topic.render]: steps,
      [Topic.enrichment]: steps,
      [Topic.crm]: steps,
    },
    outcome({ kind, rootCause, ...end }, _at, streamId) {
      const ended = (end.state === 'done' ? { state: 'done', answer: end.answer } : end) as Ended<never>;
      const recipe = recipes().find((r) => r.id === readStreamId(streamId).name);
      if (kind === 'hubspot.read') return { type: 'read', rootCause, recipe, ended };
      if (kind === 'openai.ask') return { type: 'answered', rootCause, recipe, ended };
      throw new Error(`${service} owes no ${kind}`);
    },
  };
}

function routeSteps(record: ReadableRecord, recipes: readonly Recipe[], writerAppId: string): Route<EnrichmentInput> {
  const read = stepsDue(record, recipes, writerAppId);
  if ('error' in read) throw new UnreadableRecord(read.error);
  const due = ofKind(read.due, 'ask');
  if (due.length === 0) return { ignored: true };
  const targets = due.map((trigger) => ({
    streamId: streamIdOf({ context: 'enrichment', ...trigger, name: trigger.recipe.id }),
    tenant: trigger.tenant,
    subject: subjectOf(trigger.record),
    input: { type: 'triggered' as const, trigger },
  }));
  return { inbox: read.inbox, targets };
}
