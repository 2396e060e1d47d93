import {
  cancel,
  type ClaimedEffect,
  type Finding,
  Ledger,
  moveReplay,
  redo,
  Relay,
  requestRelease,
  requestReplay,
  type Replica as StoreReplica,
  resolveHeld,
  type Settlement,
  StoreUnavailable,
  type UnpublishedEvent,
} from '#libs/event-store';
import type { IncomingRecord } from '#libs/log';
import type { TestDatabase } from '../../../event-store/src/testing/test-database';
import { policiesOf } from '../effect-runner';
import { Caution } from '../caution';
import { InputProcessor } from '../input-processor';
import { inputOfRecord } from '../inputs';
import { eraseSubject } from '../erasure';
import { discardParked, KeyRelease } from '../key-release';
import { MailboxPump } from '../mailbox-pump';
import { ReplayWorker } from '../replay/replay-worker';
import { StormWatch } from '../storm';
import { LETTER_TOPIC, type LetterCode, letterKinds, letterProcess, wish } from './letters';
import { Watch } from './watch';

/** How a call ends at the vendor, and what the replica hears of it. */
export type End = 'done' | 'failed' | 'refused' | 'no' | 'unknown' | 'died after sending' | 'died before sending';

const ends: Record<Exclude<End, `died ${string}`>, Settlement> = {
  done: { state: 'done', answer: 'sent' },
  failed: { state: 'owed', code: 'server', afterMs: 100, refused: false },
  refused: { state: 'owed', code: 'rate-limit', afterMs: 100, refused: true },
  no: { state: 'dead', code: 'invalid', message: 'no' },
  unknown: { state: 'unknown', code: 'deadline', afterMs: 100 },
};

// The vendor may have done it, for all that can be known outside.
const mayBeBilled = new Set<End>(['done', 'unknown', 'died after sending']);

const running = new AbortController().signal;

/**
 * A service of two replicas whose every step is taken by hand, with the vendor and the log beside it. The second one
 * takes the care of a replica that follows a killed one.
 */
export class Office {
  readonly code: LetterCode = { mended: false, cut: false };
  readonly records: IncomingRecord[] = [];
  readonly discarded = new Set<string>();
  readonly watch: Watch;
  private readonly replicas: Replica[];
  private readonly replays: string[] = [];

  constructor(
    private readonly db: TestDatabase,
    private readonly service: string,
  ) {
    this.watch = new Watch(db.pool, service);
    this.replicas = [1, 2].map(
      (n) => new Replica(db, service, `${service}/${String(n)}`, this.code, this.records, n === 2),
    );
  }

  /** Subjects are the run's own, so that runs may share a database. */
  subject = (n: number): string => `letter:${this.service}-${String(n)}`;

  /** A record comes for the first time; it stays on the log whatever becomes of it. */
  hear(replica: number, subject: number, who: string): Promise<void> {
    this.records.push(wish(this.subject(subject), who, this.records.length));
    return this.deliver([replica], [this.records.length - 1]);
  }

  /** Records of the log are handed over, to both replicas at once if so said. */
  async deliver(replicas: number[], offsets: number[]): Promise<void> {
    const records = offsets.flatMap((offset) => this.records[offset % this.records.length] ?? []);
    await Promise.all(replicas.map((n) => this.replica(n).take(records).catch(unlessCut)));
    if (!this.code.cut) for (const { envelope } of records) this.watch.accepted.add(envelope?.id ?? '');
    await this.watch.look([]);
  }

  async claim(replica: number, most: number): Promise<void> {
    const { ledger, owner, inHand } = this.replica(replica);
    const claimed = await ledger.claim(owner, most);
    inHand.push(...claimed);
    await this.watch.claimed(claimed);
  }

  /** A call that is in hand ends; its lease may have run out long ago. */
  async end(replica: number, which: number, end: End): Promise<void> {
    const { ledger, inHand } = this.replica(replica);
    const [effect] = inHand.splice(which % Math.max(1, inHand.length), 1);
    if (!effect) return;
    if (mayBeBilled.has(end)) this.watch.billed(effect);
    if (end === 'died after sending' || end === 'died before sending') return;
    const taken = await ledger.settle(effect, ends[end]);
    if (!taken && mayBeBilled.has(end)) await ledger.tellLate(effect, end);
    await this.watch.look([`settle ${ends[end].state}`]);
  }

  async pass(ms: number): Promise<void> {
    await this.db.moveClock(ms);
  }

  async sweep(replica: number): Promise<void> {
    const { ledger } = this.replica(replica);
    await ledger.sweep();
    await ledger.expire();
    await this.watch.look(['expire']);
    await ledger.reconcile();
    await this.watch.look(['repeat', 'hold']);
  }

  async pump(replica: number): Promise<void> {
    await this.replica(replica).pump.step().catch(unlessCut);
    await this.watch.look([]);
  }

  /** The relay publishes a page; it may die after the log's acknowledgement, before it notes that. */
  async relay(replica: number, dies: boolean): Promise<void> {
    const { relay } = this.replica(replica);
    this.replica(replica).publish = (events) => {
      this.watch.published(events);
      return dies ? Promise.reject(new Error('died on purpose')) : Promise.resolve();
    };
    await relay.step().catch((error: unknown) => {
      if (!dies) throw error;
    });
  }

  async release(subject: number): Promise<void> {
    await requestRelease(
      this.db.pool,
      { service: this.service, inputKey: `default:${this.subject(subject)}` },
      'model',
    );
  }

  async discard(subject: number, which: 'first' | 'all'): Promise<void> {
    const inputs = await discardParked(this.db.pool, this.service, `default:${this.subject(subject)}`, which, 'model');
    if (inputs.length > 0) this.discarded.add(this.subject(subject));
  }

  async plan(): Promise<void> {
    const asked = { service: this.service, topic: LETTER_TOPIC, selection: {}, by: 'model' };
    this.replays.push(await requestReplay(this.db.pool, asked));
  }

  async moveReplay(which: number, to: 'applying' | 'aborted', again: boolean): Promise<void> {
    const id = this.replays.at(-1 - (which % Math.max(1, this.replays.length)));
    const from = to === 'applying' ? (['planned'] as const) : (['requested', 'planned', 'applying'] as const);
    if (id) await moveReplay(this.db.pool, id, [...from], to, { redo: again });
  }

  async stepReplay(replica: number): Promise<void> {
    await this.replica(replica).replays.step(running).catch(unlessCut);
    await this.watch.look([]);
  }

  async erase(subject: number): Promise<void> {
    const whose = { tenant: 'default', subject: this.subject(subject), by: 'model', dryRun: false };
    const found = await eraseSubject(this.db.pool, whose);
    if ((found[this.service]?.inputs ?? 0) > 0) this.discarded.add(this.subject(subject));
    await this.watch.look(['erase']);
  }

  /** A person says of an effect in this state what becomes of it. */
  async decideBy(person: 'cancels' | 'resolves' | 'redoes', which: number, finding: Finding): Promise<void> {
    const states = { cancels: ['owed'], resolves: ['held'], redoes: ['done', 'dead', 'cancelled', 'superseded'] };
    const effect = this.watch.newest(states[person], which);
    if (!effect) return;
    if (person === 'cancels') await cancel(this.db.pool, effect);
    if (person === 'resolves')
      await resolveHeld(this.db.pool, { ...effect, slot: effect.shares ?? effect.slot }, finding);
    // Of an answer that several share, what was asked is forgotten: only a replay can ask it anew.
    if (person === 'redoes' && (effect.shares === null || ['dead', 'cancelled'].includes(effect.state)))
      await redo(this.db.pool, effect.slot);
    await this.watch.look(person === 'cancels' ? ['cancel'] : [`resolve ${finding.state}`]);
  }

  /** The bug is mended, faults end, every person does their part; resolves when nothing is left to do. */
  async settle(): Promise<void> {
    Object.assign(this.code, { mended: true, cut: false });
    await this.deliver([1], [...this.records.keys()]);
    for (const replica of this.replicas) replica.inHand.length = 0;
    for (let round = 0; round < 200; round += 1) {
      await requestRelease(this.db.pool, { service: this.service }, 'model');
      for (const n of [1, 2]) {
        await this.stepReplay(n);
        await this.pump(n);
        await this.claim(n, 10);
        while (this.replica(n).inHand.length > 0) await this.end(n, 0, 'done');
        await this.relay(n, false);
        await this.sweep(n);
      }
      for (let which = 0; which < this.replays.length; which += 1) await this.moveReplay(which, 'applying', false);
      await this.decideBy('resolves', 0, { state: 'dead', code: 'nobody knows' });
      if ((await this.watch.open()) === 0) return;
      await this.pass(6_000);
    }
    throw new Error(`still open: ${JSON.stringify(await this.watch.whatIsOpen())}`);
  }

  private replica(n: number): Replica {
    const replica = this.replicas[n - 1];
    if (!replica) throw new Error(`there is no replica ${String(n)}`);
    return replica;
  }
}

/** The real parts of one replica, without their loops. */
class Replica {
  readonly inHand: ClaimedEffect[] = [];
  readonly ledger: Ledger;
  readonly pump: { step(): Promise<boolean> };
  readonly relay: Relay;
  readonly replays: { step(stopping: AbortSignal): Promise<boolean> };
  publish: (events: UnpublishedEvent[]) => Promise<void> = () => Promise.resolve();
  readonly take: (records: IncomingRecord[]) => Promise<void>;

  constructor(
    { pool }: TestDatabase,
    service: string,
    readonly owner: string,
    code: LetterCode,
    records: IncomingRecord[],
    careful: boolean,
  ) {
    const definition = letterProcess(service, code);
    const ignore = () => undefined;
    const caution = new Caution(pool, service, { tookOver: () => Promise.resolve(careful) } as unknown as StoreReplica);
    const processor = new InputProcessor(pool, definition, ignore, ignore, new StormWatch(ignore), caution);
    this.take = (taken) => processor.handle(taken.flatMap((record) => inputOfRecord(definition, record) ?? []));
    this.ledger = new Ledger(pool, service, policiesOf(letterKinds));
    const release = new KeyRelease(pool, definition, ignore, caution);
    this.pump = new MailboxPump(pool, definition, processor, release, owner, ignore);
    this.relay = new Relay(pool, service, owner, (events) => this.publish(events), ignore);
    const log = {
      bounds: () => Promise.resolve(new Map([[0, { next: 0n, end: BigInt(records.length) }]])),
      async read(
        _topic: string,
        bounds: Map<number, { next: bigint; end: bigint }>,
        onRecords: (page: IncomingRecord[]) => Promise<void>,
      ) {
        const { next, end } = bounds.get(0) ?? { next: 0n, end: 0n };
        for (let from = Number(next); from < end; from += 3)
          await onRecords(records.slice(from, Math.min(from + 3, Number(end))));
      },
    };
    const watched = <T>(work: () => T) => work();
    const replaying = { log, receiptDays: 400, onCommitted: ignore, caution, watched };
    this.replays = new ReplayWorker(pool, definition, letterKinds, replaying, owner, ignore);
  }
}

function unlessCut(error: unknown): void {
  if (!(error instanceof StoreUnavailable)) throw error;
}
