import { crmEvents, enrichmentEvents, renderEvents } from '#libs/contracts';
import type { BatchHandler } from '#libs/log';
import { Counter, type Logger } from '#libs/platform';
import { telling } from '#libs/process';
import { z } from 'zod';

const cuts = {
  types: new Set<string>([
    renderEvents.shapes.RenderLoopCut.wire,
    enrichmentEvents.shapes.EnrichmentLoopCut.wire,
    crmEvents.shapes.RecordLoopCut.wire,
  ]),
  shape: z.object({ recipe: z.string().optional(), property: z.string().optional() }),
};

const counted = new Counter('refrain_loops_cut', 'Loops of machines that were cut, by service and recipe', [
  'service',
  'recipe',
]);

/**
 * Tells of every loop that any service has cut, once it stands on the log: a line without a word of the record's content,
 * and a count.
 */
export class LoopAlerts {
  constructor(private readonly lines: Pick<Logger, 'warn'>) {}

  /** The same handler, which tells of the loops among what it has handled. */
  over(handle: BatchHandler): BatchHandler {
    return telling(handle, cuts, ({ source, tenant, subject }, { recipe, property }) => {
      const service = source.slice(1);
      counted.add(service, recipe ?? 'none');
      this.lines.warn(
        { by: service, recipe, property, tenant, subject },
        'machines answered each other: the loop is cut',
      );
    });
  }
}
