import { type DomainEvent, recordKey } from '#libs/contracts';
import { addReplayPage, countReplayItems, moveReplay, type Pool, type Replay, replayOf } from '#libs/event-store';
import type { Bounds, IncomingRecord, TopicRange } from '#libs/log';
import { type Caution, Killer } from '../caution';
import type { ProcessDefinition } from '../definition';
import { placeOf } from '../inputs';
import type { EffectKind } from '../effect-kind';
import { type Left, PageReader, type PageView, type PlanInput, type Simulating } from './page-view';
import { PlannedReads } from './planned-reads';
import { recordFilter } from './record-filter';
import { replayInput } from './replay-item';
import { type ItemPlan, type Simulated, Simulation } from './simulation';

/** How a replay reads the log again, beside all consumer groups. */
export interface LogRange {
  bounds(range: TopicRange): Promise<Bounds>;
  read(topic: string, bounds: Bounds, onRecords: (records: IncomingRecord[]) => Promise<void>): Promise<void>;
}

/** What a replay needs besides its service's code. */
export interface ReplayOptions {
  log: LogRange;
  /** How long receipts are kept, in days: records that are older are planned only when asked for (protocol 25). */
  receiptDays: number;
  /** Told of every commit that left something to do. */
  onCommitted: () => void;
  caution: Caution;
  /** Runs code that may hang; see HangWatch. */
  watched: <T>(work: () => T) => T;
}

/** The plan is not wanted any more, or another replica makes it. */
export class GivenUp extends Error {}

const PAGE = 1_000;
/** Records whose deaths a replay may cost the service; at the next one it stops. */
export const KILLERS = 2;
const DAY_MS = 86_400_000;

/** One plan in the making. */
interface Run<State, Event extends DomainEvent, Input> {
  replay: Replay;
  stopping: AbortSignal;
  matches: (record: IncomingRecord) => boolean;
  reader: PageReader<State, Event, Input>;
  reads: PlannedReads;
  /** How far it has come. */
  seen: number;
  items: number;
  total: number;
  offsets: Record<string, string>;
}

/** A page on its way: `left` is what it leaves on its streams, `written` that it is in the plan's tables. */
interface Page {
  left: Promise<Left>;
  written: Promise<void>;
}

const NO_PAGE: Page = { left: Promise.resolve<Left>(new Map()), written: Promise.resolve() };

interface PlannedItem {
  source: string;
  subject: string;
  body: unknown;
  plan: ItemPlan;
}

/** What was found of a page of records; `reads` are queries that would make it certain. */
interface PlannedPage {
  items: PlannedItem[];
  left: Left;
  reads: Simulated['reads'];
}

/**
 * Makes a plan page by page: while one is simulated, the next ones' streams and receipts are read and the one before is
 * written. What it must remember stands in the plan's tables, so memory does not grow with the plan.
 */
export class Planner<State, Event extends DomainEvent, Input> {
  private readonly simulation: Simulation<State, Event, Input>;

  constructor(
    private readonly pool: Pool,
    private readonly definition: ProcessDefinition<State, Event, Input>,
    kinds: Record<string, EffectKind>,
    private readonly options: ReplayOptions,
    private readonly holdsLease: () => Promise<boolean>,
    isPreview = false,
  ) {
    this.simulation = new Simulation(definition, kinds, isPreview);
  }

  /** Resolves when the plan is made; rejects with {@link GivenUp} where it is not wanted, or what made it fail. */
  async make(replay: Replay, stopping: AbortSignal): Promise<void> {
    const { caution } = this.options;
    const key = `${replay.id}@${String(replay.recordsSeen)}`;
    const says = `the process ended again and again before record ${String(replay.recordsSeen + 1)} was planned`;
    const ended = (await caution.on('replays')) ? await caution.around(key, says) : undefined;
    try {
      await this.makeAll(replay, stopping);
    } finally {
      await ended?.();
    }
  }

  private async makeAll(replay: Replay, stopping: AbortSignal): Promise<void> {
    const { pool, definition } = this;
    const { log, caution, onCommitted, watched } = this.options;
    const { bounds, total } = await this.bounds(replay);
    const matches = recordFilter(replay.selection);
    const run: Run<State, Event, Input> = {
      replay,
      stopping,
      matches: (record) => watched(() => matches(record)),
      reader: new PageReader(pool, definition, replay),
      reads: new PlannedReads(pool, definition.service, replay.id, onCommitted),
      seen: replay.recordsSeen,
      items: (await countReplayItems(pool, replay.id)).all,
      total,
      offsets: { ...replay.offsets },
    };
    let [older, last] = [NO_PAGE, NO_PAGE];
    try {
      await log.read(replay.topic, bounds, async (records) => {
        for (let from = 0; from < records.length;) {
          const careful = await caution.on('replays');
          // With care a page is one record, and is written before the next one is begun.
          const page = records.slice(from, (from += careful ? 1 : PAGE));
          const { written } = older;
          [older, last] = [last, this.begin(run, page, [older, last], careful)];
          await (careful ? last.written : written);
        }
      });
      await last.written;
    } finally {
      // Nothing of it goes on once this has ended.
      await Promise.allSettled([older.written, last.written]);
    }
    await moveReplay(pool, replay.id, ['requested'], 'planned');
  }

  private async bounds({ topic, selection, offsets, recordsSeen }: Replay) {
    const bounds = await this.options.log.bounds({
      topic,
      fromMs: selection.from === undefined ? undefined : Date.parse(selection.from),
      toMs: selection.to === undefined ? undefined : Date.parse(selection.to),
      offsets: selection.offsets,
    });
    let total = recordsSeen;
    for (const [partition, bound] of bounds) {
      const planned = offsets[String(partition)];
      if (planned !== undefined) bound.next = BigInt(planned);
      if (bound.next >= bound.end) bounds.delete(partition);
      else total += Number(bound.end - bound.next);
    }
    return { bounds, total };
  }

  // Begun when all but the two pages before are written: only their results must be laid over what is read.
  private begin(
    run: Run<State, Event, Input>,
    records: IncomingRecord[],
    before: [Page, Page],
    careful: boolean,
  ): Page {
    const made = (async () => {
      await this.wanted(run);
      this.refuseOlderThanReceipts(run.replay, records);
      return this.simulate(run, records.filter(run.matches), before, careful);
    })();
    const left = made.then((page) => page.left);
    const written = (async () => {
      const page = await made;
      await before[1].written;
      await this.write(run, records, page);
    })();
    // Whoever waits for the page hears of it; it must not end the process before.
    for (const outcome of [left, written]) outcome.catch(() => undefined);
    return { left, written };
  }

  private async wanted({ stopping }: Run<State, Event, Input>): Promise<void> {
    stopping.throwIfAborted();
    if (!(await this.holdsLease())) throw new GivenUp();
  }

  private refuseOlderThanReceipts({ beyondReceipts, requestedAt }: Replay, records: IncomingRecord[]): void {
    const { receiptDays } = this.options;
    const oldest = records.reduce((min, { timestamp }) => Math.min(min, timestamp), Infinity);
    if (beyondReceipts || oldest >= requestedAt.getTime() - receiptDays * DAY_MS) return;
    throw new Error(
      `a record of ${new Date(oldest).toISOString()} is older than the receipts, which are kept for ` +
        `${String(receiptDays)} days: every effect of it would look new; --beyond-receipts plans it all the same`,
    );
  }

  private async simulate(
    run: Run<State, Event, Input>,
    records: IncomingRecord[],
    before: [Page, Page],
    careful: boolean,
  ): Promise<PlannedPage> {
    const stillWanted = async () => {
      await this.wanted(run);
      if ((await replayOf(this.pool, run.replay.id))?.state !== 'requested') throw new GivenUp();
    };
    for (;;) {
      const [alone] = records;
      const page = await (careful && alone ? this.planWithCare(run, alone, before) : this.plan(run, records, before));
      if (!run.replay.reads || !(await run.reads.answer(page.reads, stillWanted))) return page;
    }
  }

  private planWithCare(run: Run<State, Event, Input>, record: IncomingRecord, before: [Page, Page]) {
    const { caution } = this.options;
    const { id } = run.replay;
    const place = placeOf(record);
    return caution.singly('replays', `${id}|${place}`, async (killer) => {
      if (!killer) return this.plan(run, [record], before);
      await caution.around(`${id}@killers`, `another of its records, ${place}, ended the process`, KILLERS);
      const subject = recordKey(record.envelope?.tenant ?? '', record.envelope?.subject ?? '');
      const item = { source: place, subject, body: bodyOf(record), plan: failing(killer) };
      return { items: [item], left: new Map(), reads: [] } satisfies PlannedPage;
    });
  }

  private async plan(
    run: Run<State, Event, Input>,
    records: IncomingRecord[],
    before: [Page, Page],
  ): Promise<PlannedPage> {
    const view = await run.reader.read(this.inputs(run, records));
    for (const page of before) run.reader.layOver(view, await page.left);
    return this.simulateAll(view);
  }

  private inputs({ replay }: Run<State, Event, Input>, records: IncomingRecord[]): PlanInput<Input>[] {
    return records.flatMap((record) => {
      const input = replayInput(this.definition, record, { ...replay, redo: false });
      return input ? [{ ...input, record }] : [];
    });
  }

  private simulateAll(view: PageView<Input>): PlannedPage {
    const page = view.begin();
    const reads: Simulated['reads'] = [];
    const items = view.inputs.map((item) => {
      const made = this.simulateOne(item, page);
      page.keep(made.left);
      reads.push(...made.reads);
      return { source: item.source, subject: item.input.inputKey, body: bodyOf(item.record), plan: made.plan };
    });
    return { items, left: page.left, reads };
  }

  private simulateOne({ input, original, unmatched }: PlanInput<Input>, page: Simulating): Simulated {
    try {
      const made = this.simulation.plan(input, original.key, page);
      if (unmatched !== undefined) made.plan.unmatched = unmatched;
      return made;
    } catch (error) {
      return { plan: failing(error), left: new Map(), reads: [] };
    }
  }

  private async write(run: Run<State, Event, Input>, records: IncomingRecord[], page: PlannedPage): Promise<void> {
    const { replay, seen, items, total, offsets } = run;
    const last = records.at(-1);
    if (last) offsets[String(last.partition)] = String(BigInt(last.offset) + 1n);
    const to = seen + records.length;
    const added = page.items;
    const now = { from: seen, to, total, items, offsets, added, simulated: page.left };
    if (!(await addReplayPage(this.pool, replay.id, now))) throw new GivenUp();
    run.seen = to;
    run.items += added.length;
  }
}

const bodyOf = ({ topic, value, envelope }: IncomingRecord) => ({ topic, value: value.toString('base64'), envelope });

/** The plan of a record that today's code cannot decide. */
export function failing(error: unknown): ItemPlan {
  const fails = error instanceof Error ? error.message : String(error);
  const code = error instanceof Killer ? error.code : 'bug';
  return { then: 'no then', events: [], effects: [], fails, code };
}
