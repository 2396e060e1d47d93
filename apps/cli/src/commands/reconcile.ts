import type { Command } from 'commander';
import { foundStream, sweepEvents, type SweepName, sweepStream } from '#libs/contracts';
import { countFollowed, newestOf, newestIn, type Pool } from '#libs/event-store';
import { byOption } from '../operator';
import { print } from '../output';
import { withStore } from '../store';
import { askForSweep, dataOf, followSweep, newestSweep } from '../sweeps';

const { shapes } = sweepEvents;
const DAY_MS = 86_400_000;
const DAYS = 7;

/** `refrain reconcile`: up to when nothing is missing, and what was made good. */
export function addReconcile(program: Command): void {
  program
    .command('reconcile')
    .description(
      'show up to when every change of the records by which recipes go was said, and how many that were missed were made ' +
        `good in the last ${String(DAYS)} days`,
    )
    .option('--now', 'look for what was missed now, not at the next time only', false)
    .addOption(byOption())
    .option('--json', 'print as JSON', false)
    .action(reconcile);
}

async function reconcile({ now, by, json }: { now: boolean; by: string; json: boolean }): Promise<void> {
  await withStore(async (pool) => {
    const names = await reconciled(pool);
    if (now) for (const name of names) await once(pool, name, by);
    const rows = await Promise.all(names.map((name) => rowOf(pool, name)));
    print(
      json,
      { objects: rows },
      rows.map(textOf).join('\n') || 'Nothing was reconciled yet: crm-reader begins when it runs.',
    );
  });
}

/** Of which tenants and types of records sweeps were made by schedule. */
async function reconciled(pool: Pool): Promise<SweepName[]> {
  const began = await newestOf(pool, 'sweep', shapes.SweepBegan.wire);
  return began.flatMap(({ streamId, data }) => {
    const { object, origin } = dataOf('SweepBegan', data);
    const tenant = /^sweep-([^:]+):/.exec(streamId)?.[1] ?? '';
    return origin === 'reconcile' ? [{ tenant, object, origin }] : [];
  });
}

async function once(pool: Pool, name: SweepName, by: string): Promise<void> {
  const { sweep, isOpen } = await newestSweep(pool, name);
  if (!isOpen) await askForSweep(pool, name, { by });
  await followSweep(pool, name, isOpen ? sweep : sweep + 1, 'refrain reconcile');
}

interface Row {
  tenant: string;
  object: string;
  completeUpTo?: string;
  ageSeconds?: number;
  counted?: { hubspot: number; found: number };
  gapsFilled: number;
  /** Why the last one did not make it complete. */
  code?: string;
  next?: string;
}

async function rowOf(pool: Pool, name: SweepName): Promise<Row> {
  const { tenant, object } = name;
  const { ended } = await newestSweep(pool, name);
  const gapsFilled = await countFollowed(pool, {
    prefix: foundStream(tenant, { type: object, id: '' }),
    type: shapes.RecordFound.wire,
    where: { origin: 'reconcile' },
    since: new Date(Date.now() - DAYS * DAY_MS),
  });
  const upTo = await completeUpTo(pool, name);
  const ageSeconds = upTo && Math.round((Date.now() - Date.parse(upTo.at)) / 1_000);
  return {
    tenant,
    object,
    ...(upTo ? { completeUpTo: upTo.at, ageSeconds, counted: upTo.counted } : {}),
    gapsFilled,
    code: ended?.code,
    next: ended?.next,
  };
}

async function completeUpTo(pool: Pool, name: SweepName) {
  const [event] = await newestIn(pool, [sweepStream(name)], shapes.CompleteUpTo.wire);
  return event && dataOf('CompleteUpTo', event.data);
}

function textOf({ tenant, object, completeUpTo: upTo, ageSeconds = 0, counted, gapsFilled, code, next }: Row): string {
  const complete = upTo
    ? `complete up to ${upTo} (${String(Math.round(ageSeconds / 60))} min ago)`
    : 'not known to be complete yet';
  const numbers = counted ? `, HubSpot counted ${String(counted.hubspot)}, found ${String(counted.found)}` : '';
  const failed = code === undefined ? '' : `; the last time it was not: ${code}`;
  return `${tenant}  ${object}  ${complete}${numbers}; ${String(gapsFilled)} gaps filled in ${String(DAYS)} days${failed}${next ? `; next at ${next}` : ''}`;
}
