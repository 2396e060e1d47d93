import type { DomainEvent } from '#libs/contracts';
import { addReplayPage, countReplayItems, moveReplay, type Pool, type Replay, replayOf } from '#libs/event-store';
import type { Bounds, IncomingRecord, TopicRange } from '#libs/log';
import type { ProcessDefinition } from '../definition';
import type { EffectKind } from '../effect-runner';
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

/** The plan is not wanted any more, or another replica makes it. */
export class GivenUp extends Error {}

const PAGE = 1_000;
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
    private readonly options: { log: LogRange; receiptDays: number; onCommitted: () => void },
    private readonly holdsLease: () => Promise<boolean>,
  ) {
    this.simulation = new Simulation(definition, kinds);
  }

  /** Resolves when the plan is made; rejects with {@link GivenUp} where it is not wanted, or what made it fail. */
  async make(replay: Replay, stopping: AbortSignal): Promise<void> {
    const { pool, definition } = this;
    const { bounds, total } = await this.bounds(replay);
    const run: Run<State, Event, Input> = {
      replay,
      stopping,
      matches: recordFilter(replay.selection),
      reader: new PageReader(pool, definition, replay),
      reads: new PlannedReads(pool, definition.service, replay.id, this.options.onCommitted),
      seen: replay.recordsSeen,
      items: (await countReplayItems(pool, replay.id)).all,
      total,
      offsets: { ...replay.offsets },
    };
    let [older, last] = [NO_PAGE, NO_PAGE];
    try {
      await this.options.log.read(replay.topic, bounds, async (records) => {
        for (let from = 0; from < records.length; from += PAGE) {
          const { written } = older;
          [older, last] = [last, this.begin(run, records.slice(from, from + PAGE), [older, last])];
          await written;
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
  private begin(run: Run<State, Event, Input>, records: IncomingRecord[], before: [Page, Page]): Page {
    const made = (async () => {
      await this.wanted(run);
      this.refuseOlderThanReceipts(run.replay, records);
      const view = await run.reader.read(this.inputs(run, records));
      for (const page of before) run.reader.layOver(view, await page.left);
      return this.simulate(run, view);
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

  private inputs({ matches, replay }: Run<State, Event, Input>, records: IncomingRecord[]): PlanInput<Input>[] {
    return records.filter(matches).flatMap((record) => {
      const input = replayInput(this.definition, record, { id: replay.id, redo: false });
      return input ? [{ ...input, record }] : [];
    });
  }

  private async simulate(run: Run<State, Event, Input>, view: PageView<Input>) {
    const stillWanted = async () => {
      await this.wanted(run);
      if ((await replayOf(this.pool, run.replay.id))?.state !== 'requested') throw new GivenUp();
    };
    for (;;) {
      const page = this.simulateAll(view);
      if (!run.replay.reads || !(await run.reads.answer(page.reads, stillWanted))) return page;
      view.answers = await run.reads.answersOn(view.targets);
    }
  }

  private simulateAll(view: PageView<Input>): { items: PlannedItem[]; left: Left; reads: Simulated['reads'] } {
    const page = view.begin();
    const reads: Simulated['reads'] = [];
    const items = view.inputs.map((item) => {
      const made = this.simulateOne(item, page);
      page.keep(made.left);
      reads.push(...made.reads);
      const { topic, value, envelope } = item.record;
      const body = { topic, value: value.toString('base64'), envelope };
      return { source: item.source, subject: item.input.inputKey, body, plan: made.plan };
    });
    return { items, left: page.left, reads };
  }

  private simulateOne({ input, original, unmatched }: PlanInput<Input>, page: Simulating): Simulated {
    try {
      const made = this.simulation.plan(input, original.key, page);
      if (unmatched !== undefined) made.plan.unmatched = unmatched;
      return made;
    } catch (error) {
      const fails = error instanceof Error ? error.message : String(error);
      return { plan: { then: 'no then', events: [], effects: [], fails }, left: new Map(), reads: [] };
    }
  }

  private async write(
    run: Run<State, Event, Input>,
    records: IncomingRecord[],
    page: { items: PlannedItem[]; left: Left },
  ): Promise<void> {
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
