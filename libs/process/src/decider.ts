import type { ChainLane } from '#libs/contracts';
import type { Lane } from '#libs/event-store';

/**
 * The pure core of a service. `decide` answers every order of real inputs, `evolve` is total; neither knows a clock, a
 * random number or a vendor: whatever they need stands in the input. Only a bug throws, and parks the input's key.
 */
export interface Decider<State, Event, Input> {
  initial: State;
  evolve(state: State, event: Event): State;
  decide(state: State, input: Input): Decision<Event>;
  /**
   * Takes over from a later event what its decision looked up outside of the log, and nothing else: a plan that decides
   * once more as it was then finds the same again. Total; without it nothing is looked up.
   */
  recall?(state: State, event: Event): State;
}

/** What follows from one input: committed together with the note of the input, or not at all. */
export interface Decision<Event> {
  events: Event[];
  effects?: Owed[];
  timers?: Timer[];
  /**
   * Owed calls of this stream that are wanted no longer. One that still waits ends as superseded, and its outcome comes
   * back as an input; one that runs already runs on, and nothing is said.
   */
  supersede?: { kind: string; purpose: string }[];
  /** Calls of this root cause whose jobs at the vendor have ended: they give back their share of its limit. */
  release?: { kind: string; purpose: string }[];
  /**
   * What calls of this root cause cost really, in US dollars, of which a budget holds what they were thought to cost; nothing
   * where they were not charged after all. Told again, it corrects.
   */
  spent?: { kind: string; purpose: string; generation: number; usd: number }[];
  /** Queries of this root cause whose answers were used up: their receipts keep none, so that an erasure need not seek them. */
  forget?: { kind: string; purpose: string }[];
  /** A vendor's own id that from now on means this stream (protocol 9). */
  correlate?: { vendor: string; externalId: string };
  /**
   * The root cause that this decision belongs to, where it is not the input's own: a callback carries an id of its own,
   * but what it completes was begun by a trigger.
   */
  rootCause?: string;
  /**
   * The subject that these events speak of, where the stream's record goes on as another: envelopes and Kafka keys name
   * that one. What the stream's inputs wait and park by stays its own.
   */
  subject?: string;
  /** All that follows from it, in other services too, gives way to everything else (protocol 18); but not what comes due. */
  lane?: ChainLane;
}

/** A call that is owed to the outside world. With tenant, stream and root cause, kind and purpose name its slot. */
export interface Owed {
  kind: string;
  purpose: string;
  request: unknown;
  /** Rises only after a known failure or an explicit redo (protocol 4); 1 at first. */
  generation?: number;
  /** Effects of one order key are performed one after the other, in the order they were decided. */
  orderKey?: string;
  /** Who waits for it; `live` unless said otherwise (protocol 18). */
  lane?: Lane;
  /** RFC 3339: takes over the place in the queue of a superseded call, so that a stream of changes cannot starve it. */
  owedSince?: string;
  /** The recipes that want it, each with its version: said in the ledger, no part of what is sent. */
  recipes?: readonly string[];
}

/** An input that this stream wants to be given at a time. */
export interface Timer {
  name: string;
  /** RFC 3339. */
  due: string;
}

/** Nothing to decide: a repeat, or an input that means nothing here. */
export const nothing = <Event>(): Decision<Event> => ({ events: [] });
