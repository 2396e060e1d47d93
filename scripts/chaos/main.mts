// `npm run chaos -- --seeds N [--seed S] [--webhooks N | --renders [--triggers N]] [--json]`: the long form of the chaos test,
// or with `--renders` of the fault test of renders; one run a seed.
import { spawn } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { build } from '../build.mts';
import { refrainDirectory, root } from '../infra/work-directory.mts';

const usage = 'Usage: npm run chaos -- --seeds N [--seed first] [--webhooks N | --renders [--triggers N]] [--json]';

const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '1' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
    webhooks: { type: 'string', default: '2000' },
    renders: { type: 'boolean', default: false },
    triggers: { type: 'string', default: '2000' },
    json: { type: 'boolean', default: false },
  },
});
const asked = values.renders ? values.triggers : values.webhooks;
const [seeds, first, count] = [values.seeds, values.seed, asked].map(Number) as [number, number, number];
if (![seeds, first, count].every(Number.isInteger) || seeds < 1 || count < 1) {
  console.error(usage);
  process.exit(2);
}

await build();
mkdirSync(join(refrainDirectory, 'chaos'), { recursive: true });
const output = join(refrainDirectory, 'chaos', `${process.pid}.json`);
const of = values.renders ? 'renders' : 'webhooks';
const order = { of, seeds: Array.from({ length: seeds }, (_, i) => first + i), count, output };
const child = spawn(
  process.execPath,
  [
    '--experimental-vm-modules',
    '--disable-warning=ExperimentalWarning',
    '--disable-warning=TimeoutNegativeWarning',
    join(root, 'node_modules/jest/bin/jest.js'),
    ...[
      '--selectProjects',
      'full',
      '--runInBand',
      '--silent',
      values.renders ? 'e2e/chaos/renders' : 'e2e/chaos/chaos',
    ],
  ],
  { cwd: root, env: { ...process.env, CHAOS: JSON.stringify(order) }, stdio: ['inherit', 'ignore', 'inherit'] },
);
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => child.kill(signal));
const code = await new Promise<number>((resolve) => child.once('close', (status) => resolve(status ?? 1)));
if (values.json) process.stdout.write(readFileSync(output, 'utf8'));
rmSync(output, { force: true });
process.exit(code);
