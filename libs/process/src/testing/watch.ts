import {
  type ClaimedEffect,
  type EffectName,
  type Pool,
  type Step,
  type UnpublishedEvent,
  transitions,
} from '#libs/event-store';

interface Row extends EffectName {
  kind: string;
  state: keyof typeof transitions;
  order_key: string | null;
  /** The call that it shares with others; it follows that one's state. */
  shares: string | null;
  /** Whether it is such a call. */
  shared: boolean;
  seq: string;
}

/** How owners follow the call that they share, whatever moves that. */
const follows: Partial<Record<Row['state'], Row['state'][]>> = {
  owed: ['done', 'dead', 'held'],
  held: ['done', 'dead', 'owed'],
  dead: ['done'],
  cancelled: ['done'],
};

const nameOf = ({ slot, generation }: EffectName): string => `${slot}#${String(generation)}`;
const opens = new Set(['owed', 'running', 'unknown']);

/** The protocol's rules over everything that can be seen of a service, looked at after every step. */
export class Watch {
  /** Ids of the records that the service took over. */
  readonly accepted = new Set<string>();
  private effects = new Map<string, Row>();
  private readonly bills = new Map<string, number>();
  /** Calls beside the first: recorded repeats, and those that a person asked for. */
  private readonly allowed = new Map<string, number>();
  private readonly repeats = new Map<string, number>();
  private readonly seen = new Map<string, number>();

  constructor(
    private readonly pool: Pool,
    private readonly service: string,
  ) {}

  /** Reads the ledger again; each effect has moved by one of the given steps of protocol 15, or not at all. */
  async look(steps: Step[]): Promise<void> {
    const before = this.effects;
    this.effects = await this.ledger();
    for (const [seq, now] of this.effects) {
      const name = nameOf(now);
      const was = before.get(seq);
      if (!was) {
        if (now.state !== 'owed' && now.shares === null) throw new Error(`${name} began as ${now.state}`);
        continue;
      }
      if (was.state === now.state) continue;
      if (was.shares !== null && follows[was.state]?.includes(now.state)) continue;
      const step = steps.find((one) => transitions[was.state][one] === now.state);
      if (!step) throw new Error(`${name} went from ${was.state} to ${now.state} by ${steps.join(', ') || 'nothing'}`);
      if (step === 'resolve owed') add(this.allowed, name);
      if (step === 'repeat') this.repeated(now, name);
    }
    for (const [seq, was] of before) if (!this.effects.has(seq)) throw new Error(`${nameOf(was)} is gone`);
    this.orderHolds();
  }

  /** Effects of one order key are claimed in the order in which they were owed (protocol 16). */
  async claimed(effects: ClaimedEffect[]): Promise<void> {
    const before = this.effects;
    for (const effect of effects) {
      const row = [...before.values()].find((one) => nameOf(one) === nameOf(effect));
      const earlier = [...before.values()].find(
        (other) =>
          row?.order_key !== null &&
          other.order_key === row?.order_key &&
          BigInt(other.seq) < BigInt(row?.seq ?? 0) &&
          opens.has(other.state),
      );
      if (earlier)
        throw new Error(`${nameOf(effect)} was claimed before ${nameOf(earlier)}, which is ${earlier.state}`);
    }
    await this.look(['claim']);
  }

  /** The vendor may have billed a command: at most once per slot and generation, and once per recorded repeat. */
  billed(effect: ClaimedEffect): void {
    if (effect.kind !== 'letters.send') return;
    const name = nameOf(effect);
    const bills = add(this.bills, name);
    const allowed = 1 + (this.allowed.get(name) ?? 0);
    if (bills > allowed) throw new Error(`${name} was billed ${String(bills)} times, ${String(allowed)} allowed`);
  }

  /** First appearances come in stream order (protocol 20). */
  published(events: UnpublishedEvent[]): void {
    for (const { streamId, version } of events) {
      const last = this.seen.get(streamId) ?? 0;
      if (version > last + 1) throw new Error(`${streamId}@${String(version)} appeared after ${String(last)}`);
      this.seen.set(streamId, Math.max(last, version));
    }
  }

  /** An effect, in its newest generation, that is in one of these states. */
  newest(states: string[], which: number): (EffectName & Pick<Row, 'shares' | 'state'>) | undefined {
    const newest = new Map<string, Row>();
    for (const row of this.effects.values()) {
      if (!row.shared && row.generation >= (newest.get(row.slot)?.generation ?? 0)) newest.set(row.slot, row);
    }
    const found = [...newest.values()].filter((row) => states.includes(row.state));
    return found[which % Math.max(1, found.length)];
  }

  async open(): Promise<number> {
    return Object.values(await this.whatIsOpen()).reduce((sum, n) => sum + n, 0);
  }

  /** What still has to happen, by where it stands. */
  async whatIsOpen(): Promise<Record<string, number>> {
    const { rows } = await this.pool.query<{ place: string; n: number }>(OPEN, [this.service]);
    return Object.fromEntries(rows.map(({ place, n }) => [place, n]));
  }

  /** For every cause, how often its wish was decided and how it ended; and how often a replay was noted as applied to it. */
  async decided(): Promise<Map<string, { wished: number; ended: number; replayed: number }>> {
    const { rows } = await this.pool.query<{ cause: string; wished: number; ended: number; replayed: number }>(
      DECIDED,
      [this.service],
    );
    return new Map(rows.map((row) => [row.cause, row]));
  }

  /** What was published of every stream is all that stands in it. */
  async unseen(): Promise<string[]> {
    const { rows } = await this.pool.query<{ stream_id: string; version: number }>(
      `select stream_id, max(version) as version from event where service = $1 group by stream_id`,
      [this.service],
    );
    return rows.filter((row) => this.seen.get(row.stream_id) !== row.version).map((row) => row.stream_id);
  }

  // A command's unknown call is repeated as often as its kind says, which is once; a query's at will.
  private repeated({ kind }: Row, name: string): void {
    add(this.allowed, name);
    if (kind === 'letters.send' && add(this.repeats, name) > 1) throw new Error(`${name} was repeated twice`);
  }

  private orderHolds(): void {
    const running = [...this.effects.values()].filter((row) => row.state === 'running' && row.order_key !== null);
    if (new Set(running.map((row) => row.order_key)).size < running.length) {
      throw new Error(`two run at once in one order: ${running.map(nameOf).join(', ')}`);
    }
  }

  private async ledger(): Promise<Map<string, Row>> {
    const { rows } = await this.pool.query<Row>(
      `select slot, generation, kind, state, order_key, shares, stream_id = '' as shared, seq from effect where service = $1`,
      [this.service],
    );
    return new Map(rows.map((row) => [row.seq, row]));
  }
}

function add(counts: Map<string, number>, name: string): number {
  const count = (counts.get(name) ?? 0) + 1;
  counts.set(name, count);
  return count;
}

const OPEN = `
  select 'effect ' || state as place, count(*)::int as n from effect
    where service = $1 and state in ('owed', 'running', 'unknown', 'held') group by state
  union all select 'mail', count(*)::int from mailbox where service = $1
  union all select 'parked', count(*)::int from parked_key where service = $1
  union all select 'unpublished', count(*)::int from unpublished where service = $1
  union all select 'replay ' || state, count(*)::int from replay
    where service = $1 and state not in ('done', 'aborted', 'failed') group by state`;

const DECIDED = `
  with decided as (
    select data->>'cause' as cause, count(*) filter (where type = 'refrain.letter.wished.v1')::int as wished,
      count(*) filter (where type in ('refrain.letter.sent.v1', 'refrain.letter.given-up.v1'))::int as ended
    from event where service = $1 and stream_id like 'letters-%' group by 1
  ), replayed as (
    select (i.body->'envelope'->>'id') as cause, count(*)::int as n
    from replay_item i join replay r on r.id = i.replay_id where r.service = $1 and i.state = 'applied' group by 1
  )
  select cause, wished, ended, coalesce(n, 0) as replayed from decided left join replayed using (cause)`;
