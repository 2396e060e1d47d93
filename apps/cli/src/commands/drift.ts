import { setTimeout as pause } from 'node:timers/promises';
import type { Command } from 'commander';
import {
  type EventOf,
  readEvent,
  type ShapeChange,
  type ShapeName,
  shapeShapes,
  shapeStream,
  sweepEvents,
} from '#libs/contracts';
import { eventsOf, newestIn, newestOf, type Pool } from '#libs/event-store';
import { readStreamId } from '#libs/process';
import { type Recipe, usesOf } from '#libs/recipes';
import { recipesIfKnown } from '../live-recipes';
import { print } from '../output';
import { Progress } from '../progress';
import { timeBefore } from '../since';
import { withStore } from '../store';
import { askForLook } from '../sweeps';

const LOOK_EVERY_MS = 300;

interface Options {
  tenant?: string;
  since: string;
  now: boolean;
  check: boolean;
  json: boolean;
}

/** `refrain drift`: what became other in the portals. */
export function addDrift(program: Command): void {
  program
    .command('drift')
    .description(
      'show which types, properties, pipelines, stages and owners of the portal are new, gone or other than they were',
    )
    .option('--tenant <name>', 'whose portal; those of all tenants unless said')
    .option('--since <duration>', 'changes that were seen since so long ago', '30d')
    .option('--now', 'look now, not at the next time only', false)
    .option('--check', 'exit with 1 where something was seen', false)
    .option('--json', 'print as JSON', false)
    .action(drift);
}

async function drift({ tenant, since, now, check, json }: Options): Promise<void> {
  const from = new Date(timeBefore(since, '--since'));
  await withStore(async (pool) => {
    const known = (await parts(pool)).filter((part) => tenant === undefined || part.tenant === tenant);
    if (now) await lookNow(pool, known);
    const { recipes } = await recipesIfKnown();
    const rows = await rowsSince(pool, known, from, recipes);
    const all = rows.flatMap(({ changes }) => changes);
    print(json, { since: from.toISOString(), parts: rows }, textOf(rows, since));
    if (check && all.length > 0) process.exitCode = 1;
  });
}

async function parts(pool: Pool): Promise<ShapeName[]> {
  const looked = await newestOf(pool, 'shape', shapeShapes.ShapeLooked.wire);
  return looked.map(({ streamId }) => nameIn(streamId));
}

function nameIn(streamId: string): ShapeName {
  const { tenant, record } = readStreamId(streamId);
  return { tenant, part: record.id };
}

/** Asks crm-reader, and resolves when it has looked. */
async function lookNow(pool: Pool, names: readonly ShapeName[]): Promise<void> {
  const before = await looksAt(pool, names);
  for (const name of names) await askForLook(pool, name);
  const progress = new Progress(process.stderr);
  try {
    for (;;) {
      const done = (await looksAt(pool, names)).filter(({ look }, i) => look > (before[i]?.look ?? 0)).length;
      progress.show('looking at the portal', done, names.length);
      if (done === names.length) return;
      await pause(LOOK_EVERY_MS);
    }
  } finally {
    progress.end();
  }
}

type Looked = Extract<EventOf<typeof sweepEvents>, { type: 'ShapeLooked' }>['data'];

async function looksAt(pool: Pool, names: readonly ShapeName[]): Promise<(Looked & { at: Date })[]> {
  const { wire } = shapeShapes.ShapeLooked;
  const events = new Map((await newestIn(pool, names.map(shapeStream), wire)).map((event) => [event.streamId, event]));
  return names.flatMap((name) => {
    const event = events.get(shapeStream(name));
    return event ? [{ ...(readEvent(sweepEvents, wire, event.data).data as Looked), at: event.at }] : [];
  });
}

interface Row extends ShapeName {
  lookedAt: string;
  /** Why the last look failed. */
  code?: string;
  next: string;
  /** `recipes`: the live ones that use a property. */
  changes: (ShapeChange & { seenAt: string; recipes: string[] })[];
}

async function rowsSince(
  pool: Pool,
  names: readonly ShapeName[],
  since: Date,
  recipes: readonly Recipe[],
): Promise<Row[]> {
  const { wire, data } = shapeShapes.ShapeChanged;
  const seen = Map.groupBy(await eventsOf(pool, 'shape', wire, since), ({ streamId }) => streamId);
  const looks = await looksAt(pool, names);
  return names.flatMap((name, i) => {
    const look = looks[i];
    if (!look) return [];
    const changes = (seen.get(shapeStream(name)) ?? []).flatMap((event) =>
      data.parse(event.data).changes.map((change) => ({
        ...change,
        seenAt: event.at.toISOString(),
        recipes: usersOf(change.name, name, recipes),
      })),
    );
    return [{ ...name, lookedAt: look.at.toISOString(), code: look.code, next: look.next, changes }];
  });
}

function usersOf(changed: string, { tenant, part }: ShapeName, recipes: readonly Recipe[]): string[] {
  const uses = usesOf(recipes, tenant).properties.filter(
    ({ object, property }) => object === part && `property ${property}` === changed,
  );
  return [...new Set(uses.map(({ recipe }) => recipe))].sort();
}

const NOTHING_YET = 'No portal was looked at yet: crm-reader does when it runs.';

function textOf(rows: readonly Row[], since: string): string {
  if (rows.length === 0) return NOTHING_YET;
  return rows.flatMap((row) => [headOf(row, since), ...row.changes.map(lineOf)]).join('\n');
}

function headOf({ tenant, part, lookedAt, code, next, changes }: Row, since: string): string {
  const failed = code === undefined ? '' : `; it could not be read: ${code}`;
  const said = changes.length === 0 ? `nothing in ${since}` : `${String(changes.length)} in ${since}`;
  return `${tenant}  ${part}  ${said}; looked at ${lookedAt}, next at ${next}${failed}`;
}

function lineOf({ seenAt, name, from, to, recipes }: Row['changes'][number]): string {
  const used = recipes.length === 0 ? '' : `  used by ${recipes.join(', ')}`;
  return `  ${seenAt}  ${wordsOf(name, from, to)}${used}`;
}

function wordsOf(name: string, from: string | undefined, to: string | undefined): string {
  if (from === undefined) return `+ ${name}: ${String(to)}`;
  return to === undefined ? `- ${name}: ${from}` : `~ ${name}: ${from} → ${to}`;
}
