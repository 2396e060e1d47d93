import { randomBytes } from 'node:crypto';
import { appendFileSync, chownSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Client } from 'pg';
import { runToEnd, startChild, waitForLog } from '../child.mts';
import { freePort, withFreshPorts } from '../free-port.mts';
import { makeWorkDirectory, makeWorkDirectoryFor } from '../work-directory.mts';
import { findBinaries, postgresUser, type Binaries, type User } from './binaries.mts';

const portTaken = /could not bind|could not create any TCP\/IP sockets/;

export interface PostgresServer {
  readonly databaseUrl: string;
  readonly version: string;
  /** Ends the server as the kernel would; its data stays. */
  kill(): Promise<void>;
  /** Starts it again after a kill, on the same port and data. */
  restart(): Promise<void>;
  stop(): Promise<void>;
}

/**
 * Starts Postgres on a free loopback port with a new, empty database "refrain". It listens on TCP only and wants a
 * password, made here and passed in files, so that other users of this machine can neither read it nor do without it.
 */
export async function startPostgres(): Promise<PostgresServer> {
  const user = postgresUser();
  const work = user ? makeWorkDirectoryFor(user, 'postgres') : makeWorkDirectory('postgres');
  try {
    const binaries = await findBinaries(user, work.path);
    const password = randomBytes(24).toString('hex');
    await initialise(binaries, user, work.path, password);
    const first = await withFreshPorts(() => listen(binaries, user, work.path), portTaken);
    const { port } = first;
    let { child } = first;
    let starts = 1;
    const restart = async () => {
      const again = () => listen(binaries, user, work.path, port, `postgres-${++starts}.log`);
      ({ child } = await oncePredecessorIsGone(again));
    };
    const url = (database: string) => `postgresql://refrain:${password}@127.0.0.1:${port}/${database}`;
    const stop = async () => {
      await child.stop();
      work.remove();
    };
    try {
      await createDatabase(url('postgres'));
    } catch (error) {
      await stop();
      throw error;
    }
    return { databaseUrl: url('refrain'), version: binaries.version, kill: () => child.kill(), restart, stop };
  } catch (error) {
    work.remove();
    throw error;
  }
}

async function initialise(
  binaries: Binaries,
  user: User | undefined,
  directory: string,
  password: string,
): Promise<void> {
  const passwordFile = join(directory, 'password');
  writeFileSync(passwordFile, password, { mode: 0o600 });
  if (user) chownSync(passwordFile, user.uid, user.gid);
  await runToEnd({
    name: 'initdb',
    command: binaries.initdb,
    args: [
      ...['-D', join(directory, 'data'), '-U', 'refrain', `--pwfile=${passwordFile}`],
      ...['--auth=scram-sha-256', '--encoding=UTF8', '--locale=C', '--no-sync', '--no-instructions'],
    ],
    env: { PATH: process.env.PATH },
    cwd: directory,
    logFile: join(directory, 'initdb.log'),
    ...user,
  });
  rmSync(passwordFile);
  const settings = ["listen_addresses = '127.0.0.1'", "unix_socket_directories = ''", 'max_connections = 200'];
  appendFileSync(join(directory, 'data', 'postgresql.conf'), `${settings.join('\n')}\n`);
}

async function listen(binaries: Binaries, user: User | undefined, directory: string, wanted?: number, log?: string) {
  const port = wanted ?? (await freePort());
  const child = await startChild({
    name: 'Postgres',
    command: binaries.postgres,
    args: ['-D', join(directory, 'data'), '-p', String(port)],
    env: { PATH: process.env.PATH },
    cwd: directory,
    logFile: join(directory, log ?? `postgres-${port}.log`),
    stopSignal: 'SIGINT', // "fast": ends the sessions instead of waiting for them
    ...user,
  });
  await waitForLog(child, /database system is ready to accept connections/, 30_000).catch(async (error: unknown) => {
    await child.stop();
    throw error;
  });
  return { child, port };
}

// The sessions of a killed server end a little after it, and hold its shared memory until then.
async function oncePredecessorIsGone<T>(start: () => Promise<T>): Promise<T> {
  for (const deadline = Date.now() + 30_000; ;) {
    try {
      return await start();
    } catch (error) {
      if (Date.now() > deadline || !/shared memory|lock file/.test(String(error))) throw error;
      await sleep(200);
    }
  }
}

async function createDatabase(url: string): Promise<void> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    await client.query('create database refrain');
  } finally {
    await client.end();
  }
}
