import { renderEvents } from '#libs/contracts';
import type { BatchHandler } from '#libs/log';
import { Gauge, type Logger } from '#libs/platform';
import { telling } from '#libs/process';
import { z } from 'zod';

const { RenderPostponed, RenderCompleted, RenderFailed, RenderRejected } = renderEvents.shapes;
const ends = {
  types: new Set<string>([RenderPostponed.wire, RenderCompleted.wire, RenderFailed.wire, RenderRejected.wire]),
  shape: z.object({ recipe: z.string(), render: z.number(), waitsFor: z.string().optional() }),
};

const waiting = new Gauge(
  'refrain_renders_without_credit',
  'Renders that HeyGen took and failed at for want of credit, and that wait for it, by tenant',
  ['tenant'],
);

/** Tells once that renders fail for want of credit, and once that one of them was made after all or none waits any more. */
export class CreditAlerts {
  private readonly poor = new Map<string, Set<string>>();

  constructor(private readonly lines: Pick<Logger, 'info' | 'error'>) {}

  /** The same handler, which tells of the renders among what it has handled. */
  over(handle: BatchHandler): BatchHandler {
    return telling(handle, ends, ({ type, tenant, subject }, { recipe, render, waitsFor }) => {
      const name = `${subject}|${recipe}|${String(render)}`;
      if (waitsFor === 'credit') this.waits(tenant, name);
      else this.ends(tenant, name, type === RenderCompleted.wire);
    });
  }

  private waits(tenant: string, name: string): void {
    const renders = this.poor.get(tenant);
    if (!renders)
      this.lines.error({ tenant }, 'HeyGen has no credit left and fails at videos: they wait until there is some');
    this.keep(tenant, (renders ?? new Set<string>()).add(name));
  }

  // What was made proves that there is credit; what waits besides is told anew should it fail again.
  private ends(tenant: string, name: string, isMade: boolean): void {
    const renders = this.poor.get(tenant);
    if (!renders?.delete(name)) return;
    if (isMade) renders.clear();
    this.keep(tenant, renders);
    if (renders.size === 0) this.lines.info({ tenant }, 'HeyGen has credit again: the videos that waited are made');
  }

  private keep(tenant: string, renders: Set<string>): void {
    waiting.set(renders.size, tenant);
    if (renders.size > 0) this.poor.set(tenant, renders);
    else this.poor.delete(tenant);
  }
}
