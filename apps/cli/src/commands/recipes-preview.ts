import type { Command } from 'commander';
import { Topic } from '#libs/contracts';
import { type Pool, replayPlans, type ReplaySelection, requestReplay } from '#libs/event-store';
import { readRecipes, selfContained } from '#libs/recipes';
import { environmentOption } from '../environment';
import { byOption } from '../operator';
import { print, UsageError } from '../output';
import { type Comparison, comparisonText, PlanComparison } from '../preview';
import { recipeFiles } from '../recipe-files';
import { asksOption, referenceIn, tablesOption } from '../reference';
import { previewSample, sampleText } from '../sample-preview';
import { follow, PAGE } from '../replays';
import { timeBefore } from '../since';
import { withStore } from '../store';

interface PreviewOptions {
  event?: string;
  sample?: string;
  environment: string;
  tables?: string;
  asks?: string;
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
    .addOption(asksOption())
    .option('--last <duration>', 'records of the last 30m, 24h or 7d; 24h unless --from or --to is given')
    .option('--from <time>', 'first time of the records, RFC 3339')
    .option('--to <time>', 'time up to which records are taken, RFC 3339')
    .option('--event <id>', 'the record of this id only; of the last 7 days unless --last, --from or --to is given')
    .option(
      '--sample <file>',
      'no records, but the cases of this file (YAML or JSON, as beside recipes; expect may be left out)',
    )
    .addOption(environmentOption())
    .option('--filter <expression>', 'CEL over id, key, tenant, subject, type, time and value: id == "…" for one event')
    .option('--rows <number>', 'how many of the records that would go otherwise are shown', '20')
    .addOption(byOption())
    .option('--json', 'print as JSON', false)
    .action(preview);
}

/** Where steps of recipes are decided: the services, and the topics that they read for them. */
const events = [Topic.ingressGeneric, Topic.enrichment, Topic.crm, Topic.sweep];
const places = [
  ...[Topic.ingressHubspot, ...events].map((topic) => ({ service: 'render-service', topic })),
  ...[Topic.ingressHubspot, ...events, Topic.render].map((topic) => ({ service: 'enrichment-service', topic })),
  ...[Topic.ingressHubspot, ...events, Topic.render].map((topic) => ({ service: 'crm-writer', topic })),
];
type Place = (typeof places)[number];

async function preview(path: string, options: PreviewOptions): Promise<void> {
  if (options.sample !== undefined) {
    const { sample, environment, tables, asks } = options;
    const compared = await previewSample(path, { sample, environment, tables, asks });
    print(options.json, { compared }, [...compared.flatMap(sampleText), 'Nothing was done.'].join('\n'));
    return;
  }
  const reference = referenceIn(path, options);
  const here = recipeFiles(path);
  readRecipes(here, options.environment, reference);
  const files = here.map(({ file, text }) => ({ file, text: selfContained(text, reference.asks) }));
  const selection = selectionOf(options);
  const most = Number(options.rows);
  if (!Number.isInteger(most) || most < 0) throw new UsageError(`--rows ${options.rows} is no whole number`);
  const compared = await withStore(async (pool) => {
    const asked = { selection, by: options.by };
    // All are asked for at once: the services plan beside one another.
    const plans = await Promise.all(
      places.map(async (place) => ({ place, ids: await requested(pool, place, asked, files) })),
    );
    const all: (Place & Comparison)[] = [];
    for (const { place, ids } of plans) all.push({ ...place, ...(await compare(pool, ids, most)) });
    return all.filter(({ rows }) => rows > 0);
  });
  const lines = compared.flatMap((one) => [`${one.service}, ${one.topic}`, ...comparisonText(one)]);
  print(
    options.json,
    { compared },
    [...(lines.length > 0 ? lines : ['No record of that time is about a recipe.']), 'Nothing was done.'].join('\n'),
  );
}

/** Asks for two plans, by what runs and by what is declared. Neither can be applied. */
const requested = (
  pool: Pool,
  place: Place,
  asked: { selection: ReplaySelection; by: string },
  files: object[],
): Promise<string[]> =>
  Promise.all([[], files].map((declared) => requestReplay(pool, { ...place, ...asked, declared })));

async function compare(pool: Pool, ids: string[], most: number): Promise<Comparison> {
  const comparison = new PlanComparison(most);
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

function selectionOf({ event, from, to, ...options }: PreviewOptions): ReplaySelection {
  const far = event !== undefined && from === undefined && to === undefined ? '7d' : undefined;
  const { last = far ?? '24h' } = options;
  const filter = event === undefined ? options.filter : ofEvent(event, options.filter);
  for (const time of [from, to]) {
    if (time !== undefined && Number.isNaN(Date.parse(time))) throw new UsageError(`${time} is no time of RFC 3339`);
  }
  if (options.last !== undefined && (from !== undefined || to !== undefined))
    throw new UsageError('--last goes without --from and --to');
  return from === undefined && to === undefined ? { from: timeBefore(last, '--last'), filter } : { from, to, filter };
}

const ofEvent = (id: string, filter: string | undefined): string =>
  [`id == ${JSON.stringify(id)}`, ...(filter === undefined ? [] : [`(${filter})`])].join(' && ');
