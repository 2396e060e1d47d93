import { randomUUID } from 'node:crypto';
import type { DomainEvent } from '#libs/contracts';
import { type ContentKey, type OnError, type Pool, Relay, Replica } from '#libs/event-store';
import type { BatchHandler, IncomingRecord } from '#libs/log';
import { Caution } from './caution';
import { type ProcessDefinition, UnreadableRecord } from './definition';
import type { EffectKind } from './effect-kind';
import { EffectRunner } from './effect-runner';
import { HangWatch } from './hang-watch';
import { InputProcessor, type OnParked } from './input-processor';
import { inputOfRecord, placeOf } from './inputs';
import { companyOf } from './jobs';
import { KeyRelease } from './key-release';
import { MailboxPump } from './mailbox-pump';
import { type Produce, publishTo } from './publish';
import type { LogRange } from './replay/planner';
import { ReplayWorker } from './replay/replay-worker';
import type { Sealing } from './sealing';
import type { Spending } from './spending';
import { Storm, StormWatch } from './storm';

/** What a process needs from the app that runs it. */
export interface Surroundings {
  pool: Pool;
  produce: Produce;
  /** Copies a record that cannot be read to the dead letter topic; resolves when it is durable there. */
  deadLetter: (record: IncomingRecord, error: Error) => Promise<void>;
  effects: Record<string, EffectKind>;
  /** What calls may spend; without it no budget but those of replays bounds them. */
  spending?: Spending;
  /** Where records of calls are kept; without it there are none. */
  sealing?: Sealing;
  /** Calls under way at once, in this replica. */
  concurrency: number;
  /** How often, in milliseconds, relay, runner and pump look by themselves for what nobody told them of. */
  pollMs?: number;
  /** How replays read the log again; without it none are made. */
  log?: LogRange;
  /** Longest time in milliseconds that one decision may take; one that takes longer ends the process. */
  decideLimitMs?: number;
  /** How long receipts are kept, in days; 400 unless told otherwise. A replay of older records must be asked for. */
  receiptDays?: number;
  onError: OnError;
  onParked: OnParked;
  /** Told once, when so many inputs fail alike that nothing more is decided. */
  onStorm?: (storm: Storm) => void;
}

const RECEIPT_DAYS = 400;

/**
 * A service at work: binds one pure decider to log, store and effects. Records come in through {@link handlerFor};
 * relay, effect runner and mailbox pump act on what was committed, and on nothing else.
 */
export class Process<State, Event extends DomainEvent, Input> {
  /** Names shared calls; must be set before the first input where a kind shares its answers. */
  contentKey: ContentKey | undefined;
  private readonly definition: ProcessDefinition<State, Event, Input>;
  private readonly watch: StormWatch;
  private readonly hangs: HangWatch;
  private readonly replica: Replica;
  private readonly processor: InputProcessor<State, Event, Input>;
  private readonly relay: Relay;
  private readonly runner: EffectRunner;
  private readonly pump: MailboxPump<State, Event, Input>;
  private readonly replays: ReplayWorker<State, Event, Input> | undefined;

  constructor(
    plain: ProcessDefinition<State, Event, Input>,
    private readonly surroundings: Surroundings,
  ) {
    this.hangs = new HangWatch(plain.service, surroundings.decideLimitMs);
    const definition = this.complete(this.hangs.watched(plain));
    this.definition = definition;
    const { pool, produce, effects, concurrency, pollMs, log, onError, onParked } = surroundings;
    const { receiptDays = RECEIPT_DAYS } = surroundings;
    const { service, catalog } = definition;
    const owner = `${service}/${randomUUID()}`;
    const wake = () => {
      this.relay.wake();
      this.runner.wake();
      this.pump.wake();
    };
    this.replica = new Replica(pool, service, wake, onError);
    const caution = new Caution(pool, service, this.replica);
    const committed = () => {
      wake();
      this.tellOthers();
    };
    this.watch = new StormWatch((storm) => surroundings.onStorm?.(storm));
    this.processor = new InputProcessor(pool, definition, committed, onParked, this.watch, caution);
    const settled = () => {
      this.pump.wake();
      this.tellOthers();
    };
    const release = new KeyRelease(pool, definition, committed, caution);
    this.relay = new Relay(pool, service, owner, publishTo(produce, catalog), onError, pollMs);
    const { spending, sealing } = surroundings;
    const further = { pollMs, spending, sealing };
    this.runner = new EffectRunner(pool, service, owner, effects, concurrency, settled, onError, further);
    const watched = this.hangs.beating.bind(this.hangs);
    const replaying = log && { log, receiptDays, onCommitted: committed, caution, watched };
    this.replays = replaying && new ReplayWorker(pool, definition, effects, replaying, owner, onError);
    // A storm is told once, by itself.
    const onPumpError: OnError = (error, loop) => {
      if (!(error instanceof Storm)) onError(error, loop);
    };
    this.pump = new MailboxPump(pool, definition, this.processor, release, owner, onPumpError, pollMs);
  }

  private complete(definition: ProcessDefinition<State, Event, Input>): ProcessDefinition<State, Event, Input> {
    const { declared } = definition;
    return {
      ...definition,
      sharedSlot: this.sharedSlot.bind(this),
      company: (tenant, kind, request) => companyOf(this.surroundings.effects, tenant, kind, request),
      estimate: (kind, request) => this.surroundings.effects[kind]?.spend?.estimate(request as never),
      declared: declared && ((given) => this.complete(declared(given))),
    };
  }

  start(): void {
    this.hangs.start();
    this.replica.start();
    this.relay.start();
    this.runner.start();
    this.pump.start();
    this.replays?.start();
  }

  /** Ends what is in hand: first the decisions, then the calls, then the publishing of what they left. */
  async stop(): Promise<void> {
    await this.replays?.stop();
    await this.pump.stop();
    await this.runner.stop();
    await this.relay.stop();
    await this.replica.stop();
    await this.hangs.stop();
  }

  // A replica that holds everything needs nobody.
  private tellOthers(): void {
    if (!this.relay.holdsAll || !this.pump.holdsMailbox) this.replica.tell();
  }

  /** Resolves while inputs are decided; rejects with why they are not any more. For readiness. */
  check(): Promise<void> {
    return this.watch.storm ? Promise.reject(this.watch.storm) : Promise.resolve();
  }

  /** The handler for one of the definition's topics. */
  handlerFor(topic: string): BatchHandler {
    if (!this.definition.routes[topic]) throw new Error(`${this.definition.service} does not read ${topic}`);
    return (records) => this.take(records);
  }

  private async take(records: IncomingRecord[]): Promise<void> {
    const inputs = await this.processor.made(records, {
      keyOf: placeOf,
      make: (record) => inputOfRecord(this.definition, record),
      broken: (record, error) => this.giveUp(record, error),
    });
    await this.processor.handle(inputs);
  }

  // Poison, a killer, or a route with a bug: either way no key is known that could be parked. Only bugs make a storm.
  private async giveUp(record: IncomingRecord, error: unknown): Promise<void> {
    if (!(error instanceof UnreadableRecord)) this.watch.failed(placeOf(record), error);
    await this.surroundings.deadLetter(record, error instanceof Error ? error : new Error(String(error)));
  }

  private sharedSlot(tenant: string, kind: string, request: unknown): string | undefined {
    const material = this.surroundings.effects[kind]?.shares?.(request as never);
    if (material === undefined) return undefined;
    if (!this.contentKey) throw new Error(`${kind} shares its answers, which needs a content key`);
    return this.contentKey.slotOf(tenant, kind, material);
  }
}
