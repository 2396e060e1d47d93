import { readEvent, wireType, type Cost, type DomainEvent } from '#libs/contracts';
import type { PlannedRead, SimulatedStream } from '#libs/event-store';
import type { Decision, Owed } from '../decider';
import type { ProcessDefinition } from '../definition';
import type { EffectKind } from '../effect-runner';
import type { Pending, Target } from '../pending';
import { canonical, requestHash, slotOf } from '../slot';
import { Draft, type View } from './draft';
import { rule, type Verdict } from './verdict';

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
  /** The vendor's id that this callback names, where no stream is known for it (protocol 9). */
  unmatched?: string;
  /** Today's code cannot decide this record: why. */
  fails?: string;
}

/** A plan, what it would leave on its streams, and the queries that would make it certain. */
export interface Simulated {
  plan: ItemPlan;
  left: Map<string, SimulatedStream>;
  reads: PlannedRead[];
}

interface Step<Input> {
  target: Target<Input>;
  /** It goes on from an answer that no vendor has given. */
  supposed: boolean;
}

/** A chain longer than this is a decider that answers its own answers. */
export const MAX_STEPS = 50;

/**
 * Runs today's code on a record without doing anything: stored answers stand for queries and finished commands, declared
 * success shapes for new commands.
 */
export class Simulation<State, Event extends DomainEvent, Input> {
  constructor(
    private readonly definition: ProcessDefinition<State, Event, Input>,
    private readonly kinds: Record<string, EffectKind>,
  ) {}

  /** Changes nothing of `view`. Throws what `decide` throws. */
  plan(input: Pending<Input>, originalKey: string, view: View): Simulated {
    const draft = new Draft(this.definition, view);
    const plan: ItemPlan = { then: this.then(input, originalKey, view), events: [], effects: [] };
    const reads: PlannedRead[] = [];
    const steps: Step<Input>[] = input.targets.map((target) => ({ target, supposed: false }));
    for (let taken = 0; steps.length > 0 && taken < MAX_STEPS; taken += 1) {
      const step = steps.shift();
      if (step) steps.push(...this.step(step, input.meta.rootCause, plan, draft, reads));
    }
    return { plan, left: draft.left, reads };
  }

  // Only the record's own decision is compared: what followed from it were inputs of their own.
  private then(input: Pending<Input>, originalKey: string, view: View): ItemPlan['then'] {
    const marks = view.marks.get(originalKey);
    if (!marks || marks.length !== input.targets.length) return 'no then';
    const same = input.targets.map((target): boolean | undefined => {
      const mark = marks.find((m) => m.stream === target.streamId);
      if (!mark) return undefined;
      const { decider, catalog } = this.definition;
      const events = view.streams.get(target.streamId) ?? [];
      const state = events
        .filter((event) => event.version <= mark.version)
        .reduce(
          (before, { type, data }) => decider.evolve(before, readEvent(catalog, type, data) as unknown as Event),
          decider.initial,
        );
      const decided = decider.decide(state, target.input).events;
      const recorded = events.filter((e) => e.version > mark.version && e.meta.causedBy === input.meta.causedBy);
      if (decided.length !== recorded.length) return false;
      return decided.length === 0 || this.digest(decided.map((e) => this.stored(e))) === this.digest(recorded);
    });
    if (same.includes(undefined)) return 'no then';
    return same.every(Boolean) ? 'same' : 'differs';
  }

  private step(step: Step<Input>, rootCause: string, plan: ItemPlan, draft: Draft<State, Event>, reads: PlannedRead[]) {
    const { target } = step;
    const decision = this.definition.decider.decide(draft.stateOf(target.streamId), target.input);
    const appended = decision.events.map((event) => this.stored(event));
    if (appended.length > 0) draft.append(target.streamId, decision.events, appended);
    plan.events.push(...appended.map((event) => event.type));
    return this.owe(decision, step, decision.rootCause ?? rootCause, plan, draft, reads);
  }

  private owe(
    decision: Decision<Event>,
    { target, supposed }: Step<Input>,
    rootCause: string,
    plan: ItemPlan,
    draft: Draft<State, Event>,
    reads: PlannedRead[],
  ): Step<Input>[] {
    return (decision.effects ?? []).flatMap((owed): Step<Input>[] => {
      const { tenant, subject, streamId } = target;
      const { kind, request } = owed;
      const slot = slotOf({ tenant, kind, streamId, purpose: owed.purpose, rootCause });
      const hash = requestHash(request);
      const ruling = rule(draft.entryOf(slot), draft.answers.get(slot), hash, false);
      plan.effects.push(this.planned(owed, slot, hash, ruling.verdict));
      const answer = ruling.told ?? this.success(owed, ruling.generation);
      if (!answer) {
        if (ruling.generation !== undefined) {
          plan.assumed ??= kind;
          const isQuery = this.kinds[kind]?.is === 'query';
          if (isQuery && !supposed) reads.push({ slot, requestHash: hash, tenant, subject, streamId, kind, request });
        }
        return [];
      }
      const told = { slot, generation: answer.generation, answer: answer.answer, code: null };
      if (ruling.generation !== undefined) {
        draft.settle(streamId, { ...told, state: 'done', requestHash: hash, settledAt: answer.at });
      }
      const outcome = { ...owed, ...told, rootCause, state: 'done' as const, meta: { rootCause, causedBy: slot } };
      const at = answer.at ?? new Date().toISOString();
      const input = this.definition.outcome(outcome, at, streamId);
      return [{ target: { ...target, input }, supposed: supposed || !ruling.told }];
    });
  }

  private planned({ kind, request }: Owed, slot: string, hash: string, verdict: Verdict): PlannedEffect {
    const performed = verdict === 'new' || verdict === 'again' || verdict === 'changed';
    const cost = performed ? this.kinds[kind]?.plan?.cost?.(request as never) : undefined;
    return { kind, slot, verdict, requestHash: hash, ...(cost ? { cost } : {}) };
  }

  // An effect that would be performed has the answer that a success would give, where that can be said beforehand.
  private success({ kind, request }: Owed, generation: number | undefined) {
    if (generation === undefined) return undefined;
    const answer = this.kinds[kind]?.plan?.answer?.(request as never);
    return answer === undefined ? undefined : { generation, answer, at: null };
  }

  // Compared as they are stored: a key without a value is no key.
  private digest(events: { type: string; data: unknown }[]): string {
    const { provenance } = this.definition;
    return canonical(
      events.map(({ type, data }) => ({ type, data })),
      provenance,
    );
  }

  private stored(event: Event): { type: string; data: unknown } {
    return { type: wireType(this.definition.catalog, event), data: event.data };
  }
}
