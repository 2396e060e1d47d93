// `npm run verify`: everything that continuous integration asks, in the order in which faults are cheapest to find.
import { spawn, type ChildProcess } from 'node:child_process';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { root } from '../infra/work-directory.mts';

interface Gate {
  name: string;
  /** What to do when it fails. */
  remedy: string;
  commands: { program: string; args: string[] }[];
}

const bin = (name: string, ...args: string[]) => ({ program: join(root, 'node_modules/.bin', name), args });
const script = (name: string, ...args: string[]) => ({
  program: process.execPath,
  args: [join(root, 'scripts', name, 'main.mts'), ...args],
});

const gates: Gate[] = [
  {
    name: 'Format',
    remedy: 'npm run format mends it',
    commands: [bin('prettier', '--check', '--log-level', 'warn', '.')],
  },
  { name: 'Lint', remedy: 'npm run lint -- --fix mends some', commands: [bin('eslint', '.')] },
  {
    name: 'Import boundaries',
    remedy: '.dependency-cruiser.cjs says why each arrow stands',
    commands: [{ program: 'npm', args: ['run', '--silent', 'boundaries'] }],
  },
  {
    name: 'Types',
    remedy: 'the compiler says where',
    commands: [
      ...['.', 'scripts', 'scripts/generate', 'bench', 'sandbox', 'sandbox/record-page'],
      ...['deploy/hubspot-app/src/app/cards', 'e2e/card'],
    ].map((project) => bin('tsc', '--noEmit', '-p', project)),
  },
  {
    name: 'Generated files',
    remedy: 'npm run generate writes them',
    commands: [script('generate', '--check')],
  },
];

const { withoutTests } = flags();
let running: ChildProcess | undefined;
let told: NodeJS.Signals | undefined;
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(signal, () => {
    told = signal;
    running?.kill(signal);
  });
}

for (const gate of gates) {
  console.log(`${gate.name} …`);
  const start = performance.now();
  const passed = await passes(gate);
  const seconds = ((performance.now() - start) / 1000).toFixed(1);
  if (!passed) {
    console.error(`${gate.name} failed after ${seconds} s; ${gate.remedy}. What comes after it was not run.`);
    console.log('\n0 passed, 1 failed');
    process.exit(1);
  }
  console.log(`${gate.name}: ${seconds} s`);
}
if (withoutTests) process.exit(0);
console.log('Tests …');
process.exit(await run(script('test')));

function flags(): { withoutTests: boolean } {
  try {
    const { values } = parseArgs({ options: { 'without-tests': { type: 'boolean', default: false } } });
    return { withoutTests: values['without-tests'] };
  } catch (error) {
    console.error(
      `${error instanceof Error ? error.message : String(error)}\nUsage: npm run verify [-- --without-tests]`,
    );
    process.exit(2);
  }
}

async function passes({ commands }: Gate): Promise<boolean> {
  for (const command of commands) if ((await run(command)) !== 0) return false;
  return true;
}

function run({ program, args }: { program: string; args: string[] }): Promise<number> {
  if (told) return Promise.resolve(1);
  const child = spawn(program, args, { cwd: root, stdio: 'inherit' });
  running = child;
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code) => resolve(code ?? 1));
  });
}
