import { reportOf } from './report';
import { runChaos } from './run';

const webhooks = 300;

it('loses nothing and does nothing twice under faults of every kind', async () => {
  const result = await runChaos({
    seed: 4,
    webhooks,
    overMs: 45_000,
    settleMs: 180_000,
    progress: () => undefined,
  });
  const report = reportOf(result, webhooks);
  process.stderr.write(`${report}\n`);
  if (result.findings.length > 0) throw new Error(report);
}, 330_000);
