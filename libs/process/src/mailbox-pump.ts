import type { DomainEvent } from '#libs/contracts';
import { dropLeases, dueMail, holdLeases, Loop, type OnError, type Pool } from '#libs/event-store';
import type { ProcessDefinition } from './definition';
import { inputOfMail, waitingMail } from './inputs';
import type { KeyRelease } from './key-release';
import type { InputProcessor } from './input-processor';

const PAGE = 200;
// Whoever puts mail in wakes it; this is for timers, and for what was told to nobody.
const POLL_MS = 250;
const LEASE_MS = 5_000;

/**
 * Brings due mail (outcomes, timers, joined callbacks) to its decision, oldest first, and releases parked keys. One
 * replica pumps at a time; a second one, should it overlap, finds the mail taken.
 */
export class MailboxPump<State, Event extends DomainEvent, Input> {
  private readonly loop: Loop;
  private readonly lease: string;
  private renewAt = 0;
  private holds = false;

  constructor(
    private readonly pool: Pool,
    private readonly definition: ProcessDefinition<State, Event, Input>,
    private readonly processor: InputProcessor<State, Event, Input>,
    private readonly release: KeyRelease<State, Event, Input>,
    private readonly owner: string,
    onError: OnError,
    pollMs = POLL_MS,
  ) {
    this.lease = `mailbox/${definition.service}`;
    this.loop = new Loop(`mailbox of ${definition.service}`, pollMs, () => this.step(), onError);
  }

  start(): void {
    this.loop.start();
  }

  /** Says that mail was put in. */
  wake(): void {
    this.loop.wake();
  }

  /** Whether it is this replica that pumps. */
  get holdsMailbox(): boolean {
    return this.holds;
  }

  async stop(): Promise<void> {
    await this.loop.stop();
    await dropLeases(this.pool, [this.lease], this.owner);
  }

  /** One look, as the loop makes them; resolves to whether there may be more at once. */
  async step(): Promise<boolean> {
    if (this.processor.stopped || !(await this.holdsLease())) return false;
    const mail = await dueMail(this.pool, this.definition.service, PAGE);
    const inputs = await this.processor.made(mail, {
      keyOf: ({ id }) => `mail ${id}`,
      make: (one) => inputOfMail(this.definition, one),
      broken: (one, error) => this.processor.park(waitingMail(one), error),
    });
    await this.processor.handle(inputs);
    const released = await this.release.step();
    return released || mail.length === PAGE;
  }

  private async holdsLease(): Promise<boolean> {
    const now = performance.now();
    if (now >= this.renewAt) {
      this.holds = (await holdLeases(this.pool, [this.lease], this.owner, LEASE_MS)).length > 0;
      this.renewAt = now + LEASE_MS / 3;
    }
    return this.holds;
  }
}
