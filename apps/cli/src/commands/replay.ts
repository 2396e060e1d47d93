import { type Command, Option } from 'commander';
import { services, Topic } from '#libs/contracts';
import {
  moveReplay,
  type Pool,
  replayPlans,
  replays,
  type ReplaySelection,
  requestReplay,
  type ReplayState,
  setReplayBudget,
} from '#libs/event-store';
import { inDollars, usdOption } from '../dollars';
import { byOption } from '../operator';
import { print, UsageError } from '../output';
import { follow, known, PAGE } from '../replays';
import { budgetLines } from '../replay-budget';
import { replayTable, summaryOf } from '../replay-summary';
import { withStore } from '../store';

interface PlanOptions extends ReplaySelection {
  service: string;
  topic: string;
  offset: string[];
  all: boolean;
  read: boolean;
  beyondReceipts: boolean;
  batch: boolean;
  by: string;
  wait: boolean;
  json: boolean;
}

/** `refrain replay`: look at yesterday's records again with today's code; first as a plan, then as shown. */
export function addReplay(program: Command): void {
  const replay = program
    .command('replay')
    .enablePositionalOptions()
    .description("show what today's code would do about records of a topic; nothing is done before `replay apply`")
    .addOption(new Option('--service <name>', 'the service that looks again').choices(services))
    .addOption(new Option('--topic <name>', 'the topic whose records it looks at').choices(Object.values(Topic)))
    .option('--from <time>', 'first time of the records, RFC 3339')
    .option('--to <time>', 'time up to which records are taken, RFC 3339')
    .option('--offset <partition:first:end>', 'offsets instead of times; once per partition', collect, [])
    .option('--tenant <name>', 'only records of this tenant')
    .option('--subject <record>', 'only records about this one, such as contact:541935488729')
    .option(
      '--filter <expression>',
      'CEL over id, key, tenant, subject, type, time and value: value.propertyName == "email"',
    )
    .option('--all', 'all records of the topic; there is no scope by default', false)
    .option('--read', 'fetch answers that are missing, of queries only, so that nothing after them is a guess', false)
    .option('--beyond-receipts', 'plan records that are older than the receipts too: all their effects look new', false)
    .option(
      '--batch',
      'what it asks a language model may take a day and goes by batches, at half the price; all that follows gives way',
      false,
    )
    .addOption(byOption())
    .option('--no-wait', 'only ask for the plan')
    .option('--json', 'print as JSON', false)
    .action(plan);
  command(replay, 'ls', 'list replays, newest first').action(ls);
  command(replay, 'show <id>', 'show a plan, and what became of it').action(show);
  command(replay, 'apply <id>', 'do what the plan shows')
    .option('--redo', 'make effects again whose request has changed', false)
    .option('--budget <usd>', 'what its calls may cost, in US dollars; what would cost more waits until it is raised')
    .option('--no-wait', 'only start it')
    .action(apply);
  command(replay, 'budget <id> <usd>', 'say anew what its calls may cost, in US dollars; what waited goes on').action(
    budget,
  );
  command(replay, 'pause <id>', 'stop after the item in hand').action((id: string) => move(id, ['applying'], 'paused'));
  command(replay, 'resume <id>', 'go on').action((id: string) => move(id, ['paused'], 'applying'));
  command(replay, 'abort <id>', 'give it up; what was applied stays').action((id: string) =>
    move(id, ['requested', 'planned', 'applying', 'paused'], 'aborted'),
  );
}

const command = (parent: Command, name: string, says: string): Command =>
  parent.command(name).description(says).option('--json', 'print as JSON', false);

const collect = (value: string, before: string[]): string[] => [...before, value];

function selectionOf({ from, to, offset, tenant, subject, filter, all }: PlanOptions): ReplaySelection {
  const offsets = Object.fromEntries(
    offset.map((text) => {
      const [partition, first, end] = /^(\d+):(\d+):(\d+)$/.exec(text)?.slice(1) ?? [];
      if (!partition || !first || !end) throw new UsageError(`--offset ${text} is not partition:first:end`);
      return [partition, [first, end] as [string, string]];
    }),
  );
  for (const time of [from, to]) {
    if (time !== undefined && Number.isNaN(Date.parse(time))) throw new UsageError(`${time} is no time of RFC 3339`);
  }
  const selection = { from, to, tenant, subject, filter, offsets: offset.length > 0 ? offsets : undefined };
  if (!all && Object.values(selection).every((value) => value === undefined)) {
    throw new UsageError(
      'nothing was selected; give --from, --to, --offset, --tenant, --subject or --filter, or --all',
    );
  }
  return selection;
}

async function plan(_: unknown, command: Command): Promise<void> {
  const options = command.opts<PlanOptions>();
  const { service, topic, by, wait, json, read, beyondReceipts, batch } = options;
  if (!service || !topic) throw new UsageError('--service and --topic are needed');
  const selection = selectionOf(options);
  await withStore(async (pool) => {
    const id = await requestReplay(pool, { service, topic, selection, by, reads: read, beyondReceipts, batch });
    if (wait) await follow(pool, id, ['planned', 'aborted']);
    await printReplay(pool, id, json);
  });
}

async function ls({ json }: { json: boolean }): Promise<void> {
  const all = await withStore((pool) => replays(pool));
  print(json, { replays: all }, all.length === 0 ? 'No replays yet.' : replayTable(all));
}

async function show(id: string, { json }: { json: boolean }): Promise<void> {
  await withStore((pool) => printReplay(pool, id, json));
}

async function apply(
  id: string,
  options: { redo: boolean; budget?: string; wait: boolean; json: boolean },
): Promise<void> {
  const usd = options.budget === undefined ? undefined : usdOption(options.budget);
  await withStore(async (pool) => {
    if (usd !== undefined && !(await setReplayBudget(pool, id, usd))) throw new Error(noBudget(id));
    const started = await moveReplay(pool, id, ['planned'], 'applying', { redo: options.redo });
    if (!started)
      throw new Error(`${id} is not a plan that waits to be applied; \`replay show ${id}\` says what it is`);
    if (options.wait) await follow(pool, id, ['done', 'paused', 'aborted']);
    await printReplay(pool, id, options.json);
  });
}

const noBudget = (id: string): string => `${id} is no replay that a budget can bound: \`replay ls\` lists them`;

async function budget(id: string, text: string, { json }: { json: boolean }): Promise<void> {
  const usd = usdOption(text);
  await withStore(async (pool) => {
    if (!(await setReplayBudget(pool, id, usd))) throw new Error(noBudget(id));
    print(json, { id, budgetUsd: usd }, `${id} may spend ${inDollars(usd)}.`);
  });
}

async function move(id: string, from: ReplayState[], to: ReplayState): Promise<void> {
  await withStore(async (pool) => {
    if (!(await moveReplay(pool, id, from, to))) throw new Error(`${id} is not ${from.join(' or ')}`);
    print(false, { id, state: to }, `${id} is ${to}.`);
  });
}

async function printReplay(pool: Pool, id: string, json: boolean): Promise<void> {
  const replay = await known(pool, id);
  const summary = await summaryOf((page) => replayPlans(pool, id, page), PAGE);
  const budget = await budgetLines(pool, replay, summary);
  print(json, { replay, ...summary, budget }, [replayTable([replay]), summary.text, ...budget].join('\n'));
}
