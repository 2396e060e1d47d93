import { type Order, orderOf, write } from './order';
import { planOf } from './plan';
import { commandOf, reportOf } from './report';
import { runChaos } from './run';

// Other runs of the suite skip the long form.
const order = orderOf('webhooks');
const say = (line: string) => void process.stderr.write(`${line}\n`);

(order ? it : it.skip).each(order?.seeds ?? [0])(
  'seed %d',
  async (seed) => {
    const { count } = order as Order;
    const plan = planOf(seed, count, Math.max(45_000, count * 90));
    const result = await runChaos({ plan, settleMs: 180_000, progress: say });
    const report = reportOf(result, commandOf(seed, count));
    say(report);
    write(order as Order, result, { webhooks: count });
    if (result.findings.length > 0) throw new Error(report);
  },
  3_600_000,
);
