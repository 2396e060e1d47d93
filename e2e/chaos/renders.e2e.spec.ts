import { renderCommandOf, reportOf } from './report';
import { runRenders } from './render-run';

const seed = 11;
const triggers = 150;

it('has one video charged for each trigger, and the right state on each contact, under faults at every step', async () => {
  const result = await runRenders({ seed, triggers, overMs: 12_000, settleMs: 180_000, progress: () => undefined });
  const report = reportOf(result, renderCommandOf(seed, triggers));
  process.stderr.write(`${report}\n`);
  if (result.findings.length > 0) throw new Error(report);
}, 300_000);
