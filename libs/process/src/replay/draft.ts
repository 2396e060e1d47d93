import { readEvent, type DomainEvent } from '#libs/contracts';
import type { FrozenAnswer, KnownEvent, LedgerEntry, SimulatedStream } from '#libs/event-store';
import type { ProcessDefinition } from '../definition';

/** What a simulation reads. */
export interface View {
  streams: { get(streamId: string): KnownEvent[] | undefined };
  /** Of a view of the past: what came later on a stream. */
  later?: { get(streamId: string): KnownEvent[] | undefined };
  ledger: Map<string, LedgerEntry>;
  marks: Map<string, { stream: string; version: number }[]>;
  answers: Map<string, FrozenAnswer>;
}

/** What one record would leave behind, over a view that stays as it is. */
export class Draft<State, Event extends DomainEvent> {
  readonly left = new Map<string, SimulatedStream>();
  private readonly states = new Map<string, State>();
  private readonly entries = new Map<string, LedgerEntry>();

  constructor(
    private readonly definition: Pick<ProcessDefinition<State, Event, never>, 'decider' | 'catalog'>,
    private readonly view: View,
  ) {}

  get answers(): ReadonlyMap<string, FrozenAnswer> {
    return this.view.answers;
  }

  stateOf(streamId: string): State {
    const known = this.states.get(streamId);
    if (known !== undefined) return known;
    const { streams, later } = this.view;
    const state = stateAfter(this.definition, streams.get(streamId) ?? [], later?.get(streamId));
    this.states.set(streamId, state);
    return state;
  }

  append(streamId: string, events: Event[], stored: { type: string; data: unknown }[]): void {
    const { decider } = this.definition;
    this.states.set(
      streamId,
      events.reduce((before, event) => decider.evolve(before, event), this.stateOf(streamId)),
    );
    this.leftOn(streamId).events.push(...stored);
  }

  entryOf(slot: string): LedgerEntry | undefined {
    return this.entries.get(slot) ?? this.view.ledger.get(slot);
  }

  settle(streamId: string, entry: LedgerEntry): void {
    this.entries.set(entry.slot, entry);
    this.leftOn(streamId).effects.push(entry);
  }

  private leftOn(streamId: string): SimulatedStream {
    const left = this.left.get(streamId) ?? { events: [], effects: [] };
    this.left.set(streamId, left);
    return left;
  }
}

/** The state after some events of a stream; of what came later only what was looked up then is known. */
export function stateAfter<State, Event extends DomainEvent>(
  { decider, catalog }: Pick<ProcessDefinition<State, Event, never>, 'decider' | 'catalog'>,
  events: readonly KnownEvent[],
  later: readonly KnownEvent[] = [],
): State {
  const read = ({ type, data }: KnownEvent) => readEvent(catalog, type, data) as unknown as Event;
  const state = events.reduce((before, event) => decider.evolve(before, read(event)), decider.initial);
  const { recall } = decider;
  return recall ? later.reduce((before, event) => recall(before, read(event)), state) : state;
}
