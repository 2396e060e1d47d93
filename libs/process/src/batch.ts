import { readEvent, recordKey, wireType, type DomainEvent } from '#libs/contracts';
import {
  type BatchTransaction,
  correlated,
  emptyOutcome,
  type Known,
  type KnownEvent,
  type ItemView,
  ledgerOf,
  type NewMail,
  type Pool,
  type Queryable,
  readBatch,
  settleByPlan,
  writeBatch,
} from '#libs/event-store';
import type { Span } from '@opentelemetry/api';
import type { Decision, Owed } from './decider';
import type { ProcessDefinition } from './definition';
import { laneOf } from './lane';
import type { Pending, Target } from './pending';
import { MAX_STEPS } from './replay/simulation';
import { rule } from './replay/verdict';
import { requestHash, slotOf } from './slot';
import { beginDecision, traceparentOf } from './trace';

const DAY_MS = 86_400_000;

interface Folded<State> {
  state: State;
  version: number;
  events: KnownEvent[];
}

/**
 * Decides a batch of inputs: reads once, folds and decides in memory, writes once, all or nothing. Several inputs of one
 * stream see each other. Built anew for every try, since it keeps what it has folded.
 */
export class Batch<State, Event extends DomainEvent, Input> {
  private readonly outcome = emptyOutcome();
  private readonly streams = new Map<string, Folded<State>>();
  private readonly spans: Span[] = [];
  /** What the ledger and the plan have for the streams of a replay's inputs; empty without a replay. */
  private receipts: ItemView = { ledger: new Map(), answers: new Map() };
  /** Outcomes that a replay tells once more, within its own transaction. */
  private told: { target: Target<Input>; meta: Pending<Input>['meta'] }[] = [];
  private readonly answered: Parameters<typeof settleByPlan>[1] = [];
  /** Input keys that were decided, and those that are parked and have more behind them now. */
  private readonly keys = { open: new Set<string>(), parked: new Set<string>() };

  constructor(
    private readonly definition: ProcessDefinition<State, Event, Input>,
    private readonly inputs: Pending<Input>[],
    /** A release decides what waits behind a parked key: the parking does not hold it up. */
    private readonly released = false,
  ) {}

  /**
   * Reads, decides and writes, each in a round trip of its own: nothing is locked in between, the writing makes sure that
   * what was read still holds (decision 20).
   */
  async commit(pool: Pool): Promise<void> {
    const { service } = this.definition;
    await this.decided(pool, (wanted) => readBatch(pool, service, wanted));
    const open = [...this.keys.open];
    const parked = [...this.keys.parked];
    if (open.length + parked.length + this.outcome.taken.length === 0) return;
    await writeBatch(pool, service, this.outcome, { open, parked });
  }

  /**
   * The same in a transaction that holds the inputs' keys exclusively. `seen` is what a replay has read of them in it
   * already.
   */
  async run(tx: BatchTransaction, seen?: { known: Known; receipts: ItemView }): Promise<void> {
    if (seen) this.receipts = seen.receipts;
    await this.decided(tx.db, (wanted) => (seen ? Promise.resolve(seen.known) : tx.read(wanted)));
    await tx.write(this.outcome);
    if (this.answered.length > 0) await settleByPlan(tx.db, this.answered);
  }

  private async decided(db: Queryable, read: (wanted: ReturnType<typeof this.wanted>) => Promise<Known>) {
    try {
      const targets = await this.resolved(db);
      const known = await read(this.wanted(targets));
      if (this.receipts.ledger.size === 0 && this.inputs.some((input) => input.meta.replayId !== undefined)) {
        this.receipts.ledger = await ledgerOf(db, [...known.streams.keys()]);
      }
      for (const input of this.inputs) this.take(input, targets.get(input), known);
    } finally {
      for (const span of this.spans) span.end();
    }
  }

  /** What each input speaks to; undefined for a callback of which no stream is known yet. */
  private async resolved(db: Queryable): Promise<Map<Pending<Input>, Target<Input>[] | undefined>> {
    const awaited = this.inputs.flatMap((input) => input.awaits ?? []);
    const known = await correlated(db, this.definition.service, awaited);
    return new Map(
      this.inputs.map((input) => {
        if (!input.awaits) return [input, input.targets];
        const { tenant, vendor, externalId, target } = input.awaits;
        const streamId = known.get(`${tenant}|${vendor}|${externalId}`);
        return [input, streamId === undefined ? undefined : [target(streamId)]];
      }),
    );
  }

  private wanted(targets: Map<Pending<Input>, Target<Input>[] | undefined>) {
    const inboxes = this.inputs.map((input) => input.inbox);
    return {
      marks: inboxes.filter((inbox) => 'day' in inbox),
      undated: inboxes.filter((inbox) => 'received' in inbox),
      inputKeys: [...new Set(this.inputs.map((input) => input.inputKey))],
      streams: [...new Set([...targets.values()].flatMap((some) => (some ?? []).map((target) => target.streamId)))],
    };
  }

  private take(input: Pending<Input>, targets: Target<Input>[] | undefined, known: Known): void {
    if (isRepeat(input, known)) {
      if (input.mailId !== undefined) this.outcome.taken.push(input.mailId);
      return;
    }
    if (!this.released && known.parked.has(input.inputKey)) {
      this.makeWait(input);
      return;
    }
    this.keys.open.add(input.inputKey);
    if (input.mailId !== undefined) this.outcome.taken.push(input.mailId);
    if (!targets) this.keepUnmatched(input);
    const decided = (targets ?? []).map((target) => ({
      stream: target.streamId,
      version: this.folded(target.streamId, known).version,
    }));
    this.outcome.marks.push({ ...input.inbox, decided });
    for (const target of targets ?? []) this.decide(input, target, known);
    for (let steps = 1; this.told.length > 0; steps += 1) {
      if (steps > MAX_STEPS) throw new Error('the code answers its own answers without end');
      const [{ target, meta } = { target: undefined, meta: input.meta }] = this.told.splice(0, 1);
      if (target) this.decide({ ...input, meta, links: undefined }, target, known);
    }
  }

  // The key is parked: the input joins the queue, in order. A mail is already in it.
  private makeWait(input: Pending<Input>): void {
    this.keys.parked.add(input.inputKey);
    if (input.mailId !== undefined) {
      this.outcome.parkedMail.push(input.mailId);
      return;
    }
    this.outcome.marks.push({ ...input.inbox, decided: [] });
    this.outcome.mail.push({ inputKey: input.inputKey, ...input.mail, parked: true });
  }

  private keepUnmatched({ awaits, mail }: Pending<Input>): void {
    if (!awaits) return;
    const { tenant, vendor, externalId } = awaits;
    (this.outcome.unmatched ??= []).push({ tenant, vendor, externalId, waiting: mail.body });
  }

  private folded(streamId: string, known: Known): Folded<State> {
    let folded = this.streams.get(streamId);
    if (!folded) {
      const { decider, catalog } = this.definition;
      const events = known.streams.get(streamId) ?? [];
      const state = events.reduce(
        (before, stored) => decider.evolve(before, readEvent(catalog, stored.type, stored.data) as unknown as Event),
        decider.initial,
      );
      folded = { state, version: events.length, events: [...events] };
      this.streams.set(streamId, folded);
    }
    return folded;
  }

  private decide(input: Pending<Input>, target: Target<Input>, known: Known): void {
    const stream = this.folded(target.streamId, known);
    const decision = this.definition.decider.decide(stream.state, target.input);
    const meta = this.metaOf(input, target, decision, stream);
    const { subject = target.subject } = decision;
    for (const event of decision.events) {
      const type = wireType(this.definition.catalog, event);
      stream.version += 1;
      stream.state = this.definition.decider.evolve(stream.state, event);
      stream.events.push({ type, data: event.data, version: stream.version, meta });
      this.outcome.events.push({ ...target, subject, version: stream.version, type, data: event.data, meta });
    }
    for (const owed of decision.effects ?? []) this.owe(owed, target, meta);
    this.withdraw(decision, target, meta.rootCause);
    this.outcome.mail.push(...this.timerMail(decision, input, target, meta));
    if (decision.correlate) {
      const { tenant, subject, streamId } = target;
      const inputKey = recordKey(tenant, subject);
      (this.outcome.correlated ??= []).push({ tenant, streamId, inputKey, ...decision.correlate });
    }
  }

  // A decision may belong to an older chain than the input does (a callback): then trace and lane go on where that chain
  // left off, and the input's own trace is linked.
  private metaOf(input: Pending<Input>, target: Target<Input>, decision: Decision<Event>, stream: Folded<State>) {
    const rootCause = decision.rootCause ?? input.meta.rootCause;
    const chain =
      rootCause === input.meta.rootCause
        ? undefined
        : stream.events.findLast((event) => event.meta.rootCause === rootCause)?.meta;
    const parent = input.links === undefined ? (chain?.traceparent ?? input.meta.traceparent) : undefined;
    const lane = decision.lane ?? chain?.lane ?? input.meta.lane;
    const also = input.links ?? input.meta.traceparent;
    const span = beginDecision(`${this.definition.service} decide`, parent, also, {
      'refrain.stream': target.streamId,
      'refrain.events': decision.events.map((event) => event.type).join(' '),
    });
    this.spans.push(span);
    return { ...input.meta, rootCause, lane, traceparent: traceparentOf(span) ?? parent };
  }

  private owe(owed: Owed, target: Target<Input>, meta: Pending<Input>['meta']): void {
    const { tenant, subject, streamId } = target;
    const slot = slotOf({ tenant, kind: owed.kind, streamId, purpose: owed.purpose, rootCause: meta.rootCause });
    const hash = requestHash(owed.request);
    // A decision that names a generation knows of the one before: it follows a failure, not a replay.
    const isNamed = meta.replayId === undefined || owed.generation !== undefined;
    const generation = isNamed ? (owed.generation ?? 1) : this.replayed(slot, hash, owed, target, meta);
    if (generation === undefined) return;
    const answered = this.answered.some((a) => a.slot === slot);
    const lane = owed.lane ?? laneOf(meta);
    this.outcome.effects.push({
      slot,
      generation,
      tenant,
      subject,
      streamId,
      kind: owed.kind,
      purpose: owed.purpose,
      rootCause: meta.rootCause,
      orderKey: owed.orderKey === undefined ? undefined : `${this.definition.service}|${tenant}|${owed.orderKey}`,
      request: owed.request,
      requestHash: hash,
      meta: owed.recipes ? { ...meta, recipes: owed.recipes } : meta,
      lane,
      owedSince: owed.owedSince,
      shares: answered ? undefined : this.definition.sharedSlot?.(tenant, owed.kind, owed.request),
      gathers: lane === 'batch' && !answered ? this.definition.company?.(tenant, owed.kind, owed.request) : undefined,
      spend: this.definition.estimate?.(owed.kind, owed.request),
    });
  }

  private withdraw(decision: Decision<Event>, { tenant, streamId }: Target<Input>, rootCause: string) {
    const { supersede, release, forget, spent = [] } = decision;
    const slots = (calls: { kind: string; purpose: string }[]) =>
      calls.map((call) => slotOf({ tenant, streamId, rootCause, ...call }));
    if (supersede) (this.outcome.superseded ??= []).push(...supersede.map((s) => ({ streamId, ...s })));
    if (release) (this.outcome.released ??= []).push(...slots(release));
    for (const { kind, purpose, ...settled } of spent) {
      const slot = slotOf({ tenant, streamId, rootCause, kind, purpose });
      (this.outcome.settledSpend ??= []).push({ slot, ...settled });
    }
    if (forget) (this.outcome.forgotten ??= []).push(...slots(forget));
  }

  // In a replay an effect that has its receipt, or whose answer the plan has read, is not performed; its outcome is told
  // at once, so that the chain goes on from there with today's code, in the transaction that was planned (protocol 22).
  private replayed(slot: string, hash: string, owed: Owed, target: Target<Input>, meta: Pending<Input>['meta']) {
    const { ledger, answers } = this.receipts;
    const { verdict, generation, told } = rule(ledger.get(slot), answers.get(slot), hash, meta.redo ?? false);
    if (told) {
      const { kind, purpose } = owed;
      const at = told.at ?? new Date().toISOString();
      if (verdict === 'read') this.answered.push({ slot, ...told, readAt: at });
      const { rootCause } = meta;
      const outcome = { kind, purpose, slot, ...told, code: null, rootCause, state: 'done' as const, meta };
      const input = this.definition.outcome(outcome, at, target.streamId);
      const causedBy = `${meta.replayId ?? ''}|${slot}#${String(told.generation)}`;
      this.told.push({ target: { ...target, input }, meta: { ...meta, causedBy } });
    }
    return generation;
  }

  private timerMail(decision: Decision<Event>, input: Pending<Input>, target: Target<Input>, meta: unknown): NewMail[] {
    return (decision.timers ?? []).map((timer) => ({
      inputKey: input.inputKey,
      kind: 'timer' as const,
      key: `${target.streamId}#${timer.name}#${timer.due}`,
      streamId: target.streamId,
      body: { name: timer.name, due: timer.due, meta },
      parked: false,
      due: new Date(timer.due),
    }));
  }
}

function isRepeat<Input>(input: Pending<Input>, known: Known): boolean {
  const { inbox } = input;
  if ('day' in inbox) return known.marked.has(inbox.key);
  const claimed = known.claimed.get(inbox.key);
  return claimed !== undefined && claimed.getTime() >= Date.parse(inbox.received) - DAY_MS;
}
