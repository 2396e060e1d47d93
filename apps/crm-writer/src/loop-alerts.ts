import { crmEvents, enrichmentEvents, renderEvents } from '#libs/contracts';
import type { BatchHandler } from '#libs/log';
import { Counter, type Logger } from '#libs/platform';
import { z } from 'zod';

const cuts: ReadonlySet<string> = new Set([
  renderEvents.shapes.RenderLoopCut.wire,
  enrichmentEvents.shapes.EnrichmentLoopCut.wire,
  crmEvents.shapes.RecordLoopCut.wire,
]);

const counted = new Counter('refrain_loops_cut', 'Loops of machines that were cut, by service and recipe', [
  'service',
  'recipe',
]);

/**
 * Tells of every loop that any service has cut, once it stands on the log: a line without a word of the record's content,
 * and a count. What is delivered again is told again.
 */
export class LoopAlerts {
  constructor(private readonly lines: Pick<Logger, 'warn'>) {}

  /** The same handler, which tells of the loops among what it has handled. */
  over(handle: BatchHandler): BatchHandler {
    return async (...batch) => {
      await handle(...batch);
      for (const { envelope, value } of batch[0]) {
        const told = envelope && cuts.has(envelope.type) ? toldBy(value) : undefined;
        if (envelope && told) this.tell(envelope, told);
      }
    };
  }

  private tell({ source, tenant, subject }: { source: string; tenant: string; subject: string }, told: Told): void {
    const service = source.slice(1);
    const { recipe = 'none', property } = told;
    counted.add(service, recipe);
    this.lines.warn(
      { by: service, recipe, property, tenant, subject },
      'machines answered each other: the loop is cut',
    );
  }
}

/** What an event of a loop says, as far as the alert tells it. */
const loopTold = z.object({ recipe: z.string().optional(), property: z.string().optional() });
type Told = z.infer<typeof loopTold>;

/** Undefined for what is no such event: the handler has put it among the dead letters. */
function toldBy(value: Buffer): Told | undefined {
  try {
    return loopTold.safeParse(JSON.parse(value.toString('utf8'))).data;
  } catch {
    return undefined;
  }
}
