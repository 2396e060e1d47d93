import type { DomainEvent } from '#libs/contracts';
import {
  Conflict,
  dropLeases,
  holdLeases,
  Loop,
  moveReplay,
  type OnError,
  openReplay,
  type Pool,
  type Replay,
  StoreUnavailable,
} from '#libs/event-store';
import { Killer } from '../caution';
import type { ProcessDefinition } from '../definition';
import type { EffectKind } from '../effect-kind';
import { Applier } from './applier';
import { GivenUp, Planner, type ReplayOptions } from './planner';

const POLL_MS = 250;
const LEASE_MS = 10_000;

/**
 * Makes plans and applies them, for one service, with its own code. A plan performs nothing and writes only to the
 * plan's own tables. Applying makes each item an input of its own, in one transaction with the note that it was applied:
 * a crash repeats none and skips none.
 */
export class ReplayWorker<State, Event extends DomainEvent, Input> {
  private readonly loop: Loop;
  private readonly lease: string;
  private readonly planner: Planner<State, Event, Input>;
  private readonly applier: Applier<State, Event, Input>;
  private renewAt = 0;
  private holds = false;

  constructor(
    private readonly pool: Pool,
    private readonly definition: ProcessDefinition<State, Event, Input>,
    private readonly kinds: Record<string, EffectKind>,
    private readonly options: ReplayOptions,
    private readonly owner: string,
    onError: OnError,
  ) {
    this.lease = `replay/${definition.service}`;
    const holdsLease = () => this.holdsLease();
    this.planner = new Planner(pool, definition, kinds, options, holdsLease);
    this.applier = new Applier(pool, definition, kinds, options, holdsLease);
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
    if (replay.state === 'applying') return this.apply(replay, stopping);
    await this.plan(replay, stopping);
    return true;
  }

  private async plan(replay: Replay, stopping: AbortSignal): Promise<void> {
    try {
      await this.plannerOf(replay).make(replay, stopping);
    } catch (error) {
      if (error instanceof GivenUp || stopping.aborted) return;
      if (error instanceof StoreUnavailable || error instanceof Conflict) throw error;
      await moveReplay(this.pool, replay.id, ['requested'], 'failed', { error: reasonOf(error) });
    }
  }

  /** A preview's plan is made by the service as the operator declares it. */
  private plannerOf({ declared }: Replay): Planner<State, Event, Input> {
    if (declared === undefined) return this.planner;
    const { pool, definition, kinds, options } = this;
    if (!definition.declared) throw new Error(`${definition.service} goes by nothing that could be declared otherwise`);
    return new Planner(pool, definition.declared(declared), kinds, options, () => this.holdsLease(), true);
  }

  private async apply(replay: Replay, stopping: AbortSignal): Promise<boolean> {
    try {
      return await this.applier.step(replay, stopping);
    } catch (error) {
      if (!(error instanceof Killer)) throw error;
      await moveReplay(this.pool, replay.id, ['applying'], 'paused', { error: reasonOf(error) });
      return false;
    }
  }

  private async holdsLease(): Promise<boolean> {
    const now = performance.now();
    if (now >= this.renewAt) {
      this.holds = (await holdLeases(this.pool, [this.lease], this.owner, LEASE_MS)).length > 0;
      this.renewAt = this.holds ? now + LEASE_MS / 3 : 0;
    }
    return this.holds;
  }
}

function reasonOf(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  return error instanceof Killer ? `${error.code}: ${message}` : message;
}
