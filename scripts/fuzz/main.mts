// `npm run fuzz -- [--minutes N] [--seed S]`: rounds of random requests against every verifier and parser of the doors, each
// round from a seed of its own, until the time is over. A round that finds something names the command that repeats it.
import { spawn } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { root } from '../infra/work-directory.mts';

/** Cases of each property in a round; a seed means the same cases only with the same number. */
const RUNS = 1_500;
const TELL_EVERY_MS = 5_000;

const { values } = parseArgs({ options: { minutes: { type: 'string', default: '8' }, seed: { type: 'string' } } });
const minutes = Number(values.minutes);
if (!(minutes > 0) || (values.seed !== undefined && !/^\d{1,9}$/.test(values.seed))) {
  console.error('Usage: npm run fuzz -- [--minutes N] [--seed S]');
  process.exit(2);
}

const limitMs = minutes * 60_000;
let rounds = 0;
const elapsed = (): number => Math.round(performance.now() / 1_000);
const tell = (): void => {
  const left =
    values.seed === undefined ? `, ${String(Math.max(0, Math.round(limitMs / 1_000) - elapsed()))} s left` : '';
  console.log(`${String(rounds)} rounds of ${String(RUNS)} cases a property, ${String(elapsed())} s${left}`);
};
const timer = setInterval(tell, TELL_EVERY_MS);
do {
  const seed = values.seed ?? String(randomInt(1_000_000_000));
  const round = await runRound(seed);
  rounds += 1;
  if (!round.ok) {
    console.error(`${round.output}\nFound with seed ${seed}. Repeat it: npm run fuzz -- --seed ${seed}`);
    process.exit(1);
  }
} while (values.seed === undefined && performance.now() < limitMs);
clearInterval(timer);
tell();
console.log('Nothing was found.');

async function runRound(seed: string): Promise<{ ok: boolean; output: string }> {
  const jest = [
    '--experimental-vm-modules',
    '--disable-warning=ExperimentalWarning',
    join(root, 'node_modules/jest/bin/jest.js'),
  ];
  const child = spawn(process.execPath, [...jest, '--selectProjects', 'unit', '--testPathPatterns', 'forgery\\.unit'], {
    cwd: root,
    env: { ...process.env, FORGERY_RUNS: String(RUNS), FORGERY_SEED: seed },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (data: Buffer) => (output += data.toString()));
  const code = await new Promise((resolve) => child.once('close', resolve));
  return { ok: code === 0, output };
}
