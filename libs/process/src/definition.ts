import type { Catalog, Cost, DomainEvent, Envelope } from '#libs/contracts';
import type { EffectOutcome, SpendEstimate } from '#libs/event-store';
import type { Decider, Timer } from './decider';
import type { Awaited, InboxKey, Target } from './pending';

/** A record whose envelope could be read. `hash` is the SHA-256 of the value's bytes. */
export interface ReadableRecord {
  envelope: Envelope;
  /** The sender's own name for what happened, of an event that a declared endpoint took. */
  eventType?: string;
  /** Read when it is asked for: most records are known by their envelope. Throws {@link UnreadableRecord} for no JSON. */
  readonly value: unknown;
  readonly hash: string;
}

/** Where a record belongs. `ignored` means that nothing here listens to it: it leaves no trace. */
export type Route<Input> =
  | { ignored: true }
  | {
      inbox: InboxKey;
      targets: Target<Input>[];
      awaits?: Awaited<Input>;
      /** For callbacks: their own key. */ inputKey?: string;
    };

/** Thrown by a route when a record is not of the shape of its topic: it goes to the dead letter topic, parking nothing. */
export class UnreadableRecord extends Error {
  constructor(reason: string) {
    super(reason);
    this.name = 'UnreadableRecord';
  }
}

/** A timer that came due, as the mailbox holds it. */
export interface TimerMail {
  name: string;
  due: string;
}

/** Everything that makes a service what it is, besides its vendor calls: one decider and the ways into it. */
export interface ProcessDefinition<State, Event extends DomainEvent, Input> {
  service: string;
  catalog: Catalog;
  decider: Decider<State, Event, Input>;
  /** Fields of events that say which version decided, not what: a plan does not count them as a difference. */
  provenance?: readonly string[];
  /**
   * What happens when an input's handling fails: its key is parked and what follows for it waits (`park`, the default),
   * or, where order does not matter, the input alone is set aside under a key of its own and the rest goes on (`skip`).
   */
  onFailure?: 'park' | 'skip';
  /** For each topic that the service reads: which streams a record speaks to. Pure. */
  routes: Record<string, (record: ReadableRecord) => Route<Input>>;
  /** An effect's end as an input; `at` is when it became known (RFC 3339). */
  outcome(outcome: EffectOutcome, at: string, streamId: string): Input;
  /** Further streams that an effect's end speaks to, in the same transaction as the one that owes it. */
  alsoTold?(outcome: EffectOutcome, streamId: string): Target<Input>[];
  timer?(timer: TimerMail, at: string, streamId: string, rootCause: string): Input;
  /** For plans: upper bound of what all calls together cost that this timer may lead to; nothing unless said. */
  timerFollows?(timer: Timer): Cost;
  /**
   * The same service by other declarations, for a plan that is only looked at; `given` is as the operator gave it.
   * Throws why it cannot be.
   */
  declared?(given: unknown): ProcessDefinition<State, Event, Input>;
  /** The slot of the call that an effect shares with all of the same content; added by the process, from its kinds. */
  sharedSlot?(tenant: string, kind: string, request: unknown): string | undefined;
  /** The company in which an effect of lane `batch` waits for a job; added by the process, from its kinds. */
  company?(tenant: string, kind: string, request: unknown): string | undefined;
  /** What a call is thought to cost; added by the process, from its kinds. */
  estimate?(kind: string, request: unknown): SpendEstimate | undefined;
}
