import type { Command } from 'commander';
import { Topic } from '#libs/contracts';
import { type Pool, replayPlans, type ReplaySelection, requestReplay } from '#libs/event-store';
import { readRecipes } from '#libs/recipes';
import { byOption } from '../operator';
import { print, UsageError } from '../output';
import { type Comparison, comparisonText, PlanComparison } from '../preview';
import { recipeFiles } from '../recipe-files';
import { referenceIn, tablesOption } from '../reference';
import { follow, PAGE } from '../replays';
import { withStore } from '../store';

interface PreviewOptions {
  tables?: string;
  last?: string;
  from?: string;
  to?: string;
  filter?: string;
  rows: string;
  by: string;
  json: boolean;
}

/** `refrain recipes preview`: what a new version would do about real events of the past, without doing it. */
export function addPreview(recipes: Command): void {
  recipes
    .command('preview <path>')
    .description(
      'show, record by record, what the recipes of a file or folder would do otherwise than those that run; nothing is done',
    )
    .addOption(tablesOption())
    .option('--last <duration>', 'records of the last 30m, 24h or 7d; 24h unless --from or --to is given')
    .option('--from <time>', 'first time of the records, RFC 3339')
    .option('--to <time>', 'time up to which records are taken, RFC 3339')
    .option('--filter <expression>', 'CEL over id, key, tenant, subject, type, time and value: id == "…" for one event')
    .option('--rows <number>', 'how many of the records that would go otherwise are shown', '20')
    .addOption(byOption())
    .option('--json', 'print as JSON', false)
    .action(preview);
}

/** Where steps of recipes are decided: the services, and the topics that they read for them. */
const places = [
  { service: 'render-service', topic: Topic.ingressHubspot },
  { service: 'enrichment-service', topic: Topic.ingressHubspot },
  { service: 'crm-writer', topic: Topic.ingressHubspot },
  { service: 'crm-writer', topic: Topic.enrichment },
  { service: 'crm-writer', topic: Topic.render },
];
type Place = (typeof places)[number];

async function preview(path: string, options: PreviewOptions): Promise<void> {
  const files = recipeFiles(path);
  readRecipes(files, undefined, referenceIn(options.tables));
  const selection = selectionOf(options);
  const most = Number(options.rows);
  if (!Number.isInteger(most) || most < 0) throw new UsageError(`--rows ${options.rows} is no whole number`);
  const compared = await withStore(async (pool) => {
    const all: (Place & Comparison)[] = [];
    for (const place of places)
      all.push({ ...place, ...(await compare(pool, place, { selection, by: options.by }, files, most)) });
    return all.filter(({ rows }) => rows > 0);
  });
  const lines = compared.flatMap((one) => [`${one.service}, ${one.topic}`, ...comparisonText(one)]);
  print(
    options.json,
    { compared },
    [...(lines.length > 0 ? lines : ['No record of that time is about a recipe.']), 'Nothing was done.'].join('\n'),
  );
}

/** Plans twice, by what runs and by what is declared, and compares. Neither plan can be applied. */
async function compare(
  pool: Pool,
  place: Place,
  asked: { selection: ReplaySelection; by: string },
  files: object[],
  most: number,
): Promise<Comparison> {
  const comparison = new PlanComparison(most);
  const ids = await Promise.all([[], files].map((declared) => requestReplay(pool, { ...place, ...asked, declared })));
  const [now = '', then = ''] = ids;
  for (const id of ids) await follow(pool, id, ['planned', 'aborted']);
  await eachPage(pool, now, (items) => comparison.now(items));
  await eachPage(pool, then, (items) => comparison.then(items));
  return comparison.result();
}

type Items = Awaited<ReturnType<typeof replayPlans>>;

async function eachPage(pool: Pool, id: string, take: (items: Items) => void): Promise<void> {
  for (let after: string | undefined; ;) {
    const items = await replayPlans(pool, id, { after, limit: PAGE });
    take(items);
    after = items.at(-1)?.seq;
    if (items.length < PAGE) return;
  }
}

const units: Record<string, number> = { m: 60_000, h: 3_600_000, d: 86_400_000 };

function selectionOf({ last, from, to, filter }: PreviewOptions): ReplaySelection {
  for (const time of [from, to]) {
    if (time !== undefined && Number.isNaN(Date.parse(time))) throw new UsageError(`${time} is no time of RFC 3339`);
  }
  if (last !== undefined && (from !== undefined || to !== undefined))
    throw new UsageError('--last goes without --from and --to');
  return from === undefined && to === undefined ? { from: before(last), filter } : { from, to, filter };
}

function before(duration = '24h'): string {
  const [, count = '', unit = ''] = /^(\d+)([mhd])$/.exec(duration) ?? [];
  const ms = Number(count) * (units[unit] ?? Number.NaN);
  if (!Number.isFinite(ms)) throw new UsageError(`--last ${duration} is no duration such as 30m, 24h or 7d`);
  return new Date(Date.now() - ms).toISOString();
}
