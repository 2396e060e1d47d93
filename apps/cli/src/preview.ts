import type { ReplayItem } from '#libs/event-store';
import { type ItemPlan, performed } from '#libs/process';

type Item = Pick<ReplayItem, 'source' | 'subject' | 'plan'>;

/** A record about which the recipes as declared would do something else than those that are live. */
export interface ChangedRow {
  /** Topic, partition and offset. */
  source: string;
  subject: string;
  /** What would be done by the live ones, and by the declared ones; nothing where a change sets off nothing. */
  now: string;
  then: string;
  /** From here on it is a guess. */
  assumed: boolean;
}

/** What two plans over the same records come to. */
export interface Comparison {
  /** Records that either would do something about. */
  rows: number;
  same: number;
  changed: number;
  /** Of the changed ones: those that set off nothing before, and those that set off nothing any more. */
  newlySetOff: number;
  noLongerSetOff: number;
  /** Records that would have been rejected and were not: a value is missing, a condition or an expression fails. */
  newlyRejected: number;
  assumed: number;
  /** What applying the one and the other would cost, by unit. */
  cost: { now: Record<string, number>; then: Record<string, number> };
  examples: ChangedRow[];
}

/** Compares two plans record by record: by the live recipes, and by the declared ones. Keeps so many examples. */
export class PlanComparison {
  private readonly before = new Map<string, { subject: string; doing: string; rejects: boolean }>();
  private readonly found: Comparison = {
    rows: 0,
    same: 0,
    changed: 0,
    newlySetOff: 0,
    noLongerSetOff: 0,
    newlyRejected: 0,
    assumed: 0,
    cost: { now: {}, then: {} },
    examples: [],
  };

  constructor(private readonly most: number) {}

  /** All items of the plan by the live recipes come first. */
  now(items: readonly Item[]): void {
    for (const { source, subject, plan } of items) {
      this.before.set(source, { subject, doing: doingOf(plan as ItemPlan), rejects: rejects(plan as ItemPlan) });
      count(this.found.cost.now, plan as ItemPlan);
    }
  }

  then(items: readonly Item[]): void {
    for (const { source, subject, plan } of items) {
      const before = this.before.get(source);
      const now = before?.doing ?? NOTHING;
      this.before.delete(source);
      if (rejects(plan as ItemPlan) && !before?.rejects) this.found.newlyRejected += 1;
      const then = doingOf(plan as ItemPlan);
      const { assumed } = plan as ItemPlan;
      count(this.found.cost.then, plan as ItemPlan);
      this.add({ source, subject, now, then, assumed: assumed !== undefined });
    }
  }

  /** To be called once both plans were read. */
  result(): Comparison {
    for (const [source, { subject, doing }] of this.before)
      this.add({ source, subject, now: doing, then: NOTHING, assumed: false });
    this.before.clear();
    return this.found;
  }

  private add(row: ChangedRow): void {
    const { found, most } = this;
    found.rows += 1;
    if (row.assumed) found.assumed += 1;
    if (row.now === row.then) {
      found.same += 1;
      return;
    }
    found.changed += 1;
    if (row.now === NOTHING) found.newlySetOff += 1;
    if (row.then === NOTHING) found.noLongerSetOff += 1;
    if (found.examples.length < most) found.examples.push(row);
  }
}

const NOTHING = 'nothing';

/** Whether a record would have been rejected, had it come when the service was so; told also where it was done since. */
const rejects = ({ afresh, events }: ItemPlan): boolean =>
  (afresh ?? events).some((type) => /\.rejected\.v\d/.test(type));

/** What a plan would do, in one line: equal lines, equal doing. A request is told from another by the start of its hash. */
function doingOf({ events, effects, fails }: ItemPlan): string {
  if (fails !== undefined) return `fails: ${fails}`;
  const calls = effects.map(({ kind, verdict, requestHash }) => `${kind} ${verdict} (${requestHash.slice(0, 8)})`);
  return [...events, ...calls].join(', ') || NOTHING;
}

function count(sum: Record<string, number>, { effects }: ItemPlan): void {
  for (const { cost = {} } of performed(effects, false)) {
    for (const [unit, amount] of Object.entries(cost)) sum[unit] = (sum[unit] ?? 0) + Number(amount);
  }
}

/** A comparison as lines for people. */
export function comparisonText({ cost, examples, ...found }: Comparison): string[] {
  const costs = (of: Record<string, number>) =>
    Object.entries(of)
      .map(([unit, amount]) => `${String(amount)} ${unit}`)
      .join(', ') || 'nothing';
  const { rows, same, changed, newlySetOff, noLongerSetOff, newlyRejected, assumed } = found;
  return [
    `  ${String(rows)} records: ${String(same)} as now, ${String(changed)} otherwise (${String(newlySetOff)} newly set off, ${String(noLongerSetOff)} no longer, ${String(newlyRejected)} newly rejected)`,
    ...(assumed > 0 ? [`  ${String(assumed)} go on from an answer that is not known before the call`] : []),
    `  looked at again now they would cost ${costs(cost.then)}; by the live recipes ${costs(cost.now)}`,
    ...examples.flatMap(({ source, subject, now, then }) => [
      `  ${source}  ${subject}`,
      `    - ${now}`,
      `    + ${then}`,
    ]),
    ...(changed > examples.length && examples.length > 0 ? [`  … and ${String(changed - examples.length)} more`] : []),
  ];
}
