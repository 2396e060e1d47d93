import { randomBytes } from 'node:crypto';
import { appendFileSync, chownSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Client } from 'pg';
import { runToEnd, startChild, waitForLog } from '../child.mts';
import { freePort, withFreshPorts } from '../free-port.mts';
import { makeWorkDirectory, makeWorkDirectoryFor } from '../work-directory.mts';
import { findBinaries, postgresUser, type Binaries, type User } from './binaries.mts';

const portTaken = /could not bind|could not create any TCP\/IP sockets/;

export interface PostgresServer {
  readonly databaseUrl: string;
  readonly version: string;
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
    const { child, port } = await withFreshPorts(() => listen(binaries, user, work.path), portTaken);
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
    return { databaseUrl: url('refrain'), version: binaries.version, stop };
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

async function listen(binaries: Binaries, user: User | undefined, directory: string) {
  const port = await freePort();
  const child = await startChild({
    name: 'Postgres',
    command: binaries.postgres,
    args: ['-D', join(directory, 'data'), '-p', String(port)],
    env: { PATH: process.env.PATH },
    cwd: directory,
    logFile: join(directory, `postgres-${port}.log`),
    stopSignal: 'SIGINT', // "fast": ends the sessions instead of waiting for them
    ...user,
  });
  await waitForLog(child, /database system is ready to accept connections/, 30_000).catch(async (error: unknown) => {
    await child.stop();
    throw error;
  });
  return { child, port };
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
