import type { Replay, ReplayItem } from '#libs/event-store';
import { courseOf, type ItemPlan, performed, type Verdict } from '#libs/process';

/** What applying a plan costs, by unit. */
interface Price {
  assumed: number;
  /** Of the calls that the plan shows. */
  cost: Record<string, number>;
  /** With all that answers which are not known yet may lead on to. */
  atMost: Record<string, number>;
}

/** What a plan comes to. */
export interface Summary extends Price {
  items: { planned: number; applied: number; held: number };
  then: Record<ItemPlan['then'], number>;
  events: Record<string, number>;
  /** By kind of effect, how many of each verdict. */
  effects: Record<string, Partial<Record<Verdict, number>>>;
  /** What applying with `--redo` comes to, where the request of an effect has changed. */
  redo?: Price;
  /** Callbacks for whose vendor's id no stream is known. */
  unmatched: number;
  /** Records that today's code cannot decide. */
  fails: number;
  /** Those of them whose handling ended the process, each in words. */
  killers: string[];
  text: string;
}

type Item = Omit<ReplayItem, 'body'>;
type Page = { after?: string; limit: number };

/** Adds up a plan's items, page by page. */
export async function summaryOf(read: (page: Page) => Promise<Item[]>, limit: number): Promise<Summary> {
  const summary: Omit<Summary, 'text'> = {
    items: { planned: 0, applied: 0, held: 0 },
    then: { same: 0, differs: 0, 'no then': 0 },
    events: {},
    effects: {},
    assumed: 0,
    unmatched: 0,
    fails: 0,
    killers: [],
    cost: {},
    atMost: {},
  };
  const redo: Price = { assumed: 0, cost: {}, atMost: {} };
  const held: string[] = [];
  for (let after: string | undefined; ;) {
    const page = await read({ after, limit });
    for (const item of page) {
      add(summary, item);
      price(redo, item.plan as ItemPlan, true);
      if (item.state === 'held' && held.length < 10)
        held.push(`  ${item.source} ${item.subject}: ${item.reason ?? ''}`);
    }
    after = page.at(-1)?.seq;
    if (page.length < limit) break;
  }
  if (Object.values(summary.effects).some(({ changed }) => changed)) summary.redo = redo;
  return { ...summary, text: textOf(summary, held) };
}

function add(summary: Omit<Summary, 'text'>, item: Item): void {
  const plan = item.plan as ItemPlan;
  summary.items[item.state] += 1;
  summary.then[plan.then] += 1;
  price(summary, plan, false);
  if (plan.unmatched !== undefined) summary.unmatched += 1;
  if (plan.fails !== undefined) summary.fails += 1;
  if (plan.code === 'killer') summary.killers.push(`  ${item.source} ${item.subject}: killer: ${plan.fails ?? ''}`);
  for (const type of plan.events) summary.events[type] = (summary.events[type] ?? 0) + 1;
  for (const { kind, verdict } of plan.effects) {
    const verdicts = (summary.effects[kind] ??= {});
    verdicts[verdict] = (verdicts[verdict] ?? 0) + 1;
  }
}

function price(sum: Price, plan: ItemPlan, redo: boolean): void {
  const { effects, assumed, further } = courseOf(plan, redo);
  if (assumed !== undefined) sum.assumed += 1;
  for (const { cost } of performed(effects, redo)) {
    count(sum.cost, cost);
    count(sum.atMost, cost);
  }
  count(sum.atMost, further);
}

function count(sum: Record<string, number>, cost: object = {}): void {
  for (const [unit, amount] of Object.entries(cost)) {
    const all = (sum[unit] ?? 0) + Number(amount);
    // Dollars are counted to a millionth.
    sum[unit] = unit === 'usd' ? Math.round(all * 1e6) / 1e6 : all;
  }
}

function textOf(summary: Omit<Summary, 'text'>, held: string[]): string {
  const counts = (of: Record<string, number>) =>
    Object.entries(of)
      .filter(([, n]) => n > 0)
      .map(([name, n]) => `${String(n)} ${name}`)
      .join(', ') || 'none';
  const costs = ({ cost, atMost }: Price) => `${counts(cost)}; at most ${counts(atMost)}`;
  const { redo } = summary;
  const effects = Object.entries(summary.effects).map(([kind, verdicts]) => `  ${kind.padEnd(18)} ${counts(verdicts)}`);
  return [
    `records    ${counts(summary.items)}`,
    `then       ${counts(summary.then)} (today's code on yesterday's state, against what was recorded)`,
    `events     ${counts(summary.events)}`,
    'effects',
    ...(effects.length > 0 ? effects : ['  none']),
    `assumed    ${String(summary.assumed)} records go on from an answer that is not known before the call`,
    ...(summary.unmatched > 0 ? [`unmatched  ${String(summary.unmatched)} callbacks of which no stream is known`] : []),
    ...(summary.fails > 0 ? [`fails      ${String(summary.fails)} records that today's code cannot decide`] : []),
    ...summary.killers,
    `cost       ${costs(summary)}, here; what other services then spend is not counted`,
    ...(redo ? [`--redo     ${costs(redo)}; ${String(redo.assumed)} records assumed`] : []),
    ...(held.length > 0 ? ['held', ...held] : []),
  ].join('\n');
}

/** Replays as lines for people. */
export const replayTable = (all: Replay[]): string =>
  all
    .map((replay) =>
      [
        replay.id,
        (replay.declared === undefined ? replay.state : 'preview').padEnd(9),
        replay.service.padEnd(19),
        replay.topic.padEnd(22),
        `${String(replay.recordsSeen)} records`,
        `by ${replay.requestedBy}`,
        ...(replay.batch ? ['in batches: see `refrain batches`'] : []),
        replay.error ?? '',
      ].join('  '),
    )
    .join('\n');
