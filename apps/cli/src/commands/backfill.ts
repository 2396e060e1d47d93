import type { Command } from 'commander';
import { type SweepName, objectTypeNamed } from '#libs/contracts';
import { doneBy, gates, type LimitState, type Pool } from '#libs/event-store';
import { RECORDS_A_PAGE } from '#libs/vendors/hubspot';
import { withAccounts } from '../accounts';
import { byOption } from '../operator';
import { print, UsageError } from '../output';
import { timeBefore } from '../since';
import { withStore } from '../store';
import { askForSweep, followSweep, newestSweep } from '../sweeps';

interface Options {
  tenant: string;
  since?: string;
  properties?: string;
  dryRun: boolean;
  batch: boolean;
  by: string;
  wait: boolean;
  json: boolean;
}

/** `refrain backfill`: lets the recipes look at records that HubSpot has already. */
export function addBackfill(program: Command): void {
  program
    .command('backfill <object>')
    .description(
      'read the records of a type from HubSpot, such as contacts; each counts like the last change of the properties by ' +
        'which recipes go: what was handled already costs nothing, what was missed is made good',
    )
    .option('--tenant <name>', 'whose records', 'default')
    .option(
      '--since <time>',
      'only changes since then: 2026-11-01, RFC 3339, or so long ago, such as 7d; all unless said',
    )
    .option('--properties <names>', 'these, separated by commas, instead of those that live recipes go by')
    .option('--dry-run', 'only count the records and the calls that it would take', false)
    .option('--batch', 'what is asked of a language model may take a day and goes by batches, at half the price', false)
    .addOption(byOption())
    .option('--no-wait', 'only ask for it')
    .option('--json', 'print as JSON', false)
    .action(backfill);
}

async function backfill(named: string, options: Options): Promise<void> {
  const { tenant, by, wait, json, dryRun, batch } = options;
  const object = objectTypeNamed(named);
  const from = options.since === undefined ? undefined : timeOf(options.since);
  const properties = options.properties?.split(',').map((property) => property.trim());
  const name: SweepName = { tenant, object, origin: 'backfill' };
  await withStore(async (pool) => {
    if (dryRun) return estimate(pool, name, from, json);
    const { sweep, isOpen, began } = await newestSweep(pool, name);
    const again = `refrain backfill ${named}${tenant === 'default' ? '' : ` --tenant ${tenant}`}`;
    const other = batch && !began?.batch ? ' It goes on without --batch.' : '';
    if (isOpen) process.stderr.write(`One is under way since before: this is number ${String(sweep)}.${other}\n`);
    else await askForSweep(pool, name, { from, properties, by, batch });
    const number = isOpen ? sweep : sweep + 1;
    if (!wait) {
      print(
        json,
        { object, sweep: number },
        `Backfill ${String(number)} of ${object} records is asked for; \`${again}\` shows it.`,
      );
      return;
    }
    const ended = await followSweep(pool, name, number, again);
    if (ended.code !== undefined)
      throw new Error(reasons[ended.code] ?? `it could not be read to its end: ${ended.code}`);
    print(
      json,
      ended,
      `${String(ended.found)} ${object} records were read; \`refrain ${batch ? 'batches' : 'limits'}\` shows what follows from them.`,
    );
  });
}

const reasons: Readonly<Record<string, string>> = {
  'no-recipe': 'no live recipe goes by such records: name --properties, or publish a recipe first',
  'no-such-tenant': 'crm-reader knows no HubSpot account of the tenant: declare it in TENANTS_FILE',
};

function timeOf(since: string): string {
  if (/^\d+[mhd]$/.test(since)) return timeBefore(since, '--since');
  const time = Date.parse(since);
  if (Number.isNaN(time)) throw new UsageError(`--since ${since} is no time such as 2026-11-01 or 7d`);
  return new Date(time).toISOString();
}

async function estimate(
  pool: Pool,
  { tenant, object }: SweepName,
  from: string | undefined,
  json: boolean,
): Promise<void> {
  const asked = { object, ...(from === undefined ? {} : { modified: { from } }) };
  const counted = await withAccounts((accounts) =>
    accounts().hubspot.of(tenant).count(asked, AbortSignal.timeout(20_000)),
  );
  if (counted.outcome !== 'done') throw new Error(`HubSpot did not count: ${counted.code} ${counted.message}`);
  const records = counted.value;
  const pages = Math.max(1, Math.ceil(records / RECORDS_A_PAGE));
  // A search is followed by a reading; a list shows all by itself, and is counted once.
  const calls = from === undefined ? pages + 1 : 2 * pages;
  const { at, gates: all } = await gates(pool);
  const limits = all.find((gate) => gate.tenant === tenant && gate.vendor === 'hubspot')?.limits ?? [];
  const of = (limit: LimitState) => doneBy([limit], limit.dayEnds ? calls : pages, at).getTime();
  const searching = (limit: LimitState) => limit.name !== 'search' || from !== undefined;
  const doneAt = new Date(Math.max(at.getTime(), ...limits.filter(searching).map(of)));
  const text = `${String(records)} ${object} records in ${String(pages)} pages: ${String(calls)} calls, done by ${doneAt.toISOString()} at the earliest. What recipes make of them is not counted.`;
  print(json, { object, records, pages, calls, doneBy: doneAt }, text);
}
