import { setTimeout as pause } from 'node:timers/promises';
import {
  countReplayItems,
  type Pool,
  type Replay,
  replayOf,
  type ReplayState,
  waitsForBudget,
} from '#libs/event-store';
import { Progress } from './progress';

/** Items of a plan that are read at once. */
export const PAGE = 5_000;

const LOOK_EVERY_MS = 300;

/** A replay that must be there. */
export async function known(pool: Pool, id: string): Promise<Replay> {
  const replay = await replayOf(pool, id);
  if (!replay) throw new Error(`there is no replay ${id}; \`replay ls\` lists them`);
  return replay;
}

/** Shows progress on stderr until the replay is in one of the states. The replay goes on if this process does not. */
export async function follow(pool: Pool, id: string, until: ReplayState[]): Promise<void> {
  const progress = new Progress(process.stderr);
  for (;;) {
    const replay = await known(pool, id);
    if (replay.state === 'failed') throw new Error(`${id} failed: ${replay.error ?? ''}`);
    if (until.includes(replay.state)) break;
    progress.show(await whatOf(pool, replay), ...(await doneOf(pool, replay)));
    await pause(LOOK_EVERY_MS);
  }
  progress.end();
}

async function whatOf(pool: Pool, replay: Replay): Promise<string> {
  if (replay.state !== 'applying') return 'planning';
  return (await waitsForBudget(pool, replay)) ? 'waiting for its budget' : 'applying';
}

async function doneOf(pool: Pool, replay: Replay): Promise<[done: number, total: number]> {
  if (replay.state !== 'applying') return [replay.recordsSeen, replay.recordsTotal ?? 0];
  const { all, open } = await countReplayItems(pool, replay.id);
  return [all - open, all];
}
