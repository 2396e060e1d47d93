import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import {
  type EventOf,
  readEvent,
  SHAPE_ASKED,
  type ShapeAsked,
  type ShapeName,
  shapeSubject,
  SWEEP_ASKED,
  SWEEP_SERVICE,
  type SweepAsked,
  type SweepEvent,
  sweepEvents,
  sweepLegStream,
  type SweepName,
  sweepStream,
  sweepSubject,
  Topic,
} from '#libs/contracts';
import { newestIn, type Pool } from '#libs/event-store';
import { tell } from '#libs/process';
import { Progress } from './progress';

type Type = SweepEvent['type'];
export type SweepData<T extends Type> = Extract<EventOf<typeof sweepEvents>, { type: T }>['data'];

const LOOK_EVERY_MS = 300;

/** What an event of a sweep says. */
export const dataOf = <T extends Type>(type: T, data: unknown): SweepData<T> =>
  readEvent(sweepEvents, sweepEvents.shapes[type].wire, data).data as SweepData<T>;

async function newest<T extends Type>(pool: Pool, stream: string, type: T): Promise<SweepData<T> | undefined> {
  const [event] = await newestIn(pool, [stream], sweepEvents.shapes[type].wire);
  return event && dataOf(type, event.data);
}

/** The newest sweep of a name: its number, 0 where there was none, and whether it is under way. */
export async function newestSweep(pool: Pool, name: SweepName) {
  const stream = sweepStream(name);
  const [began, ended] = [await newest(pool, stream, 'SweepBegan'), await newest(pool, stream, 'SweepEnded')];
  const sweep = Math.max(began?.sweep ?? 0, ended?.sweep ?? 0);
  return { sweep, isOpen: (began?.sweep ?? 0) > (ended?.sweep ?? 0), began, ended };
}

/** Asks crm-reader for a sweep. One that is under way is joined: nothing begins. */
export function askForSweep(pool: Pool, { tenant, ...name }: SweepName, over: Partial<SweepAsked>): Promise<void> {
  const value: SweepAsked = { ...name, ...over };
  return askReader(pool, { type: SWEEP_ASKED, tenant, subject: sweepSubject(name), value });
}

/** Asks crm-reader for a look at a part of a portal. */
export function askForLook(pool: Pool, { tenant, part }: ShapeName): Promise<void> {
  const value: ShapeAsked = { part };
  return askReader(pool, { type: SHAPE_ASKED, tenant, subject: shapeSubject(part), value });
}

interface Asked {
  type: string;
  tenant: string;
  subject: string;
  value: SweepAsked | ShapeAsked;
}

function askReader(pool: Pool, { value, ...about }: Asked): Promise<void> {
  const id = `asked-${randomUUID()}`;
  const time = new Date().toISOString();
  const envelope = { id, source: '/refrain', time, correlationid: id, ...about };
  return tell(pool, SWEEP_SERVICE, { topic: Topic.sweep, envelope, value });
}

/**
 * Shows progress on stderr until a sweep of that number or a later one has ended; resolves to how. It goes on if this
 * process does not: `again` says how to look at it once more.
 */
export async function followSweep(pool: Pool, name: SweepName, sweep: number, again: string) {
  const progress = new Progress(process.stderr);
  const interrupted = () => {
    progress.end();
    process.stderr.write(`It goes on without you; \`${again}\` shows it again.\n`);
    process.exit(130);
  };
  process.once('SIGINT', interrupted);
  const place = { sweep, leg: 1 };
  try {
    for (;;) {
      const { ended, began } = await newestSweep(pool, name);
      if (ended && ended.sweep >= sweep) return ended;
      if (began && began.sweep > place.sweep) Object.assign(place, { sweep: began.sweep, leg: 1 });
      await show(pool, name, place, progress);
      await pause(LOOK_EVERY_MS);
    }
  } finally {
    process.off('SIGINT', interrupted);
    progress.end();
  }
}

async function show(pool: Pool, name: SweepName, place: { sweep: number; leg: number }, progress: Progress) {
  const stream = () => sweepLegStream(name, place.sweep, place.leg);
  while (await newest(pool, stream(), 'SweepHandedOn')) place.leg += 1;
  const read = await newest(pool, stream(), 'SweepPageRead');
  const leg = read ?? (await newest(pool, stream(), 'SweepLegBegan'));
  if (leg) progress.show(`reading ${name.object}`, leg.found, leg.total ?? leg.found);
  else progress.show(`waiting for ${SWEEP_SERVICE}`, 0, 0);
}
