import type { DomainEvent } from '#libs/contracts';
import {
  correlated,
  type FrozenAnswer,
  frozenAnswers,
  type KnownEvent,
  type LedgerEntry,
  ledgerOf,
  marksOf,
  type Pool,
  readStreams,
  type Replay,
  type SimulatedStream,
  simulatedStreams,
} from '#libs/event-store';
import type { IncomingRecord } from '#libs/log';
import type { ProcessDefinition } from '../definition';
import { matched, type ReplayInput } from './replay-item';
import type { View } from './draft';

/** A record as an input of a plan; `unmatched` is the vendor's id for which no stream is known. */
export type PlanInput<Input> = ReplayInput<Input> & { record: IncomingRecord; unmatched?: string };

export type Left = Map<string, SimulatedStream>;

/** Reads what a plan must know of a page of records: each kind of it in one round trip, all at once. */
export class PageReader<State, Event extends DomainEvent, Input> {
  private simulates: boolean;

  constructor(
    private readonly pool: Pool,
    private readonly definition: ProcessDefinition<State, Event, Input>,
    private readonly replay: Replay,
  ) {
    this.simulates = replay.recordsSeen > 0;
  }

  async read(records: PlanInput<Input>[]): Promise<PageView<Input>> {
    const { pool, replay } = this;
    const { service } = this.definition;
    const awaited = records.flatMap(({ input }) => input.awaits ?? []);
    const known = await correlated(pool, service, awaited);
    const inputs = records.map((record) => withTargets(record, known));
    const targets = [...new Set(inputs.flatMap(({ input }) => input.targets.map((target) => target.streamId)))];
    const originals = inputs.map(({ original }) => original);
    const [streams, ledger, marks, left, answers] = await Promise.all([
      readStreams(pool, targets),
      ledgerOf(pool, targets),
      marksOf(pool, service, originals),
      this.simulates ? simulatedStreams(pool, replay.id, targets) : new Map<string, SimulatedStream>(),
      replay.reads ? frozenAnswers(pool, replay.id, targets) : new Map<string, FrozenAnswer>(),
    ]);
    return new PageView(inputs, targets, { streams, ledger, marks, answers }, left);
  }

  /** Lays over what the page before leaves, which may not have been written when this one was read. */
  layOver(view: PageView<Input>, before: Left): void {
    if (before.size > 0) this.simulates = true;
    for (const stream of view.targets) {
      const left = before.get(stream);
      if (left) view.left.set(stream, left);
    }
  }
}

function withTargets<Input>(record: PlanInput<Input>, known: ReadonlyMap<string, string>): PlanInput<Input> {
  const { awaits } = record.input;
  if (!awaits) return record;
  const input = matched(record.input, known);
  const unmatched = input.targets.length === 0 ? `${awaits.vendor} ${awaits.externalId}` : undefined;
  return { ...record, input, unmatched };
}

/** What a plan knows of a page of records; `left` is what its earlier items leave on the page's streams. */
export class PageView<Input> {
  constructor(
    readonly inputs: readonly PlanInput<Input>[],
    readonly targets: readonly string[],
    private readonly live: View & Pick<Simulating, 'streams'>,
    readonly left: Left,
  ) {}

  /** As it is before the page's first record. */
  begin(): Simulating {
    return new Simulating(this.live, this.left);
  }
}

/** The view of one record of a page after the other: each sees what those before it would leave. */
export class Simulating implements View {
  readonly marks: View['marks'];
  readonly answers: View['answers'];
  readonly streams: Map<string, KnownEvent[]>;
  readonly ledger: Map<string, LedgerEntry>;
  /** What the page's records have left so far, with what stood before on those streams. */
  readonly left: Left = new Map();

  constructor(
    live: View & Pick<Simulating, 'streams'>,
    private readonly before: Left,
  ) {
    this.marks = live.marks;
    this.answers = live.answers;
    this.streams = new Map(live.streams);
    this.ledger = new Map(live.ledger);
    for (const [stream, left] of before) this.show(stream, left);
  }

  keep(made: Left): void {
    for (const [stream, { events, effects }] of made) {
      const before = this.left.get(stream) ?? this.before.get(stream) ?? { events: [], effects: [] };
      const settled = new Set(effects.map(({ slot }) => slot));
      this.left.set(stream, {
        events: [...before.events, ...events],
        effects: [...before.effects.filter(({ slot }) => !settled.has(slot)), ...effects],
      });
      this.show(stream, { events, effects });
    }
  }

  private show(stream: string, { events, effects }: SimulatedStream): void {
    const known = this.streams.get(stream) ?? [];
    const more = events.map((event, i) => ({
      ...event,
      version: known.length + i + 1,
      meta: { rootCause: '', causedBy: '' },
    }));
    if (more.length > 0) this.streams.set(stream, [...known, ...more]);
    for (const entry of effects) this.ledger.set(entry.slot, entry);
  }
}
