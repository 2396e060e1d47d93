// `npm test`: builds what the end-to-end tests run, then every test of the hub and of the sandbox, and one sum of all.
import { spawn, type ChildProcess } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build } from '../build.mts';
import { refrainDirectory, root } from '../infra/work-directory.mts';

interface Count {
  passed: number;
  failed: number;
}

const { projects, jestArgs } = readArguments(process.argv.slice(2));
let running: ChildProcess | undefined;
let told = false;
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(signal, () => {
    told = true;
    running?.kill(signal);
  });
}

// What tests leave in the folder for temporary files goes with it. Postgres runs as a user of its own and must get in.
const temporary = mkdtempSync(join(tmpdir(), 'refrain-test-'));
chmodSync(temporary, 0o711);
const counts: Count[] = [];
if (projects.some((project) => project !== 'unit')) counts.push(await built());
if (!told && counts.every((count) => count.failed === 0)) {
  counts.push(await jest());
  if (!told && projects.includes('int') && jestArgs.length === 0) counts.push(await sandbox());
}
const passed = counts.reduce((sum, count) => sum + count.passed, 0);
const failed = counts.reduce((sum, count) => sum + count.failed, 0);
rmSync(temporary, { recursive: true, force: true });
console.log(`\n${passed} passed, ${failed} failed`);
process.exit(failed > 0 || told ? 1 : 0);

function readArguments(args: string[]) {
  const [first, ...rest] = args;
  if (first === '--unit') return { projects: ['unit'], jestArgs: rest };
  // What is in here needs the whole machine.
  if (first === '--full') return { projects: ['full'], jestArgs: ['--maxWorkers=1', ...rest] };
  return { projects: ['unit', 'int', 'e2e'], jestArgs: args };
}

async function built(): Promise<Count> {
  try {
    await build();
    return { passed: 0, failed: 0 };
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : String(error)}\nSo no test was run.`);
    return { passed: 0, failed: 1 };
  }
}

async function jest(): Promise<Count> {
  const report = join(refrainDirectory, `test-${process.pid}.json`);
  mkdirSync(refrainDirectory, { recursive: true });
  const { code } = await run(
    process.execPath,
    [
      '--experimental-vm-modules',
      '--disable-warning=ExperimentalWarning',
      '--disable-warning=TimeoutNegativeWarning', // kafkajs sets a timer in the past once in each process
      join(root, 'node_modules/jest/bin/jest.js'),
      ...(jestArgs.includes('--selectProjects') ? [] : ['--selectProjects', ...projects]),
      ...['--passWithNoTests', '--json', `--outputFile=${report}`],
      ...jestArgs,
    ],
    'inherit',
  );
  if (!existsSync(report)) return { passed: 0, failed: 1 };
  const result = JSON.parse(readFileSync(report, 'utf8')) as Record<string, number>;
  rmSync(report);
  // A file that could not even be loaded has no failed test, and must not pass for that.
  const failed = (result.numFailedTests ?? 0) + (result.numRuntimeErrorTestSuites ?? 0);
  return { passed: result.numPassedTests ?? 0, failed: failed === 0 && code !== 0 ? 1 : failed };
}

async function sandbox(): Promise<Count> {
  const description = JSON.parse(readFileSync(join(root, 'sandbox/package.json'), 'utf8')) as {
    scripts?: { test?: string };
  };
  if (!description.scripts?.test) return { passed: 0, failed: 0 };
  const { code, output } = await run('npm', ['test', '--silent', '-w', 'sandbox'], 'copy');
  const passed = sumOf(output, /^(?:#|ℹ) pass (\d+)$/gm);
  const failed = sumOf(output, /^(?:#|ℹ) fail (\d+)$/gm);
  return { passed, failed: failed === 0 && code !== 0 ? 1 : failed };
}

function sumOf(output: string, pattern: RegExp): number {
  return [...output.matchAll(pattern)].reduce((sum, match) => sum + Number(match[1]), 0);
}

function run(command: string, args: string[], stdout: 'inherit' | 'copy') {
  const child = spawn(command, args, {
    cwd: root,
    env: { ...process.env, TMPDIR: temporary },
    stdio: ['inherit', stdout === 'inherit' ? 'inherit' : 'pipe', 'inherit'],
  });
  running = child;
  let output = '';
  child.stdout?.on('data', (data: Buffer) => {
    output += data.toString();
    process.stdout.write(data);
  });
  return new Promise<{ code: number | null; output: string }>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => resolve({ code, output }));
  });
}
