import type { DomainEvent } from '#libs/contracts';
import {
  addReplayItems,
  dropLeases,
  holdLeases,
  ledgerOf,
  Loop,
  marksOf,
  moveReplay,
  noteReplayItem,
  type OnError,
  openReplay,
  type Pool,
  type Queryable,
  readStreams,
  type Replay,
  type ReplayItem,
  replayItems,
  replayOf,
  StoreUnavailable,
  transact,
  unsettledStreams,
} from '#libs/event-store';
import type { Bounds, IncomingRecord, TopicRange } from '#libs/log';

import { Batch } from '../batch';
import type { ProcessDefinition } from '../definition';
import type { EffectKind } from '../effect-runner';
import { recordFilter } from './record-filter';
import { recordOfItem, type ReplayInput, replayInput } from './replay-item';
import { type ItemPlan, Simulation, type View } from './simulation';

/** How a replay reads the log again, beside all consumer groups. */
export interface LogRange {
  bounds(range: TopicRange): Promise<Bounds>;
  read(topic: string, bounds: Bounds, onRecords: (records: IncomingRecord[]) => Promise<void>): Promise<void>;
}

const POLL_MS = 250;
const LEASE_MS = 10_000;
const APPLY_PAGE = 200;

/**
 * Makes plans and applies them, for one service, with its own code. A plan performs nothing and writes only to the
 * plan's own tables. Applying makes each item an input of its own, in one transaction with the note that it was applied:
 * a crash repeats none and skips none.
 */
export class ReplayWorker<State, Event extends DomainEvent, Input> {
  private readonly loop: Loop;
  private readonly lease: string;

  constructor(
    private readonly pool: Pool,
    private readonly definition: ProcessDefinition<State, Event, Input>,
    private readonly kinds: Record<string, EffectKind>,
    private readonly log: LogRange,
    private readonly owner: string,
    private readonly onCommitted: () => void,
    onError: OnError,
  ) {
    this.lease = `replay/${definition.service}`;
    this.loop = new Loop(`replays of ${definition.service}`, POLL_MS, (stopping) => this.step(stopping), onError);
  }

  start(): void {
    this.loop.start();
  }

  async stop(): Promise<void> {
    await this.loop.stop();
    await dropLeases(this.pool, [this.lease], this.owner);
  }

  /** One look, as the loop makes them; resolves to whether there may be more at once. */
  async step(stopping: AbortSignal): Promise<boolean> {
    if (!(await this.holdsLease())) return false;
    const replay = await openReplay(this.pool, this.definition.service);
    if (!replay) return false;
    if (replay.state === 'applying') return this.apply(replay);
    try {
      await this.makePlan(replay, stopping);
    } catch (error) {
      if (stopping.aborted || error instanceof StoreUnavailable) throw error;
      const reason = error instanceof Error ? error.message : String(error);
      await moveReplay(this.pool, replay.id, ['requested'], 'failed', { error: reason });
    }
    return true;
  }

  private async holdsLease(): Promise<boolean> {
    return (await holdLeases(this.pool, [this.lease], this.owner, LEASE_MS)).length > 0;
  }

  private async makePlan(replay: Replay, stopping: AbortSignal): Promise<void> {
    const { topic, selection } = replay;
    const bounds = await this.log.bounds({
      topic,
      fromMs: selection.from === undefined ? undefined : Date.parse(selection.from),
      toMs: selection.to === undefined ? undefined : Date.parse(selection.to),
      offsets: selection.offsets,
    });
    let total = replay.recordsSeen;
    for (const [partition, bound] of bounds) {
      const planned = replay.offsets[String(partition)];
      if (planned !== undefined) bound.next = BigInt(planned);
      if (bound.next >= bound.end) bounds.delete(partition);
      else total += Number(bound.end - bound.next);
    }
    const matches = recordFilter(selection);
    const offsets = { ...replay.offsets };
    const view: View = { streams: new Map(), ledger: new Map(), marks: new Map() };
    await this.log.read(topic, bounds, async (records) => {
      stopping.throwIfAborted();
      if (!(await this.stillWanted(replay, 'requested'))) throw new Error('the plan was aborted');
      const items = await this.planPage(records.filter(matches), replay, view);
      const last = records.at(-1);
      if (last) offsets[String(last.partition)] = String(BigInt(last.offset) + 1n);
      await addReplayItems(this.pool, replay.id, items, { offsets, seen: records.length, total });
    });
    await moveReplay(this.pool, replay.id, ['requested'], 'planned');
  }

  private async stillWanted(replay: Replay, state: Replay['state']): Promise<boolean> {
    await this.holdsLease();
    return (await replayOf(this.pool, replay.id))?.state === state;
  }

  private async planPage(records: IncomingRecord[], replay: Replay, simulated: View) {
    const inputs = records.flatMap((record) => {
      const input = replayInput(this.definition, record, { id: replay.id, redo: false });
      return input ? [{ ...input, record }] : [];
    });
    const view = await this.view(this.pool, inputs, simulated);
    const simulation = new Simulation(this.definition, this.kinds, false);
    return inputs.map(({ input, originalKey, source, record }) => {
      const plan = simulation.plan(input, originalKey, view);
      this.keepSimulated(
        input.targets.map((t) => t.streamId),
        plan,
        view,
        simulated,
      );
      const { topic, value, envelope } = record;
      const body = { topic, value: value.toString('base64'), envelope };
      return { source, subject: input.inputKey, body, plan };
    });
  }

  // Later records of the plan must see what earlier ones would do; streams that nothing would happen to are forgotten.
  private keepSimulated(streams: string[], plan: ItemPlan, view: View, simulated: View): void {
    if (plan.events.length === 0 && plan.effects.every((effect) => effect.verdict === 'skipped')) return;
    for (const stream of streams) {
      const events = view.streams.get(stream);
      if (events) simulated.streams.set(stream, events);
    }
    for (const { slot } of plan.effects) {
      const entry = view.ledger.get(slot);
      if (entry) simulated.ledger.set(slot, entry);
    }
  }

  private async view(db: Queryable, inputs: ReplayInput<Input>[], simulated?: View): Promise<View> {
    const streams = [...new Set(inputs.flatMap(({ input }) => input.targets.map((target) => target.streamId)))];
    const keys = inputs.map(({ originalKey }) => originalKey);
    const view: View = {
      streams: await readStreams(db, streams),
      ledger: await ledgerOf(db, streams),
      marks: await marksOf(db, this.definition.service, keys),
    };
    for (const stream of streams) {
      const events = simulated?.streams.get(stream);
      if (events) view.streams.set(stream, events);
    }
    for (const [slot, entry] of simulated?.ledger ?? []) view.ledger.set(slot, entry);
    return view;
  }

  private async apply(replay: Replay): Promise<boolean> {
    const items = await replayItems(this.pool, replay.id, { state: 'planned', limit: APPLY_PAGE });
    if (items.length === 0) {
      await moveReplay(this.pool, replay.id, ['applying'], 'done');
      return true;
    }
    const waiting = new Set<string>();
    let applied = false;
    for (const item of items) {
      if (!(await this.stillWanted(replay, 'applying'))) return true;
      applied = (await this.applyItem(replay, item, waiting)) || applied;
    }
    return applied;
  }

  // An item waits until what the plan's earlier item on its stream set off is settled (protocol 24).
  private async applyItem(replay: Replay, item: ReplayItem, waiting: Set<string>): Promise<boolean> {
    const made = replayInput(this.definition, recordOfItem(item), replay);
    if (!made) {
      await noteReplayItem(this.pool, replay.id, item.seq, 'held', 'nothing listens to this record any more');
      return true;
    }
    const streams = made.input.targets.map((target) => target.streamId);
    const unsettled = await unsettledStreams(this.pool, replay.id, streams);
    if (streams.some((stream) => waiting.has(stream) || unsettled.has(stream))) {
      for (const stream of streams) waiting.add(stream);
      return false;
    }
    await this.applyAlone(replay, item, made);
    this.onCommitted();
    return true;
  }

  // Planned once more under the exclusive lock of its key, so nothing moves between the look and the deed: what would now
  // do or cost something else is held.
  private async applyAlone(replay: Replay, item: ReplayItem, made: ReplayInput<Input>): Promise<void> {
    const { service } = this.definition;
    try {
      await transact(this.pool, service, [made.input.inputKey], 'exclusive', async (tx) => {
        const now = new Simulation(this.definition, this.kinds, false);
        const plan = now.plan(made.input, made.originalKey, await this.view(tx.db, [made]));
        const moved = differs(plan, item.plan as ItemPlan);
        if (moved) return noteReplayItem(tx.db, replay.id, item.seq, 'held', moved);
        await new Batch(this.definition, [made.input]).run(tx);
        await noteReplayItem(tx.db, replay.id, item.seq, 'applied');
      });
    } catch (error) {
      if (error instanceof StoreUnavailable) throw error;
      const reason = error instanceof Error ? error.message : String(error);
      await noteReplayItem(this.pool, replay.id, item.seq, 'held', reason);
    }
  }
}

/** In what a plan differs from the one the operator saw; undefined where it does the same. */
function differs(now: ItemPlan, shown: ItemPlan): string | undefined {
  const deeds = (plan: ItemPlan) =>
    JSON.stringify([plan.events, plan.effects.map((e) => [e.slot, e.verdict, e.requestHash])]);
  return deeds(now) === deeds(shown) ? undefined : `today it would do something else: ${says(now)}`;
}

const says = (plan: ItemPlan): string =>
  [...plan.events, ...plan.effects.map((effect) => `${effect.kind} ${effect.verdict}`)].join(', ') || 'nothing';
