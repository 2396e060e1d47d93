import type { Answer, Cost } from '#libs/contracts';
import type { KindPolicy, Lane, SpendEstimate } from '#libs/event-store';

/** What a call is told besides its request. */
export interface CallContext {
  tenant: string;
  /** From 1; raised by a redo. */
  generation: number;
  /** From 1. A later call may find that an earlier one was obeyed, although its answer was lost. */
  attempt: number;
  /** How many of them nobody knows whether they were obeyed: what they did, they may have done more than once. */
  repeats: number;
  /** Aborts at the deadline; a call that it cuts ends as unknown. */
  signal: AbortSignal;
  /** The same for every repeat of one slot and generation: 64 hex digits. */
  idempotencyKey: string;
  /** Of a job: what it carries, and how far it has come. */
  job?: JobInHand;
}

/** What a call that carries several effects is told besides their requests. */
export type BatchContext = Pick<CallContext, 'tenant' | 'signal'>;

/**
 * One kind of effect: how it is performed, and what happens when it is not known whether it was (protocol 14). What it
 * says is read anew for each claim, and kinds may be added while a service runs; none may be taken away.
 */
export interface EffectKind extends Omit<KindPolicy, 'kind' | 'mostInBatch' | 'costsMoney'> {
  /** A query only reads and may be read again at will; a command changes or bills. */
  is: 'query' | 'command';
  /** Attempts that the vendor processed before the effect is dead. */
  maxAttempts: number;
  perform(request: never, call: CallContext): Promise<Answer | UnderWay>;
  /** Of a job, which carries effects of another kind. Owed by no decision; found at the vendor before it is sent again. */
  job?: Job;
  /**
   * Where one call may carry several effects: how many at most, and the call, which answers each in its turn. They are of
   * one tenant, lane and type of subject. What refuses all of them for one of them answers with the code
   * {@link BATCH_REFUSED}; each is performed by itself then. Such effects are gathered for a moment before they go.
   */
  batch?: { most: number; perform(requests: readonly never[], call: BatchContext): Promise<Answer[]> };
  /**
   * Where equal content has one answer, whoever asks (protocol 5): what makes a request's content, without the tenant.
   * Effects of equal content share one call and its receipt; undefined for a request that shares with none.
   */
  shares?(request: never): string | undefined;
  /**
   * Of calls that cost money, and are no batches nor jobs: what one is thought to cost, asked when it is owed. It is reserved of the
   * budgets that it falls under, once for all repeats, and made only where they have room. What it cost really is said by
   * its answer (`cost.usd`), or later by a decision (`spent`). Undefined for a call that costs nothing.
   */
  spend?: { estimate(request: never): SpendEstimate | undefined };
  /** For plans, which perform nothing; a kind without it costs nothing, and no call follows from it. */
  plan?: {
    /** The answer that a successful command would give; absent where it cannot be known before. */
    answer?(request: never): unknown;
    /** Upper bound of what the call costs; `lane` is that in which it would be owed. */
    cost(request: never, lane: Lane): Cost;
    /** Upper bound of what all calls together cost that this service may make because of any answer to this one. */
    follows(request: never, lane: Lane): Cost;
  };
}

/**
 * A job: one order to a vendor that takes hours and answers many effects of another kind, those of lane `batch`. It is an
 * effect of its own. Whom it carries is noted before it is sent, so a crash or a lost answer leaves no doubt of whose it was;
 * the effects stay owed meanwhile, and no claim is held for them.
 */
export interface Job {
  /** The kind of the effects that it carries. */
  carries: string;
  /** What effects must have in common to share a job. */
  alike(request: never): string;
  /** Effects in one job at most, and what their requests may come to, in bytes. */
  most: number;
  mostBytes: number;
  /** How long, in milliseconds, the first effect waits for company. */
  gatherMs: number;
  /**
   * The part that an effect costs in a job of what it costs by itself (`spend`), 1 unless said. So much of its budgets is
   * reserved before the job is sent; what finds no room is not taken along.
   */
  rate?: number;
  /** How long nothing is done where nobody knows whether the vendor took it: until it would be found there, if it did. */
  doubtMs: number;
}

/** An effect that a job carries. */
export interface Carried {
  /** The same in every call for this effect: 64 hex digits. */
  name: string;
  request: unknown;
}

/** What the call of a job is told besides. */
export interface JobInHand {
  /** What the last call left (`under-way`); undefined until the vendor is known to have taken it. */
  soFar: unknown;
  /** How many have no answer yet; none where all were answered, withdrawn or erased. */
  left: number;
  /** Those, with what they ask: read when it is asked for, since most looks at a job find it under way. */
  carried(): Promise<readonly Carried[]>;
  /**
   * Settles one of them like a call of its own; `unknown` where it may have been paid for all the same: it is asked again, and
   * what it had reserved stays. Once it resolves, the answer is kept for good.
   */
  answer(carried: Carried, answer: Answer): Promise<void>;
  /** Takes one of them out of the job: it is called by itself. */
  letGo(carried: Carried, code: string): Promise<void>;
}

/** The vendor has it, and is to be asked again after a while; `soFar` comes back then. */
export interface UnderWay {
  outcome: 'under-way';
  soFar: unknown;
  afterMs: number;
}
