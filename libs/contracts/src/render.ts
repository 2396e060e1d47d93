import { z } from 'zod';
import { catalog, type EventOf } from './events';
import { Topic } from './topics';

/** Which render of which recipe an event speaks of. `triggeredAt` is the trigger's own time (RFC 3339). */
const about = {
  recipe: z.string(),
  recipeVersion: z.string(),
  render: z.int().positive(),
  triggeredAt: z.iso.datetime(),
};

/** The history of one record's renders by one recipe: stream `render-…`, topic `render.events.v1`. */
export const renderEvents = catalog('render', Topic.render, {
  RenderRequested: {
    wire: 'refrain.render.requested.v1',
    data: z.object({ ...about, rootCause: z.string(), content: z.string() }),
  },
  RenderPrepared: {
    wire: 'refrain.render.prepared.v1',
    data: z.object({
      ...about,
      template: z.string(),
      variables: z.record(z.string(), z.string()),
      /** The record's last-modified date as read for this trigger: noted, never a key (protocol 7). */
      recordModifiedAt: z.string().optional(),
    }),
  },
  RenderRejected: {
    wire: 'refrain.render.rejected.v1',
    data: z.object({ ...about, code: z.string(), reason: z.string() }),
  },
  RenderSubmitted: {
    wire: 'refrain.render.submitted.v1',
    data: z.object({ ...about, generation: z.int().positive(), videoId: z.string().optional() }),
  },
  RenderCompleted: {
    wire: 'refrain.render.completed.v1',
    data: z.object({ ...about, videoId: z.string(), url: z.string() }),
  },
  RenderFailed: {
    wire: 'refrain.render.failed.v1',
    data: z.object({ ...about, videoId: z.string().optional(), code: z.string(), reason: z.string() }),
  },
});

export type RenderEvent = EventOf<typeof renderEvents>;
