import { spawn } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { Unavailable } from './unavailable.mts';

const names = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'];
const elsewhere = ['/Applications/Google Chrome.app/Contents/MacOS', '/Applications/Chromium.app/Contents/MacOS'];
const namesElsewhere = ['Google Chrome', 'Chromium'];

/** What installs it where we may: a package of the system, which brings the libraries that it needs. */
const install = 'apt-get update -qq && apt-get install -qq -y --no-install-recommends chromium';

/**
 * Returns the browser that tests drive: CHROMIUM_PATH, else one of this machine, else the system's package, installed
 * now where we may do that. Throws Unavailable, saying what to do.
 */
export async function provideChromium(env: Record<string, string | undefined> = process.env): Promise<string> {
  const given = env.CHROMIUM_PATH;
  if (given) {
    if (isProgram(given)) return given;
    throw new Unavailable(`CHROMIUM_PATH is set, but ${given} is no program`);
  }
  const found = find(env);
  if (found !== undefined) return found;
  if (process.getuid?.() !== 0 || !on(env, 'apt-get')) throw missing('it is not on the PATH');
  console.log('Installing Chromium (the package of this system) …');
  const code = await run(install);
  return find(env) ?? fail(code);
}

function find(env: Record<string, string | undefined>): string | undefined {
  const paths = [
    ...names.map((name) => on(env, name)),
    ...namesElsewhere.flatMap((name) => elsewhere.map((folder) => join(folder, name))),
  ];
  return paths.find((path) => path !== undefined && isProgram(path));
}

function on(env: Record<string, string | undefined>, name: string): string | undefined {
  const folders = [...(env.PATH ?? '').split(delimiter), '/usr/bin'].filter((folder) => folder !== '');
  return folders.map((folder) => join(folder, name)).find(isProgram);
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

function run(command: string): Promise<number> {
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  const child = spawn('sh', ['-c', command], { env, stdio: ['ignore', 'ignore', 'inherit'] });
  return new Promise((resolve) => {
    child.once('error', () => resolve(1));
    child.once('exit', (code) => resolve(code ?? 1));
  });
}

function fail(code: number): never {
  throw missing(`\`${install}\` ended with ${code}`);
}

const missing = (why: string): Unavailable =>
  new Unavailable(
    `Tests of HubSpot's card need Chromium or Chrome, and ${why}.\n` +
      'Install it (Debian, Ubuntu: apt-get install chromium), or name its program by CHROMIUM_PATH.',
  );
