import { randomUUID } from 'node:crypto';
import type { DomainEvent } from '#libs/contracts';
import { type ContentKey, type OnError, type Pool, Relay } from '#libs/event-store';
import type { BatchHandler, IncomingRecord } from '#libs/log';
import type { ProcessDefinition } from './definition';
import { EffectRunner, type EffectKind } from './effect-runner';
import { InputProcessor, type OnParked } from './input-processor';
import { inputOfRecord } from './inputs';
import { KeyRelease } from './key-release';
import { MailboxPump } from './mailbox-pump';
import type { Pending } from './pending';
import { type Produce, publishTo } from './publish';
import type { LogRange } from './replay/planner';
import { ReplayWorker } from './replay/replay-worker';

/** What a process needs from the app that runs it. */
export interface Surroundings {
  pool: Pool;
  produce: Produce;
  /** Copies a record that cannot be read to the dead letter topic; resolves when it is durable there. */
  deadLetter: (record: IncomingRecord, error: Error) => Promise<void>;
  effects: Record<string, EffectKind>;
  /** Calls under way at once, in this replica. */
  concurrency: number;
  /** How replays read the log again; without it none are made. */
  log?: LogRange;
  /** How long receipts are kept, in days; 400 unless told otherwise. A replay of older records must be asked for. */
  receiptDays?: number;
  onError: OnError;
  onParked: OnParked;
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
  private readonly processor: InputProcessor<State, Event, Input>;
  private readonly relay: Relay;
  private readonly runner: EffectRunner;
  private readonly pump: MailboxPump<State, Event, Input>;
  private readonly replays: ReplayWorker<State, Event, Input> | undefined;

  constructor(
    plain: ProcessDefinition<State, Event, Input>,
    private readonly surroundings: Surroundings,
  ) {
    const definition = { ...plain, sharedSlot: this.sharedSlot.bind(this) };
    this.definition = definition;
    const { pool, produce, effects, concurrency, log, receiptDays = RECEIPT_DAYS, onError, onParked } = surroundings;
    const { service, catalog } = definition;
    const owner = `${service}/${randomUUID()}`;
    const committed = () => {
      this.relay.wake();
      this.runner.wake();
      this.pump.wake();
    };
    this.processor = new InputProcessor(pool, definition, committed, onParked);
    const release = new KeyRelease(pool, definition, committed);
    this.relay = new Relay(pool, service, owner, publishTo(produce, catalog), onError);
    this.runner = new EffectRunner(pool, service, owner, effects, concurrency, () => this.pump.wake(), onError);
    const replaying = log && { log, receiptDays, onCommitted: committed };
    this.replays = replaying && new ReplayWorker(pool, definition, effects, replaying, owner, onError);
    this.pump = new MailboxPump(pool, definition, this.processor, release, owner, onError);
  }

  start(): void {
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
  }

  /** The handler for one of the definition's topics. */
  handlerFor(topic: string): BatchHandler {
    if (!this.definition.routes[topic]) throw new Error(`${this.definition.service} does not read ${topic}`);
    return (records) => this.take(records);
  }

  private async take(records: IncomingRecord[]): Promise<void> {
    const inputs: Pending<Input>[] = [];
    for (const record of records) {
      try {
        const input = inputOfRecord(this.definition, record);
        if (input) inputs.push(input);
      } catch (error) {
        // Poison, or a route with a bug: either way no key is known that could be parked.
        await this.surroundings.deadLetter(record, error instanceof Error ? error : new Error(String(error)));
      }
    }
    await this.processor.handle(inputs);
  }

  private sharedSlot(tenant: string, kind: string, request: unknown): string | undefined {
    const material = this.surroundings.effects[kind]?.shares?.(request as never);
    if (material === undefined) return undefined;
    if (!this.contentKey) throw new Error(`${kind} shares its answers, which needs a content key`);
    return this.contentKey.slotOf(tenant, kind, material);
  }
}
