import { readEvent, type DomainEvent } from '#libs/contracts';
import type { FrozenAnswer, KnownEvent, LedgerEntry, SimulatedStream } from '#libs/event-store';
import type { ProcessDefinition } from '../definition';

/** What a simulation reads. */
export interface View {
  streams: { get(streamId: string): KnownEvent[] | undefined };
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
    const { decider, catalog } = this.definition;
    const state = (this.view.streams.get(streamId) ?? []).reduce(
      (before, { type, data }) => decider.evolve(before, readEvent(catalog, type, data) as unknown as Event),
      decider.initial,
    );
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
