import { orderOf, write } from './order';
import { renderCommandOf, reportOf } from './report';
import { runRenders } from './render-run';

const order = orderOf('renders');
const seeds = order?.seeds ?? [2_026];
// The command runs 2,000 and takes the machine for itself; this is the same, smaller.
const triggers = order?.count ?? 300;
const say = (line: string) => void process.stderr.write(`${line}\n`);

(order || !process.env['CHAOS'] ? it : it.skip).each(seeds)(
  'seed %d',
  async (seed) => {
    const overMs = Math.max(15_000, triggers * 100);
    const result = await runRenders({ seed, triggers, overMs, settleMs: 300_000, progress: say });
    const report = reportOf(result, renderCommandOf(seed, triggers));
    say(report);
    if (order) write(order, result, { triggers });
    if (result.findings.length > 0) throw new Error(report);
  },
  1_800_000,
);
