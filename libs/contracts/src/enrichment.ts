import { z } from 'zod';
import { catalog, type EventOf } from './events';
import { Topic } from './topics';

/** Which enrichment of which recipe an event speaks of. `triggeredAt` is the trigger's own time (RFC 3339). */
const about = {
  recipe: z.string(),
  recipeVersion: z.string(),
  enrichment: z.int().positive(),
  triggeredAt: z.iso.datetime(),
};

/** The history of one record's enrichments by one recipe: stream `enrichment-…`, topic `enrichment.events.v1`. */
export const enrichmentEvents = catalog('enrichment', Topic.enrichment, {
  EnrichmentRequested: {
    wire: 'refrain.enrichment.requested.v1',
    data: z.object({ ...about, rootCause: z.string(), content: z.string() }),
  },
  EnrichmentPrepared: {
    wire: 'refrain.enrichment.prepared.v1',
    data: z.object({ ...about, ask: z.string(), notes: z.int().nonnegative() }),
  },
  EnrichmentRejected: {
    wire: 'refrain.enrichment.rejected.v1',
    data: z.object({ ...about, code: z.string(), reason: z.string() }),
  },
  EnrichmentCompleted: {
    wire: 'refrain.enrichment.completed.v1',
    data: z.object({
      ...about,
      ask: z.string(),
      model: z.string(),
      answer: z.record(z.string(), z.unknown()),
      /** The CRM properties that the recipe maps the answer to, ready to write. */
      properties: z.record(z.string(), z.string()),
      tokens: z.object({ input: z.int(), output: z.int() }),
    }),
  },
  EnrichmentFailed: {
    wire: 'refrain.enrichment.failed.v1',
    data: z.object({ ...about, code: z.string(), reason: z.string() }),
  },
});

export type EnrichmentEvent = EventOf<typeof enrichmentEvents>;
