import { type DomainEvent, INPUTS_FREED } from '#libs/contracts';
import {
  type BatchTransaction,
  Conflict,
  keysToRelease,
  type Mail,
  parkedMail,
  StoreUnavailable,
  transact,
  type Pool,
} from '#libs/event-store';
import { Batch } from './batch';
import type { Caution, Killer } from './caution';
import type { ProcessDefinition } from './definition';
import { inputOfMail } from './inputs';
import { parkingEvent } from './parking-event';

const KEYS_A_STEP = 10;
const MAIL_A_STEP = 50;

/** How a step of a release ended: more waits, the key is free, an input failed again, or somebody else was quicker. */
type Step = 'more' | 'free' | 'failed' | 'overtaken';

/**
 * Releases parked keys, when an operator asked for it: decides what waits behind a key, in order, with today's code.
 * Each step holds the key's bucket exclusively, so nothing overtakes; what comes meanwhile joins the end of the queue.
 * An input that fails again leaves the key parked from there on.
 */
export class KeyRelease<State, Event extends DomainEvent, Input> {
  constructor(
    private readonly pool: Pool,
    private readonly definition: ProcessDefinition<State, Event, Input>,
    private readonly onCommitted: () => void,
    private readonly caution: Caution,
  ) {}

  /** Releases what was asked for; resolves to whether anything was. */
  async step(): Promise<boolean> {
    const keys = await keysToRelease(this.pool, this.definition.service, KEYS_A_STEP);
    for (const key of keys) await this.release(key);
    return keys.length > 0;
  }

  private async release(inputKey: string): Promise<void> {
    const careful = await this.caution.on('inputs');
    let limit = careful ? 1 : MAIL_A_STEP;
    for (;;) {
      const step = await (careful ? this.decideWithCare(inputKey) : this.decideNext(inputKey, limit));
      this.onCommitted();
      if (step === 'free') return;
      // One of many failed: one by one, so that those before it are decided and the key stops at the right one. What
      // somebody else was quicker with is looked at again in the next step.
      if (step !== 'more' && limit === 1) return;
      limit = step === 'more' ? limit : 1;
    }
  }

  private async decideWithCare(inputKey: string): Promise<Step> {
    const [next] = await parkedMail(this.pool, this.definition.service, inputKey, 1);
    return this.caution.singly('inputs', next?.key ?? inputKey, (killer) => this.decideNext(inputKey, 1, killer));
  }

  private async decideNext(inputKey: string, limit: number, killer?: Killer): Promise<Step> {
    try {
      if (killer) throw killer;
      return await this.exclusively(inputKey, async (tx) => {
        const mail = await tx.parkedMail(inputKey, limit);
        await this.decideAll(tx, mail);
        // Nothing can have come since: whoever wants to put mail here waits for the bucket.
        if (mail.length === limit) return 'more';
        const by = await tx.unpark(inputKey);
        const data = { service: this.definition.service, inputKey, how: 'released', inputs: [], by };
        await parkingEvent(tx, data.service, inputKey, INPUTS_FREED, data, { rootCause: inputKey, causedBy: by });
        return 'free';
      });
    } catch (error) {
      if (error instanceof StoreUnavailable) throw error;
      if (error instanceof Conflict) return 'overtaken';
      if (limit > 1) return 'failed';
      const reason = error instanceof Error ? error.message : String(error);
      const code = error instanceof Error ? error.name : 'unknown';
      await this.exclusively(inputKey, (tx) => tx.stopRelease(inputKey, code, reason));
      return 'failed';
    }
  }

  private async decideAll(tx: BatchTransaction, mail: Mail[]): Promise<void> {
    if (mail.length === 0) return;
    const inputs = mail.map((m) => inputOfMail(this.definition, m));
    await tx.unmark(mail.filter((m) => m.kind === 'record').map((m) => m.key));
    await new Batch(this.definition, inputs, true).run(tx);
  }

  private exclusively<T>(inputKey: string, work: (tx: BatchTransaction) => Promise<T>): Promise<T> {
    return transact(this.pool, this.definition.service, [inputKey], work);
  }
}

/**
 * Discards inputs that wait behind a parked key: the first one (the one that failed), or all. The discarding is an event
 * on the dead letter topic; with nothing left behind it the key is free. Resolves to the discarded inputs' keys.
 */
export async function discardParked(
  pool: Pool,
  service: string,
  inputKey: string,
  which: 'first' | 'all',
  by: string,
): Promise<string[]> {
  return transact(pool, service, [inputKey], async (tx) => {
    const all = await tx.parkedMail(inputKey, 1_000_000);
    const mail = which === 'first' ? all.slice(0, 1) : all;
    const inputs = mail.map((m) => m.key);
    await tx.discardMail(mail.map((m) => m.id));
    if (mail.length === all.length) await tx.unpark(inputKey);
    if (mail.length > 0) {
      const data = { service, inputKey, how: 'discarded', inputs, by };
      await parkingEvent(tx, service, inputKey, INPUTS_FREED, data, { rootCause: inputs[0] ?? '', causedBy: by });
    }
    return inputs;
  });
}
