import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Client } from 'pg';
import { isListening } from './provide.mts';
import { isAlive, refrainDirectory } from './work-directory.mts';

const file = join(refrainDirectory, 'infra.json');

export interface StandingInfra {
  readonly kafkaBrokers: string;
  readonly databaseUrl: string;
  readonly pid: number;
}

/** Lets other processes of this checkout use what this one keeps running. */
export function announceStanding(infra: Omit<StandingInfra, 'pid'>): void {
  rmSync(file, { force: true }); // the mode below holds for a new file only
  writeFileSync(file, `${JSON.stringify({ ...infra, pid: process.pid }, null, 2)}\n`, { mode: 0o600 });
}

export function withdrawStanding(): void {
  if (readStanding()?.pid === process.pid) rmSync(file, { force: true });
}

/** Returns what `npm run infra` keeps running, after having asked both; nothing when its file is stale. */
export async function findStanding(): Promise<StandingInfra | undefined> {
  const standing = readStanding();
  if (!standing || !isAlive(standing.pid)) return undefined;
  const answers = await Promise.all([isListening(standing.kafkaBrokers), acceptsPassword(standing.databaseUrl)]);
  return answers.includes(false) ? undefined : standing;
}

function readStanding(): StandingInfra | undefined {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as StandingInfra;
  } catch {
    return undefined;
  }
}

async function acceptsPassword(databaseUrl: string): Promise<boolean> {
  const client = new Client({ connectionString: databaseUrl, connectionTimeoutMillis: 2_000 });
  try {
    await client.connect();
    return true;
  } catch {
    return false;
  } finally {
    await client.end().catch(() => {});
  }
}
