import { planOf } from './plan';
import { commandOf, reportOf } from './report';
import { runChaos } from './run';

const seed = 4;
const webhooks = 300;

it('loses nothing and does nothing twice under faults of every kind', async () => {
  const result = await runChaos({
    plan: planOf(seed, webhooks, 45_000),
    settleMs: 180_000,
    progress: () => undefined,
  });
  const report = reportOf(result, commandOf(seed, webhooks));
  process.stderr.write(`${report}\n`);
  if (result.findings.length > 0) throw new Error(report);
}, 330_000);
