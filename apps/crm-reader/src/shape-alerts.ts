import { recordOf, shapeShapes } from '#libs/contracts';
import type { BatchHandler } from '#libs/log';
import { Counter, type Logger } from '#libs/platform';
import { telling } from '#libs/process';

const { wire, data } = shapeShapes.ShapeChanged;
const changed = { types: new Set<string>([wire]), shape: data };

const counted = new Counter('refrain_portal_changes', 'What is new, gone or other in a portal, by tenant and part', [
  'tenant',
  'part',
]);

/** Tells of what became other in a portal, once it stands on the log: a line with the names, and a count. */
export class ShapeAlerts {
  constructor(private readonly lines: Pick<Logger, 'warn'>) {}

  /** The same handler, which tells of the changes among what it has handled. */
  over(handle: BatchHandler): BatchHandler {
    return telling(handle, changed, ({ tenant, subject }, { changes }) => {
      const part = recordOf(subject)?.id ?? subject;
      changes.forEach(() => counted.add(tenant, part));
      this.lines.warn({ tenant, part, changes }, 'the portal is other than it was: see refrain drift');
    });
  }
}
