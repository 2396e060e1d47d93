// Makes a fresh clone runnable: installs what package-lock.json names, then hands over to the Node that it pins.
// Node's own modules only. As a program: `node scripts/bootstrap.mjs <task> [args]` runs scripts/<task>/main.mts.
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { constants } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const bin = join(root, 'node_modules', '.bin');
const stamp = join(root, 'node_modules', '.refrain-lock-sha256');
const lockFile = join(root, '.refrain', 'install.lock');

/** Leaves node_modules as package-lock.json says, installing at most once however many processes ask at a time. */
export async function ensureInstalled() {
  if (isInstalled()) return;
  const release = await takeInstallLock();
  try {
    if (!isInstalled()) await install();
  } finally {
    release();
  }
}

/**
 * Runs the pinned Node in the repository's root and ends this process the way that one ended.
 * @param {string[]} args
 */
export async function runWithNode24(args) {
  const env = { ...process.env, PATH: `${bin}${delimiter}${process.env.PATH ?? ''}` };
  // The IPC channel carries no messages: by its closing the child learns that this process was killed.
  const child = spawn(join(bin, 'node'), args, { cwd: root, env, stdio: ['inherit', 'inherit', 'inherit', 'ipc'] });
  for (const signal of /** @type {const} */ (['SIGINT', 'SIGTERM', 'SIGHUP'])) {
    process.on(signal, () => child.kill(signal));
  }
  const status = await new Promise((/** @type {(status: number) => void} */ resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code, signal) => resolve(code ?? 128 + constants.signals[signal ?? 'SIGKILL']));
  });
  process.exit(status);
}

function lockDigest() {
  return createHash('sha256')
    .update(readFileSync(join(root, 'package-lock.json')))
    .digest('hex');
}

function isInstalled() {
  return existsSync(stamp) && existsSync(join(bin, 'node')) && readFileSync(stamp, 'utf8') === lockDigest();
}

async function install() {
  const digest = lockDigest();
  const progress = showProgress('Installing dependencies');
  let result = await npm(['ci']);
  // A registry that lacks packages of other platforms leaves a lock without their (optional) entries, and `npm ci`
  // refuses it. Nothing that this machine needs is missing then: install by the same lock, without rewriting it.
  if (result.code !== 0 && lacksOnlyOptionalPackages(result.output)) result = await npm(['install', '--no-save']);
  progress.stop();
  if (result.code !== 0) {
    console.error(
      `${result.output.trimEnd()}\nThe dependencies could not be installed (npm ended with ${result.code}).`,
    );
    process.exit(1);
  }
  writeFileSync(stamp, digest);
  console.log(`Installed dependencies (${progress.seconds()} s)`);
}

/** @param {string} output of a failed `npm ci` */
function lacksOnlyOptionalPackages(output) {
  const faults = output.match(/(Missing|Invalid): .*/g) ?? [];
  return faults.length > 0 && faults.every((fault) => /^Missing: \S+@ from lock file$/.test(fault));
}

/**
 * @param {string[]} args
 * @returns {Promise<{ code: number | null, output: string }>}
 */
function npm(args) {
  const cli = process.env.npm_execpath;
  const [command, first] = cli?.endsWith('npm-cli.js') ? [process.execPath, [cli]] : ['npm', []];
  return new Promise((resolve) => {
    // The pinned tools decide, not what the caller's environment says about production.
    const env = { ...process.env, NODE_ENV: undefined, npm_config_omit: undefined };
    const child = spawn(command, [...first, ...args, '--no-progress'], {
      cwd: root,
      env,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let output = '';
    child.stdout.on('data', (data) => (output += data));
    child.stderr.on('data', (data) => (output += data));
    child.once('error', (error) => resolve({ code: 1, output: `npm could not be run: ${error.message}` }));
    child.once('close', (code) => resolve({ code, output }));
  });
}

async function takeInstallLock() {
  mkdirSync(dirname(lockFile), { recursive: true });
  for (let told = false; ;) {
    try {
      writeFileSync(lockFile, String(process.pid), { flag: 'wx' });
      const release = () => rmSync(lockFile, { force: true });
      process.once('exit', release);
      return release;
    } catch (error) {
      if (/** @type {NodeJS.ErrnoException} */ (error).code !== 'EEXIST') throw error;
    }
    const holder = readHolder();
    if (holder !== undefined && !isAlive(holder)) rmSync(lockFile, { force: true });
    else {
      if (!told) console.log(`Waiting for process ${holder ?? '?'}, which is installing dependencies`);
      told = true;
      await sleep(500);
    }
  }
}

function readHolder() {
  try {
    return Number(readFileSync(lockFile, 'utf8')) || undefined;
  } catch {
    return undefined;
  }
}

/** @param {number} pid */
function isAlive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return /** @type {NodeJS.ErrnoException} */ (error).code === 'EPERM';
  }
}

/** @param {string} what */
function showProgress(what) {
  const start = Date.now();
  const seconds = () => Math.round((Date.now() - start) / 1000);
  const tty = process.stdout.isTTY;
  if (!tty) console.log(`${what} …`);
  const tick = () =>
    tty ? process.stdout.write(`\r${what} … ${seconds()} s `) : console.log(`${what} … ${seconds()} s`);
  const timer = setInterval(tick, tty ? 1_000 : 10_000);
  const stop = () => {
    clearInterval(timer);
    if (tty) process.stdout.write('\r\x1b[K');
  };
  return { stop, seconds };
}

if (process.argv[1] && realpathSync(process.argv[1]) === fileURLToPath(import.meta.url)) {
  const [task = '', ...args] = process.argv.slice(2);
  const program = join('scripts', task, 'main.mts');
  if (!/^[a-z-]+$/.test(task) || !existsSync(join(root, program))) {
    console.error(`Usage: node scripts/bootstrap.mjs <task> [args]; there is no task "${task}"`);
    process.exit(2);
  }
  await ensureInstalled();
  await runWithNode24([program, ...args]);
}
