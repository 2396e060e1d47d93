import { wireType, type Cost, type DomainEvent } from '#libs/contracts';
import type { KnownEvent, Lane, PlannedRead, SimulatedStream } from '#libs/event-store';
import type { Owed } from '../decider';
import type { ProcessDefinition } from '../definition';
import type { EffectKind } from '../effect-kind';
import { laneOf } from '../lane';
import type { Pending, Target } from '../pending';
import { canonical, requestHash, slotOf } from '../slot';
import { type Bound, plus, unbound, upperOf, without } from './bound';
import { Draft, stateAfter, type View } from './draft';
import { rule, type Verdict } from './verdict';

/** One effect of a plan. `cost` is an upper bound, for effects that would be performed. */
export interface PlannedEffect {
  kind: string;
  slot: string;
  verdict: Verdict;
  requestHash: string;
  cost?: Cost;
}

/** What becomes of a record: the events that would be appended, by type, and the effects. */
export interface Course {
  events: string[];
  effects: PlannedEffect[];
  /** From here on the plan is a guess, because this answer is not known before the call is made. */
  assumed?: string;
  /**
   * Upper bound of what calls may cost beside `effects`: those that answers which are not known yet, or are other than
   * supposed, may lead on to.
   */
  further?: Cost;
}

/** What a replay would do about one record. */
export interface ItemPlan extends Course {
  /** Today's code on the stream as it was then, against what was recorded; `no then` where that is not known. */
  then: 'same' | 'differs' | 'no then';
  /** What applying with `--redo` does instead, where the request of an effect has changed. */
  redo?: Course;
  /**
   * Of a preview: the events that would have been decided then, had the service been as declared, and from the answers
   * that are known; absent where there is no then.
   */
  afresh?: string[];
  /** The vendor's id that this callback names, where no stream is known for it (protocol 9). */
  unmatched?: string;
  /** Today's code cannot decide this record: why. */
  fails?: string;
  /** Beside `fails`: `bug` where deciding it throws, `killer` where its handling ended the process. */
  code?: 'bug' | 'killer';
}

/** What applying does, with `--redo` or without. */
export const courseOf = (plan: ItemPlan, redo: boolean): Course => (redo ? plan.redo : undefined) ?? plan;

/** A plan, what it would leave on its streams, and the queries that would make it certain. */
export interface Simulated {
  plan: ItemPlan;
  left: Map<string, SimulatedStream>;
  reads: PlannedRead[];
}

interface Step<Input> {
  target: Target<Input>;
  rootCause: string;
  /** It goes on from an answer that no vendor has given. */
  supposed: boolean;
  /** What led to it. */
  bound: Bound;
}

/** One course in the making. */
interface Run<State, Event extends DomainEvent> extends Course {
  redo: boolean;
  /** In which its calls would be owed. */
  lane: Lane;
  draft: Draft<State, Event>;
  reads: PlannedRead[];
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
    private readonly isPreview = false,
  ) {}

  /** Changes nothing of `view`. Throws what `decide` throws. */
  plan(input: Pending<Input>, originalKey: string, view: View): Simulated {
    const { course, draft, reads } = this.run(input, view, false);
    const plan: ItemPlan = { then: this.then(input, originalKey, view), ...course };
    if (course.effects.some(({ verdict }) => verdict === 'changed')) plan.redo = this.run(input, view, true).course;
    const before = this.isPreview ? asItWas(view, originalKey) : undefined;
    if (before) plan.afresh = this.run(input, before, false).course.events;
    return { plan, left: draft.left, reads };
  }

  private run(input: Pending<Input>, view: View, redo: boolean) {
    const draft = new Draft<State, Event>(this.definition, view);
    const lane = laneOf(input.meta) ?? 'live';
    const run: Run<State, Event> = { redo, lane, draft, events: [], effects: [], reads: [] };
    const bound = unbound();
    const { rootCause } = input.meta;
    const steps: Step<Input>[] = input.targets.map((target) => ({ target, rootCause, supposed: false, bound }));
    for (let taken = 0; steps.length > 0; taken += 1) {
      if (taken === MAX_STEPS) throw new Error('the code answers its own answers without end');
      const step = steps.shift();
      if (step) steps.push(...this.step(step, run));
    }
    const { events, effects, assumed, reads } = run;
    const further = without(
      upperOf(bound),
      performed(effects, redo).reduce((sum, { cost }) => plus(sum, cost ?? {}), {}),
    );
    const course = { events, effects, ...(assumed === undefined ? {} : { assumed }), ...(further ? { further } : {}) };
    return { course, draft, reads };
  }

  // Only the record's own decision is compared: what followed from it were inputs of their own.
  private then(input: Pending<Input>, originalKey: string, view: View): ItemPlan['then'] {
    const marks = view.marks.get(originalKey);
    if (!marks || marks.length !== input.targets.length) return 'no then';
    const same = [...Map.groupBy(input.targets, ({ streamId }) => streamId)].map(([stream, targets]) => {
      const mark = marks.find((m) => m.stream === stream);
      if (!mark) return undefined;
      const { decider } = this.definition;
      const events = view.streams.get(stream) ?? [];
      const [before, later] = partition(events, mark.version);
      let state = stateAfter(this.definition, before, later);
      // What one record says to a stream several times sees what it said before.
      const decided = targets.flatMap((target) => {
        const { events: next } = decider.decide(state, target.input);
        state = next.reduce(decider.evolve, state);
        return next;
      });
      const recorded = events.filter((e) => e.version > mark.version && e.meta.causedBy === input.meta.causedBy);
      if (decided.length !== recorded.length) return false;
      return decided.length === 0 || this.digest(decided.map((e) => this.stored(e))) === this.digest(recorded);
    });
    if (same.includes(undefined)) return 'no then';
    return same.every(Boolean) ? 'same' : 'differs';
  }

  private step(step: Step<Input>, run: Run<State, Event>): Step<Input>[] {
    const { target, bound } = step;
    const { draft } = run;
    const decision = this.definition.decider.decide(draft.stateOf(target.streamId), target.input);
    const appended = decision.events.map((event) => this.stored(event));
    if (appended.length > 0) draft.append(target.streamId, decision.events, appended);
    run.events.push(...appended.map((event) => event.type));
    for (const timer of decision.timers ?? []) bound.led.push(unbound({}, this.definition.timerFollows?.(timer)));
    const rootCause = decision.rootCause ?? step.rootCause;
    return (decision.effects ?? []).flatMap((owed) => this.owe(owed, { ...step, rootCause }, run));
  }

  private owe(owed: Owed, { target, rootCause, supposed, bound }: Step<Input>, run: Run<State, Event>): Step<Input>[] {
    const { tenant, subject, streamId } = target;
    const { kind, request } = owed;
    const { draft } = run;
    const slot = slotOf({ tenant, kind, streamId, purpose: owed.purpose, rootCause });
    const hash = requestHash(request);
    const ruling = rule(draft.entryOf(slot), draft.answers.get(slot), hash, run.redo);
    const lane = laneIn(run, owed);
    const effect = this.planned(owed, slot, hash, ruling.verdict, lane);
    run.effects.push(effect);
    const isCalled = ruling.generation !== undefined && !ruling.told;
    const led = isCalled ? unbound(effect.cost, this.kinds[kind]?.plan?.follows(request as never, lane)) : unbound();
    bound.led.push(led);
    const answer = ruling.told ?? this.success(owed, ruling.generation);
    if (!answer) {
      if (isCalled) {
        run.assumed ??= kind;
        const isQuery = this.kinds[kind]?.is === 'query';
        if (isQuery && !supposed) run.reads.push({ slot, requestHash: hash, tenant, subject, streamId, kind, request });
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
    return [{ target: { ...target, input }, rootCause, supposed: supposed || !ruling.told, bound: led }];
  }

  private planned({ kind, request }: Owed, slot: string, hash: string, verdict: Verdict, lane: Lane): PlannedEffect {
    const isPriced = verdict === 'new' || verdict === 'again' || verdict === 'changed';
    const cost = isPriced ? this.kinds[kind]?.plan?.cost?.(request as never, lane) : undefined;
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

const laneIn = ({ lane }: { lane: Lane }, owed: Owed): Lane => owed.lane ?? lane;

/** A view with the record's own streams as they were when it was first decided; undefined where that is not known. */
function asItWas(view: View, originalKey: string): View | undefined {
  const marks = view.marks.get(originalKey);
  if (!marks) return undefined;
  const versions = new Map(marks.map(({ stream, version }) => [stream, version]));
  const parts = (stream: string): [KnownEvent[] | undefined, KnownEvent[]?] => {
    const version = versions.get(stream);
    const events = view.streams.get(stream);
    return version === undefined || !events ? [events] : partition(events, version);
  };
  return { ...view, streams: { get: (stream) => parts(stream)[0] }, later: { get: (stream) => parts(stream)[1] } };
}

/** The events up to a version, and those behind it. */
const partition = (events: KnownEvent[], version: number): [KnownEvent[], KnownEvent[]] => [
  events.filter((event) => event.version <= version),
  events.filter((event) => event.version > version),
];

/** The effects of a course that are really called. */
export const performed = (effects: PlannedEffect[], redo: boolean): PlannedEffect[] =>
  effects.filter(({ verdict }) => ['new', 'again'].includes(verdict) || (verdict === 'changed' && redo));
