import { type EnrichmentEvent, enrichmentEvents, subjectOf, Topic } from '#libs/contracts';
import { type ProcessDefinition, readStreamId, streamIdOf, UnreadableRecord } from '#libs/process';
import { hubspotTriggers, type Recipe, withTexts } from '#libs/recipes';
import { type Ended, enrichmentDecider, type EnrichmentInput, type Enrichments } from './enrichment.decider';

const service = 'enrichment-service';

/**
 * enrichment-service's ways in: HubSpot changes that set off a recipe's ask step, and effects' ends. Each input goes by
 * the recipes of its moment.
 */
export function enrichmentProcess(
  recipes: () => readonly Recipe[],
  writerAppId: string,
): ProcessDefinition<Enrichments, EnrichmentEvent, EnrichmentInput> {
  return {
    service,
    catalog: enrichmentEvents,
    decider: enrichmentDecider,
    provenance: ['recipeVersion'],
    declared(texts) {
      const declared = withTexts(recipes(), texts);
      return enrichmentProcess(() => declared, writerAppId);
    },
    routes: {
      [Topic.ingressHubspot](record) {
        const read = hubspotTriggers(record, recipes(), writerAppId);
        if ('error' in read) throw new UnreadableRecord(read.error);
        const triggers = read.triggers.filter(({ recipe }) => recipe.ask);
        if (triggers.length === 0) return { ignored: true };
        const targets = triggers.map((trigger) => ({
          streamId: streamIdOf({ context: 'enrichment', ...trigger, name: trigger.recipe.id }),
          tenant: trigger.tenant,
          subject: subjectOf(trigger.record),
          input: { type: 'triggered' as const, trigger },
        }));
        return { inbox: read.inbox, targets };
      },
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
