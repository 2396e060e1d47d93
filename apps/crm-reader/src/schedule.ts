import { randomUUID } from 'node:crypto';
import {
  SHAPE_ASKED,
  type ShapeAsked,
  type ShapeName,
  shapeStream,
  shapeSubject,
  JOURNAL_ASKED,
  JOURNAL_TENANT,
  journalSubject,
  SWEEP_ASKED,
  SWEEP_SERVICE,
  type SweepAsked,
  sweepEvents,
  type SweepName,
  sweepStream,
  sweepSubject,
  Topic,
  readEvent,
} from '#libs/contracts';
import { newestIn, type Pool } from '#libs/event-store';
import { meter } from '#libs/platform';
import { tell } from '#libs/process';
import { every, type RecipeBook, watchedBy } from '#libs/recipes';
import { partsOf } from './sweep.source';

/** Where the schedule says what it could not do. */
interface Lines {
  warn(fields: object, message: string): void;
}

const LOOK_EVERY_MS = 2_000;

const completeUpTo = meter.createObservableGauge('refrain_complete_up_to_seconds', {
  description: 'Up to when every change of the records of a type was said, in seconds since 1970, by tenant and type',
});

/**
 * Sees to it that what the live recipes go by is read by schedule, and the journals: it asks crm-reader whenever it starts, and when other
 * recipes are taken up. It may ask too often: the decider leaves alone what has its time.
 */
export class Schedule {
  private readonly stopping = new AbortController();
  private following: Promise<void> | undefined;
  private asked = new Set<string>();
  private reachable = true;
  private upTo: { tenant: string; object: string; at: number }[] = [];

  constructor(
    private readonly book: RecipeBook<Pool>,
    private readonly declared: { tenants: readonly string[]; journals?: readonly string[] },
    private readonly lines: Lines,
  ) {}

  /** Resolves when the recipes are known. */
  async start(pool: Pool): Promise<void> {
    await this.book.start(pool);
    this.following ??= this.follow(pool);
  }

  async stop(): Promise<void> {
    this.stopping.abort();
    await this.following;
    await this.book.stop();
  }

  private async follow(pool: Pool): Promise<void> {
    completeUpTo.addCallback((result) => {
      for (const { at, ...of } of this.upTo) result.observe(at, of);
    });
    const look = async () => {
      try {
        await this.ask(pool);
        this.upTo = await this.complete(pool);
        this.reachable = true;
      } catch (err) {
        if (this.reachable) this.lines.warn({ err }, 'the store does not answer: no sweep is asked for');
        this.reachable = false;
      }
    };
    await look();
    await every(LOOK_EVERY_MS, this.stopping.signal, look);
  }

  private async ask(pool: Pool): Promise<void> {
    const sweeps = this.wanted().map((name) => [sweepStream(name), sweepAsk(name)] as const);
    const shapes = this.shapes().map((name) => [shapeStream(name), shapeAsk(name)] as const);
    const journals = (this.declared.journals ?? []).map((app) => [journalSubject(app), journalAsk(app)] as const);
    const wanted = new Map([...sweeps, ...shapes, ...journals]);
    for (const [stream, asked] of wanted) if (!this.asked.has(stream)) await askFor(pool, asked);
    this.asked = new Set(wanted.keys());
  }

  private shapes(): ShapeName[] {
    return this.declared.tenants.flatMap((tenant) =>
      partsOf(this.book.current(), tenant).map((part) => ({ tenant, part })),
    );
  }

  private wanted(): SweepName[] {
    return this.declared.tenants.flatMap((tenant) =>
      watchedBy(this.book.current(), tenant).flatMap(({ object, dues }) => [
        { tenant, object, origin: 'reconcile' as const },
        ...dues.map(({ recipe }) => ({ tenant, object, origin: 'due' as const, recipe })),
      ]),
    );
  }

  private async complete(pool: Pool): Promise<Schedule['upTo']> {
    const { wire } = sweepEvents.shapes.CompleteUpTo;
    const streams = this.wanted().filter(({ origin }) => origin === 'reconcile');
    const tenantOf = new Map(streams.map((name) => [sweepStream(name), name.tenant]));
    const newest = await newestIn(pool, [...tenantOf.keys()], wire);
    return newest.flatMap(({ streamId, data }) => {
      const event = readEvent(sweepEvents, wire, data);
      if (event.type !== 'CompleteUpTo') return [];
      const { object, at } = event.data;
      return [{ tenant: tenantOf.get(streamId) ?? '', object, at: Date.parse(at) / 1_000 }];
    });
  }
}

/** What crm-reader is asked for. */
interface Asked {
  type: string;
  tenant: string;
  subject: string;
  value: SweepAsked | ShapeAsked | Record<string, never>;
}

const sweepAsk = ({ tenant, ...name }: SweepName): Asked => ({
  type: SWEEP_ASKED,
  tenant,
  subject: sweepSubject(name),
  value: { ...name, scheduled: true },
});

const shapeAsk = ({ tenant, part }: ShapeName): Asked => ({
  type: SHAPE_ASKED,
  tenant,
  subject: shapeSubject(part),
  value: { part, scheduled: true },
});

const journalAsk = (app: string): Asked => ({
  type: JOURNAL_ASKED,
  tenant: JOURNAL_TENANT,
  subject: journalSubject(app),
  value: {},
});

function askFor(pool: Pool, { value, ...about }: Asked): Promise<void> {
  const id = `asked-${randomUUID()}`;
  const time = new Date().toISOString();
  const envelope = { id, source: `/${SWEEP_SERVICE}`, time, correlationid: id, ...about };
  return tell(pool, SWEEP_SERVICE, { topic: Topic.sweep, envelope, value });
}
