import type { DomainEvent } from '#libs/contracts';
import {
  type BatchTransaction,
  Conflict,
  correlated,
  moveReplay,
  noteReplayItem,
  type Pool,
  type Replay,
  type ReplayItem,
  replayItems,
  StoreUnavailable,
  takeReplayItem,
  transact,
  unsettledStreams,
  waitsForBudget,
} from '#libs/event-store';
import { recordKey } from '#libs/contracts';
import { Batch } from '../batch';
import type { Killer } from '../caution';
import type { ProcessDefinition } from '../definition';
import type { EffectKind } from '../effect-kind';
import { deedsOf, saysOf } from './deeds';
import { failing, KILLERS, type ReplayOptions } from './planner';
import { matched, recordOfItem, type ReplayInput, replayInput } from './replay-item';
import { type ItemPlan, Simulation } from './simulation';

const PAGE = 200;

/** An item with what it has become by today's code; `streams` are those that it speaks to. */
interface Ready<Input> {
  item: ReplayItem;
  made: ReplayInput<Input> | undefined;
  streams: string[];
}

/**
 * Applies a plan, item by item, in order. Each is one transaction under the exclusive lock of its keys: it is planned
 * once more, and held where it would now do something else than was shown.
 */
export class Applier<State, Event extends DomainEvent, Input> {
  private readonly simulation: Simulation<State, Event, Input>;

  constructor(
    private readonly pool: Pool,
    private readonly definition: ProcessDefinition<State, Event, Input>,
    kinds: Record<string, EffectKind>,
    private readonly options: ReplayOptions,
    private readonly holdsLease: () => Promise<boolean>,
  ) {
    this.simulation = new Simulation(definition, kinds);
  }

  /** Applies a page of what is left, unless calls wait for the replay's budget; resolves to whether any item could be. */
  async step(replay: Replay, stopping: AbortSignal): Promise<boolean> {
    if (await waitsForBudget(this.pool, replay)) return false;
    const items = await replayItems(this.pool, replay.id, { state: 'planned', limit: PAGE });
    if (items.length === 0) {
      await moveReplay(this.pool, replay.id, ['applying'], 'done');
      return true;
    }
    const { caution } = this.options;
    const waiting = new Set<string>();
    if (!(await caution.on('replays'))) return this.applyAll(replay, items, waiting, stopping);
    let applied = false;
    for (const item of items) {
      if (stopping.aborted || !(await this.holdsLease())) break;
      const settled = await caution.singly('replays', `${replay.id}|${item.source}`, (killer) =>
        killer ? this.holdKiller(replay, item, killer) : this.applyAll(replay, [item], waiting, stopping),
      );
      applied ||= settled;
    }
    return applied;
  }

  private async holdKiller(replay: Replay, item: ReplayItem, killer: Killer): Promise<boolean> {
    const plan = { ...failing(killer), then: (item.plan as ItemPlan).then };
    const reason = `${killer.code}: ${killer.message}`;
    await noteReplayItem(this.pool, replay.id, item.seq, { state: 'held', reason, plan });
    await this.options.caution.around(
      `${replay.id}@killers`,
      `another item, ${item.source}, ended the process`,
      KILLERS,
    );
    return true;
  }

  // `waiting` are streams on which an earlier item of the same look still has to be applied, or has set something off.
  private async applyAll(
    replay: Replay,
    items: ReplayItem[],
    waiting: Set<string>,
    stopping: AbortSignal,
  ): Promise<boolean> {
    const ready = await this.ready(replay, items);
    // An item waits until what the plan's earlier item on its stream set off is settled (protocol 24).
    const streams = [...new Set(ready.flatMap((one) => one.streams))];
    for (const stream of await unsettledStreams(this.pool, replay.id, streams)) waiting.add(stream);
    let applied = false;
    for (const { item, made, streams } of ready) {
      if (stopping.aborted || !(await this.holdsLease())) return applied;
      const waits = streams.some((stream) => waiting.has(stream));
      const settled = !waits && (await this.apply(replay, item, made));
      applied ||= settled;
      if (settled) this.options.onCommitted();
      if (!settled || sets(item.plan as ItemPlan)) for (const stream of streams) waiting.add(stream);
    }
    return applied;
  }

  private async ready(replay: Replay, items: ReplayItem[]): Promise<Ready<Input>[]> {
    const all = items.map((item) => ({
      item,
      made: isKiller(item) ? undefined : replayInput(this.definition, recordOfItem(item), replay),
    }));
    const awaited = all.flatMap(({ made }) => made?.input.awaits ?? []);
    const known = await correlated(this.pool, this.definition.service, awaited);
    return all.map(({ item, made }) => {
      if (!made) return { item, made, streams: [] };
      const input = matched(made.input, known);
      return { item, made: { ...made, input }, streams: input.targets.map(({ streamId }) => streamId) };
    });
  }

  // Resolves to whether the item needs no further look: it was applied or held, or is not to be applied any more.
  private async apply(replay: Replay, item: ReplayItem, made: ReplayInput<Input> | undefined): Promise<boolean> {
    const held = (reason: string) => noteReplayItem(this.pool, replay.id, item.seq, { state: 'held', reason });
    if (!made) {
      const { fails } = item.plan as ItemPlan;
      await held(isKiller(item) ? `killer: ${fails ?? ''}` : 'nothing listens to this record any more');
      return true;
    }
    const { input } = made;
    const keys = [...new Set([input.inputKey, ...input.targets.map((t) => recordKey(t.tenant, t.subject))])];
    try {
      await transact(this.pool, this.definition.service, keys, async (tx) => {
        const became = await this.applyAlone(tx, replay, item, made, keys);
        if (became) await noteReplayItem(tx.db, replay.id, item.seq, became);
      });
    } catch (error) {
      if (error instanceof StoreUnavailable) throw error;
      // Somebody was quicker: the item is looked at again.
      if (error instanceof Conflict) return false;
      await held(error instanceof Error ? error.message : String(error));
    }
    return true;
  }

  private async applyAlone(
    tx: BatchTransaction,
    replay: Replay,
    item: ReplayItem,
    { input, original }: ReplayInput<Input>,
    keys: string[],
  ): Promise<Parameters<typeof noteReplayItem>[3] | undefined> {
    const streams = input.targets.map(({ streamId }) => streamId);
    const receipts = await takeReplayItem(tx.db, replay.id, item.seq, streams);
    if (!receipts) return undefined;
    const shown = item.plan as ItemPlan;
    const marks = 'day' in input.inbox ? [input.inbox] : [];
    const known = await tx.read({ marks, undated: [], inputKeys: keys, streams });
    if (known.parked.size > 0) return { state: 'held', reason: 'its key is parked: release that first' };
    if (streams.length === 0) return { state: 'held', reason: `no stream is known for ${shown.unmatched ?? 'it'}` };
    const view = { ...receipts, streams: known.streams, marks: new Map() };
    const now = { ...this.simulation.plan(input, original.key, view).plan, then: shown.then };
    if (deedsOf(now, replay.redo) !== deedsOf(shown, replay.redo)) {
      return { state: 'held', reason: `today it would do something else: ${saysOf(now, replay.redo)}` };
    }
    await new Batch(this.definition, [input]).run(tx, { known, receipts });
    return { state: 'applied', plan: now };
  }
}

/** Whether an item sets off calls, whose ends are inputs of their own. */
const sets = (plan: ItemPlan): boolean => plan.effects.some(({ verdict }) => verdict !== 'skipped');

// Found so when it was planned: it is not even routed.
const isKiller = (item: ReplayItem): boolean => (item.plan as ItemPlan).code === 'killer';
