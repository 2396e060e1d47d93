import { setTimeout as pause } from 'node:timers/promises';
import { INPUT_PARKED, type DomainEvent } from '#libs/contracts';
import { Conflict, mailWaits, type Outcome, StoreUnavailable, transact, type Pool } from '#libs/event-store';
import { Batch } from './batch';
import { type Caution, Killer } from './caution';
import type { ProcessDefinition } from './definition';
import { keyOfItsOwn, parkingEvent } from './parking-event';
import type { Pending } from './pending';
import { classOf, type StormWatch } from './storm';

// A stream that is written to by many at once makes a single input lose this often only when something is wrong.
const MAX_TRIES = 20;

/** Told after every commit, so that relay, runner and pump need not wait for their next look. */
export type OnCommitted = () => void;

/** Told of an input that was parked; the details stand on the dead letter topic. */
export type OnParked = (inputKey: string, error: unknown) => void;

/** How inputs are made of records or mail; `keyOf` names one of them, and no input. */
interface Making<T, Input> {
  keyOf(one: T): string;
  make(one: T): Pending<Input> | undefined;
  broken(one: T, error: unknown): Promise<void>;
}

/**
 * Brings inputs to their decisions. When `handle` resolves, each is accounted for: decided, a repeat, or parked. It
 * rejects with {@link StoreUnavailable} (nothing was decided) or a storm (nothing more will be): the same inputs
 * may be given again, and those that were decided are repeats then.
 */
export class InputProcessor<State, Event extends DomainEvent, Input> {
  constructor(
    private readonly pool: Pool,
    private readonly definition: ProcessDefinition<State, Event, Input>,
    private readonly onCommitted: OnCommitted,
    private readonly onParked: OnParked,
    private readonly watch: StormWatch,
    private readonly caution: Caution,
  ) {}

  /** True from a storm on: mail is left to others. */
  get stopped(): boolean {
    return this.watch.storm !== undefined;
  }

  /**
   * Makes what came in into inputs. `broken` is given what throws, or has ended the process three times: no decision is
   * reached then, and mostly no key is known. Rejects while the database is away.
   */
  async made<T>(all: readonly T[], { keyOf, make, broken }: Making<T, Input>): Promise<Pending<Input>[]> {
    const attempt = async (one: T, killer?: Killer) => {
      try {
        if (killer) throw killer;
        return make(one);
      } catch (error) {
        await broken(one, error);
        return undefined;
      }
    };
    const careful = await this.caution.on('inputs');
    const inputs: Pending<Input>[] = [];
    for (const one of all) {
      const input = await (careful
        ? this.caution.singly('inputs', keyOf(one), (killer) => attempt(one, killer))
        : attempt(one));
      if (input) inputs.push(input);
    }
    return inputs;
  }

  async handle(inputs: Pending<Input>[]): Promise<void> {
    if (this.watch.storm) throw this.watch.storm;
    const unique = withoutRepeats(inputs);
    if (unique.length === 0) return;
    if (await this.caution.on('inputs')) return this.handleEach(unique, (input) => this.handleWithCare(input));
    try {
      await this.commitTwice(unique);
      this.watch.passed(unique.length);
    } catch (error) {
      if (error instanceof StoreUnavailable) throw error;
      return this.handleEach(unique, (input) => this.handleAlone(input));
    }
    this.onCommitted();
  }

  private async handleEach(inputs: Pending<Input>[], handle: (input: Pending<Input>) => Promise<void>): Promise<void> {
    try {
      for (const input of inputs) await handle(input);
    } finally {
      this.onCommitted();
    }
  }

  private handleWithCare(input: Pending<Input>): Promise<void> {
    return this.caution.singly('inputs', input.inbox.key, (killer) => this.handleAlone(input, killer));
  }

  // Another writer moved a version or took a mark: one more look at the whole batch, before it is taken apart.
  private async commitTwice(inputs: Pending<Input>[]): Promise<void> {
    try {
      await this.commit(inputs);
    } catch (error) {
      if (!(error instanceof Conflict)) throw error;
      await this.commit(inputs);
    }
  }

  private commit(inputs: Pending<Input>[]): Promise<void> {
    return new Batch(this.definition, inputs).commit(this.pool);
  }

  private async handleAlone(input: Pending<Input>, killer?: Killer): Promise<void> {
    let last: unknown;
    for (let tries = 1; tries <= MAX_TRIES; tries += 1) {
      try {
        await (killer ? this.park(input, killer) : this.commitOrPark(input));
        return;
      } catch (error) {
        if (!(error instanceof Conflict)) throw error;
        // Another pump decided it, or an erasure took it out: nothing is left to do here.
        if (input.mailId !== undefined && !(await mailWaits(this.pool, input.mailId))) return;
        last = error;
        await pause(Math.random() * 10 * tries);
      }
    }
    throw new StoreUnavailable({ cause: last });
  }

  private async commitOrPark(input: Pending<Input>): Promise<void> {
    try {
      await this.commit([input]);
      this.watch.passed(1);
    } catch (error) {
      if (error instanceof StoreUnavailable || error instanceof Conflict) throw error;
      await this.park(input, error);
    }
  }

  /**
   * Parks the input's key: it and what follows for it wait in order, while all other keys go on (protocol 11); where the
   * service skips, the input waits alone. Throws {@link Conflict} where someone else was quicker, and a storm where too many fail alike.
   */
  async park(input: Pending<Input>, error: unknown): Promise<void> {
    const { service, onFailure } = this.definition;
    const { inbox, mailId, mail } = input;
    const skips = onFailure === 'skip';
    const inputKey = skips ? keyOfItsOwn(input.inputKey, inbox.key) : input.inputKey;
    this.watch.failed(inbox.key, error);
    const reason = error instanceof Error ? error.message : String(error);
    const errorClass = classOf(error);
    await transact(this.pool, service, [inputKey], async (tx) => {
      const marks = 'day' in inbox ? [inbox] : [];
      const known = await tx.read({ marks, undated: [], inputKeys: [], streams: [] });
      if (known.marked.has(inbox.key)) return;
      await tx.park(inputKey, errorClass, reason);
      const data = {
        service,
        inputKey,
        input: inbox.key,
        code: error instanceof Killer ? error.code : 'bug',
        errorClass,
        reason,
      };
      const announce = (also: Partial<Outcome>) =>
        parkingEvent(tx, service, inputKey, INPUT_PARKED, data, input.meta, also);
      const waiting = [{ ...mail, inputKey, parked: true }];
      // Mail is in the mailbox already and only has to wait there; a record is marked and put behind its key.
      if (mailId === undefined) await announce({ marks: [{ ...inbox, decided: [] }], mail: waiting });
      else await announce(skips ? { taken: [mailId], mail: waiting } : { parkedMail: [mailId] });
    });
    this.onParked(inputKey, error);
  }
}

function withoutRepeats<Input>(inputs: Pending<Input>[]): Pending<Input>[] {
  const seen = new Set<string>();
  return inputs.filter((input) => {
    // Mail is never dropped here: its row must be taken by whoever finds the repeat in the inbox.
    const key = input.mailId ?? JSON.stringify(input.inbox.key);
    if (seen.has(key)) return false;
    seen.add(key);
    return true;
  });
}
