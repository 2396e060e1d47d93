/**
 * The pure core of a service. `decide` answers every order of real inputs, `evolve` is total; neither knows a clock, a
 * random number or a vendor: whatever they need stands in the input. Only a bug throws, and parks the input's key.
 */
export interface Decider<State, Event, Input> {
  initial: State;
  evolve(state: State, event: Event): State;
  decide(state: State, input: Input): Decision<Event>;
}

/** What follows from one input: committed together with the note of the input, or not at all. */
export interface Decision<Event> {
  events: Event[];
  effects?: Owed[];
  timers?: Timer[];
  /** A vendor's own id that from now on means this stream (protocol 9). */
  correlate?: { vendor: string; externalId: string };
  /**
   * The root cause that this decision belongs to, where it is not the input's own: a callback carries an id of its own,
   * but what it completes was begun by a trigger.
   */
  rootCause?: string;
}

/** A call that is owed to the outside world. With tenant, stream and root cause, kind and purpose name its slot. */
export interface Owed {
  kind: string;
  purpose: string;
  request: unknown;
  /** Rises only after a known failure, an explicit redo or "render again" (protocol 4); 1 at first. */
  generation?: number;
  /** Effects of one order key are performed one after the other, in the order they were decided. */
  orderKey?: string;
}

/** An input that this stream wants to be given at a time. */
export interface Timer {
  name: string;
  /** RFC 3339. */
  due: string;
}

/** Nothing to decide: a repeat, or an input that means nothing here. */
export const nothing = <Event>(): Decision<Event> => ({ events: [] });
