import type { Pool, PoolClient } from 'pg';
import { sorted } from '../errors';
import { EVENT_COLUMNS, eventOfRow, type EventRow } from '../event-row';
import { dropLeases, holdLeases } from '../lease';
import { Loop, type OnError } from '../loop';
import { run } from '../query';
import type { StoredEvent } from '../shapes';
import {
  askForBuild,
  beginBuild,
  type Build,
  type Builds,
  buildsOf,
  dropOldBuild,
  notePosition,
  schemasOf,
  switchBuilds,
} from './builds';
import { Horizon } from './horizon';
import type { ReadModel } from './read-model';

const PAGE = 1_000;
const LEASE_MS = 5_000;

/**
 * Keeps one read model up with the events, and builds it anew where that was asked for or its version rose. Each page
 * and the note of how far it has come are one transaction: a crash repeats no event and skips none. Readers see the old
 * tables until the new ones have caught up. Touches nothing but the model's own tables and its rows in `read_model`.
 */
export class Projector {
  private readonly loop: Loop;
  private readonly lease: string;
  private renewAt = 0;
  private holds = false;
  private connection: { db: PoolClient; horizon: Horizon } | undefined;
  private oldIsThere = true;

  constructor(
    private readonly pool: Pool,
    private readonly model: ReadModel,
    private readonly owner: string,
    onError: OnError,
    pollMs = 200,
  ) {
    this.lease = `read-model/${model.name}`;
    this.loop = new Loop(`read model ${model.name}`, pollMs, () => this.step(), onError);
  }

  start(): void {
    this.loop.start();
  }

  async stop(): Promise<void> {
    await this.loop.stop();
    this.letGo();
    await dropLeases(this.pool, [this.lease], this.owner);
  }

  private async step(): Promise<boolean> {
    if (!(await this.holdsLease())) {
      this.letGo();
      return false;
    }
    try {
      const { db, horizon } = await this.connected();
      return await this.advance(db, await horizon.reach());
    } catch (error) {
      this.letGo(true);
      throw sorted(error);
    }
  }

  private async advance(db: PoolClient, horizon: bigint): Promise<boolean> {
    if (this.oldIsThere) await this.tidyUp(db);
    const builds = await buildsOf(db, this.model.name);
    if (this.isDue(builds)) {
      await within(db, async () => {
        await askForBuild(db, this.model.name, 'a new version');
        await beginBuild(db, this.model);
      });
      return true;
    }
    let more = false;
    for (const build of [builds.next, builds.live]) {
      // Tables of another version belong to other code: theirs is the only one that knows them.
      if (build?.version !== this.model.version) continue;
      more = (await this.take(db, build, horizon, builds)) || more;
    }
    return more;
  }

  private isDue({ live, next }: Builds): boolean {
    if (next) return next.version === undefined || next.version < this.model.version;
    return live === undefined || (live.version ?? 0) < this.model.version;
  }

  /** Brings a build one page further; resolves to whether there may be more. */
  private async take(db: PoolClient, build: Build, horizon: bigint, { live }: Builds): Promise<boolean> {
    const page = await eventsAfter(db, build.position, horizon);
    const full = page.length === PAGE;
    const position = full ? BigInt(page.at(-1)?.position ?? 0) : later(horizon, build.position);
    const isComplete = build.build === 'next' && !full && position >= (live?.position ?? 0n);
    if (position === build.position && !isComplete) return false;
    await within(db, async () => {
      if (!(await notePosition(db, build, position, page.length))) return false;
      await db.query(`set local search_path to ${schemasOf(build.name)[build.build]}, public`);
      for (const { text, values } of this.model.apply(page)) await db.query(text, values);
      if (isComplete) await switchBuilds(db, build.name, live !== undefined);
      return true;
    });
    this.oldIsThere ||= isComplete;
    return full || isComplete;
  }

  private async tidyUp(db: PoolClient): Promise<void> {
    await within(db, () => dropOldBuild(db, this.model.name));
    this.oldIsThere = false;
  }

  private async connected() {
    if (!this.connection) {
      const db = await this.pool.connect();
      this.connection = { db, horizon: new Horizon(db) };
      this.oldIsThere = true;
    }
    return this.connection;
  }

  private letGo(broken = false): void {
    this.connection?.db.release(broken);
    this.connection = undefined;
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

const later = (one: bigint, other: bigint): bigint => (one > other ? one : other);

/** One transaction on a connection that is held anyway; rolled back where `work` throws or resolves to false. */
async function within(db: PoolClient, work: () => Promise<boolean | void>): Promise<void> {
  await db.query('begin');
  try {
    const holds = await work();
    await db.query(holds === false ? 'rollback' : 'commit');
  } catch (error) {
    await db.query('rollback').catch(() => undefined);
    throw error;
  }
}

async function eventsAfter(db: PoolClient, after: bigint, upTo: bigint): Promise<StoredEvent[]> {
  const { rows } = await run<EventRow>(db, 'refrain-events-after', EVENTS_AFTER, [String(after), String(upTo), PAGE]);
  return rows.map(eventOfRow);
}

const EVENTS_AFTER = `
  select ${EVENT_COLUMNS} from event e where e.position > $1::bigint and e.position <= $2::bigint
  order by e.position limit $3`;
