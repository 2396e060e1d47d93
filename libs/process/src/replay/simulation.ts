import { readEvent, wireType, type Cost, type DomainEvent } from '#libs/contracts';
import type { KnownEvent, LedgerEntry } from '#libs/event-store';
import type { Decision, Owed } from '../decider';
import type { ProcessDefinition } from '../definition';
import type { EffectKind } from '../effect-runner';
import type { Pending, Target } from '../pending';
import { requestHash, slotOf } from '../slot';
import { generationOwed, type Verdict, verdictOf } from './verdict';

/** One effect of a plan. `cost` is an upper bound, for effects that would be performed. */
export interface PlannedEffect {
  kind: string;
  slot: string;
  verdict: Verdict;
  requestHash: string;
  cost?: Cost;
}

/** What a replay would do about one record. */
export interface ItemPlan {
  /** Today's code on the stream as it was then, against what was recorded; `no then` where that is not known. */
  then: 'same' | 'differs' | 'no then';
  /** Events that would be appended now, by type. */
  events: string[];
  effects: PlannedEffect[];
  /** From here on the plan is a guess, because this answer is not known before the call is made. */
  assumed?: string;
}

/** What a simulation reads; it changes only its own copies. */
export interface View {
  streams: Map<string, KnownEvent[]>;
  ledger: Map<string, LedgerEntry>;
  marks: Map<string, { stream: string; version: number }[]>;
}

interface Step<Input> {
  target: Target<Input>;
}

// A chain longer than this is a decider that answers its own answers.
const MAX_STEPS = 50;

/**
 * Runs today's code on a record without doing anything: stored answers stand for queries and finished commands, declared
 * success shapes for new commands. What it appends and owes stays in `view`, so that later records of the plan see it.
 */
export class Simulation<State, Event extends DomainEvent, Input> {
  constructor(
    private readonly definition: ProcessDefinition<State, Event, Input>,
    private readonly kinds: Record<string, EffectKind>,
    private readonly redo: boolean,
  ) {}

  plan(input: Pending<Input>, originalKey: string, view: View): ItemPlan {
    const plan: ItemPlan = { then: this.then(input, originalKey, view), events: [], effects: [] };
    const steps: Step<Input>[] = input.targets.map((target) => ({ target }));
    for (let taken = 0; steps.length > 0 && taken < MAX_STEPS; taken += 1) {
      const step = steps.shift();
      if (step) steps.push(...this.step(step.target, input.meta.rootCause, plan, view));
    }
    return plan;
  }

  // Only the record's own decision is compared: what followed from it were inputs of their own.
  private then(input: Pending<Input>, originalKey: string, view: View): ItemPlan['then'] {
    const marks = view.marks.get(originalKey);
    if (!marks || marks.length !== input.targets.length) return 'no then';
    const same = input.targets.map((target): boolean | undefined => {
      const mark = marks.find((m) => m.stream === target.streamId);
      if (!mark) return undefined;
      const events = view.streams.get(target.streamId) ?? [];
      const state = this.fold(events.filter((event) => event.version <= mark.version));
      const decided = this.definition.decider.decide(state, target.input).events;
      const recorded = events.filter((e) => e.version > mark.version && e.meta.causedBy === input.meta.causedBy);
      return this.digest(decided.map((e) => this.stored(e))) === this.digest(recorded);
    });
    if (same.includes(undefined)) return 'no then';
    return same.every(Boolean) ? 'same' : 'differs';
  }

  private step(target: Target<Input>, rootCause: string, plan: ItemPlan, view: View): Step<Input>[] {
    const events = view.streams.get(target.streamId) ?? [];
    const decision = this.definition.decider.decide(this.fold(events), target.input);
    const cause = decision.rootCause ?? rootCause;
    const appended = decision.events.map((event, i) => ({
      ...this.stored(event),
      version: events.length + i + 1,
      meta: { rootCause: cause, causedBy: '' },
    }));
    if (appended.length > 0) view.streams.set(target.streamId, [...events, ...appended]);
    plan.events.push(...appended.map((event) => event.type));
    return this.owe(decision, target, cause, plan, view);
  }

  private owe(decision: Decision<Event>, target: Target<Input>, rootCause: string, plan: ItemPlan, view: View) {
    return (decision.effects ?? []).flatMap((owed): Step<Input>[] => {
      const { tenant, streamId } = target;
      const slot = slotOf({ tenant, kind: owed.kind, streamId, purpose: owed.purpose, rootCause });
      const entry = view.ledger.get(slot);
      const { effect, generation, answer } = this.planned(owed, slot, entry);
      plan.effects.push(effect);
      if (answer === undefined) {
        if (generation !== undefined) plan.assumed ??= owed.kind;
        return [];
      }
      const told = { slot, generation: generation ?? entry?.generation ?? 1, answer, code: null };
      if (generation !== undefined) {
        view.ledger.set(slot, { ...told, state: 'done', requestHash: effect.requestHash, settledAt: null });
      }
      const outcome = { ...owed, ...told, rootCause, state: 'done' as const, meta: { rootCause, causedBy: slot } };
      const at = (entry?.settledAt ?? new Date()).toISOString();
      return [{ target: { ...target, input: this.definition.outcome(outcome, at, streamId) } }];
    });
  }

  // An effect that would be performed has the answer that a success would give, where that can be said beforehand; one
  // that would not has the answer on its receipt.
  private planned({ kind, request }: Owed, slot: string, entry: LedgerEntry | undefined) {
    const hash = requestHash(request);
    const verdict = verdictOf(entry, hash);
    const generation = generationOwed(verdict, entry, this.redo);
    const performed = generation !== undefined;
    const dry = this.kinds[kind]?.plan;
    const cost = performed || verdict === 'changed' ? dry?.cost?.(request as never) : undefined;
    const effect: PlannedEffect = { kind, slot, verdict, requestHash: hash, ...(cost ? { cost } : {}) };
    return { effect, generation, answer: performed ? dry?.answer?.(request as never) : known(entry, verdict) };
  }

  private fold(events: KnownEvent[]): State {
    const { decider, catalog } = this.definition;
    return events.reduce(
      (state, event) => decider.evolve(state, readEvent(catalog, event.type, event.data) as unknown as Event),
      decider.initial,
    );
  }

  // Compared as they are stored: a key without a value is no key.
  private digest(events: { type: string; data: unknown }[]): string {
    const provenance = this.definition.provenance ?? [];
    const drop = (key: string, value: unknown) => (provenance.includes(key) ? undefined : value);
    return requestHash(
      events.map(({ type, data }) => ({ type, data: JSON.parse(JSON.stringify(data, drop)) as unknown })),
    );
  }

  private stored(event: Event): { type: string; data: unknown } {
    return { type: wireType(this.definition.catalog, event), data: event.data };
  }
}

const known = (entry: LedgerEntry | undefined, verdict: Verdict): unknown =>
  verdict === 'skipped' || verdict === 'changed' ? entry?.answer : undefined;
