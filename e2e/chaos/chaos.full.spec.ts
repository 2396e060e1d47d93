import { writeFileSync } from 'node:fs';
import { reportOf } from './report';
import { runChaos } from './run';

/** What `npm run chaos` asks for; other runs of the suite skip the long form. */
interface Order {
  seeds: number[];
  webhooks: number;
  /** Where the results go, as JSON. */
  output: string;
}

const order = JSON.parse(process.env['CHAOS'] ?? 'null') as Order | null;
const say = (line: string) => void process.stderr.write(`${line}\n`);

(order ? it : it.skip).each(order?.seeds ?? [0])(
  'seed %d',
  async (seed) => {
    const { webhooks, output } = order as Order;
    const overMs = Math.max(45_000, webhooks * 90);
    const result = await runChaos({ seed, webhooks, overMs, settleMs: 180_000, progress: say });
    const report = reportOf(result, webhooks);
    say(report);
    const { findings, settledInMs } = result;
    const line = JSON.stringify({ seed, webhooks, findings, settledInMs });
    writeFileSync(output, `${line}\n`, { flag: 'a' });
    if (findings.length > 0) {
      writeFileSync(`${output}.seed-${seed}.log`, result.logs);
      throw new Error(report);
    }
  },
  3_600_000,
);
