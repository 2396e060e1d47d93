import { createHash } from 'node:crypto';
import { deadLetterTopic } from '#libs/contracts';
import {
  moveReplay,
  replayItems,
  replayOf,
  type ReplaySelection,
  type ReplayState,
  requestReplay,
} from '#libs/event-store';
import { boundsOf, type LogConnection, LogProducer, readRange } from '#libs/log';
import { testDatabase, type TestDatabase } from '../../../event-store/src/testing/test-database';
import { until } from '../../../event-store/src/testing/until';
import { createTopics, testConnection, testRecord } from '../../../log/src/testing/log-fixture';
import type { EffectKind } from '../effect-kind';
import { Process, type Surroundings } from '../process';
import type { ItemPlan } from '../replay/simulation';
import { greeter, type GreeterCode, greeterEffects, greeterEvents, GREETER_TOPIC } from './greeter';

/** A wish on the greeter's topic: about a record, by a name; or the callback of a letter. */
export type Wish = { about: string; id: string; traceparent?: string } & ({ who: string } | { letter: string });

const topics = [GREETER_TOPIC, greeterEvents.topic, deadLetterTopic('greeter')];

/** The greeter with a log and a database of its own, for tests of replays. */
export class Replaying {
  /** Every call that a vendor has seen. */
  readonly calls: string[] = [];
  readonly errors: unknown[] = [];
  private readonly running: Process<never, never, never>[] = [];

  private constructor(
    readonly db: TestDatabase,
    readonly connection: LogConnection & { topicPrefix: string },
    private readonly producer: LogProducer,
  ) {}

  static async create(): Promise<Replaying> {
    const connection = testConnection('replay');
    const specs = topics.map((name) => ({ name, partitions: 3, retentionMs: 3_600_000, says: '' }));
    const [db] = await Promise.all([testDatabase(), createTopics(connection, specs)]);
    return new Replaying(db, connection, new LogProducer(connection));
  }

  async drop(): Promise<void> {
    await this.stopAll();
    await this.producer.close();
    await this.db.drop();
  }

  async stopAll(): Promise<void> {
    await Promise.all(this.running.splice(0).map((process) => process.stop()));
  }

  async publish(...wishes: Wish[]): Promise<void> {
    await this.producer.publish(
      wishes.map(({ about, id, traceparent, ...value }) => {
        const record = testRecord(GREETER_TOPIC, about, JSON.stringify(value));
        return { ...record, envelope: { ...record.envelope, id, correlationid: id, traceparent } };
      }),
    );
  }

  /** Starts a replica with this code; resolves to the handler of its topic. */
  start(code: GreeterCode, over: Partial<Surroundings> = {}, kinds: Record<string, Partial<EffectKind>> = {}) {
    const { connection, db } = this;
    const known: Record<string, Partial<EffectKind>> = greeterEffects(this.calls);
    const effects = Object.keys({ ...known, ...kinds }).map((name) => [name, { ...known[name], ...kinds[name] }]);
    const process = new Process(greeter('greeter', code), {
      pool: db.pool,
      produce: (records) => this.producer.publish(records),
      deadLetter: () => Promise.resolve(),
      effects: Object.fromEntries(effects) as Record<string, EffectKind>,
      concurrency: 10,
      log: {
        bounds: (range) => boundsOf(connection, range),
        read: (topic, bounds, onRecords) => readRange(connection, topic, bounds, onRecords),
      },
      onError: (error) => this.errors.push(error),
      onParked: () => undefined,
      ...over,
    });
    process.start();
    this.running.push(process as never);
    return process.handlerFor(GREETER_TOPIC);
  }

  /** Yesterday: all that is on the topic is handled by this code. */
  async liveYesterday(code: GreeterCode): Promise<void> {
    const handle = this.start(code);
    await this.read(GREETER_TOPIC, handle);
    await this.untilSettled();
    await this.stopAll();
    this.calls.length = 0;
  }

  private async read(topic: string, onRecords: Parameters<typeof readRange>[3]): Promise<void> {
    await readRange(this.connection, topic, await boundsOf(this.connection, { topic }), onRecords);
  }

  /** Nothing is owed, waits in the mailbox or is still to be published. */
  async untilSettled(): Promise<void> {
    const settled = `select count(*)::int as open from (
      select 1 from effect where state in ('owed', 'running', 'unknown')
      union all select 1 from mailbox where not parked union all select 1 from unpublished) as open`;
    await until(async () => (await this.db.pool.query<{ open: number }>(settled)).rows[0]?.open === 0);
  }

  async until(id: string, state: ReplayState): Promise<void> {
    await until(async () => {
      const replay = await replayOf(this.db.pool, id);
      if (replay?.state === 'failed' && state !== 'failed') throw new Error(replay.error);
      return replay?.state === state;
    });
  }

  async plan(
    selection: ReplaySelection = {},
    over: { reads?: boolean; beyondReceipts?: boolean; batch?: boolean } = {},
  ) {
    const asked = { service: 'greeter', topic: GREETER_TOPIC, selection, by: 'test', ...over };
    const id = await requestReplay(this.db.pool, asked);
    return { id, ...(await this.planned(id)) };
  }

  /** What a plan shows, once it is made. */
  async planned(id: string) {
    await this.until(id, 'planned');
    const items = await replayItems(this.db.pool, id, { limit: 10_000 });
    return { items, plans: items.map((item) => item.plan as ItemPlan) };
  }

  async apply(id: string, redo = false) {
    if (!(await moveReplay(this.db.pool, id, ['planned'], 'applying', { redo }))) throw new Error(`${id} is no plan`);
    await this.until(id, 'done');
    await this.untilSettled();
    return replayItems(this.db.pool, id, { limit: 10_000 });
  }

  /**
   * All that a dry run must not change, each by its name: every table and sequence that the database has but the plan's
   * own, every topic under the prefix, and the vendors' call log. Leases and slots are
   * the replicas' own.
   */
  async world(): Promise<Record<string, string>> {
    const { rows: tables } = await this.db.pool.query<{ name: string }>(
      `select c.oid::regclass::text as name from pg_class c join pg_namespace n on n.oid = c.relnamespace
       where n.nspname = 'public' and c.relkind = 'r' and c.relname not in ('lease', 'replica_slot', 'replay')
         and not c.relname like 'replay\\_%' order by 1`,
    );
    const world: Record<string, string> = { calls: digest(this.calls) };
    for (const { name } of tables) {
      const { rows } = await this.db.pool.query<{ row: string }>(`select t::text as row from ${name} t order by 1`);
      world[name] = digest(rows);
    }
    const { rows: sequences } = await this.db.pool.query<{ name: string; last: string | null }>(
      `select sequencename as name, last_value::text as last from pg_sequences where schemaname = 'public'`,
    );
    for (const { name, last } of sequences) world[name] = last ?? 'unused';
    for (const topic of topics) {
      const records: unknown[] = [];
      await this.read(topic, (page) => {
        records.push(
          ...page.map(({ partition, offset, key, value, headers }) => [partition, offset, key, value, headers]),
        );
        return Promise.resolve();
      });
      world[topic] = digest(records.map((record) => JSON.stringify(record)).sort());
    }
    return world;
  }
}

const digest = (value: unknown): string => createHash('sha256').update(JSON.stringify(value)).digest('hex');
