import { Client } from 'pg';
import { openPool, type Pool } from './pool';
import { Projector } from './read-models/projector';
import { readModelState } from './read-models/rebuild';
import { Relay } from './relay';
import type { UnpublishedEvent } from './unpublished';
import { append, eventsOf } from './testing/appending';
import { restoring } from './testing/restored-copy';
import { seen, seenModel } from './testing/seen-model';
import { testDatabase, type TestDatabase } from './testing/test-database';
import { until } from './testing/until';

const SERVICE = 'toy-service';
const WRITERS = 10;
const TURNS = 40;
const STREAMS = 3;

const nameOf = ({ streamId, version }: { streamId: string; version: number }) => `${streamId}@${String(version)}`;

let db: TestDatabase;
const errors: unknown[] = [];
beforeAll(async () => {
  db = await testDatabase();
});
afterAll(async () => {
  await db.drop();
  expect(errors).toEqual([]);
});

/** Relay and projector over one database; publishing can be held up. */
function readers(pool: Pool) {
  const published: string[] = [];
  let gate = Promise.resolve();
  const publish = async (events: UnpublishedEvent[]) => {
    await gate;
    published.push(...events.map(nameOf));
  };
  const onError = (error: unknown) => errors.push(error);
  const relays = ['a', 'b'].map((owner) => new Relay(pool, SERVICE, owner, publish, onError, 5));
  const projector = new Projector(pool, seenModel(), 'projector', onError, 5);
  for (const each of [...relays, projector]) each.start();
  return {
    published,
    holdUp(until: Promise<void>) {
      gate = until;
    },
    stop: () => Promise.all([...relays, projector].map((each) => each.stop())),
  };
}

/**
 * Writers with a connection each. Some keep their transaction open after writing until others have committed a dozen
 * times, some then roll back; resolves to what was committed.
 */
class Writers {
  readonly committed: string[] = [];
  private readonly versions = new Map<string, number>();
  private waiting: (() => void)[] = [];
  private atWork = 0;
  heldOpen = 0;

  constructor(
    private readonly pool: Pool,
    private readonly name: string,
  ) {}

  async run(): Promise<void> {
    await Promise.all(Array.from({ length: WRITERS }, (_, writer) => this.write(writer)));
  }

  private async write(writer: number): Promise<void> {
    const holds = writer < WRITERS / 2;
    if (!holds) this.atWork += 1;
    for (let turn = 0; turn < TURNS; turn += 1) {
      const streams = Array.from(
        { length: 1 + (turn % STREAMS) },
        (_, s) => `${this.name}${String(writer)}-${String(s)}`,
      );
      const events = streams.flatMap((stream) => eventsOf(stream, (this.versions.get(stream) ?? 0) + 1, 2));
      const undo = turn % 7 === writer % 7;
      try {
        await append(this.pool, events, {
          before: async () => {
            if (holds && turn % 4 === 0) await this.othersCommit(12);
            if (undo) throw new Error('undo');
          },
        });
      } catch (error) {
        if (!undo) throw error;
        continue;
      }
      for (const { streamId, version } of events) this.versions.set(streamId, version);
      this.committed.push(...events.map(nameOf));
      this.look();
    }
    if (!holds) this.atWork -= 1;
    this.look();
  }

  /** Resolves after so many further commits, or when those who never wait have ended. */
  private async othersCommit(count: number): Promise<void> {
    this.heldOpen += 1;
    const from = this.committed.length;
    await new Promise<void>((resolve) => {
      const look = () =>
        this.committed.length >= from + count || this.atWork === 0 ? resolve() : this.waiting.push(look);
      look();
    });
  }

  private look(): void {
    for (const look of this.waiting.splice(0)) look();
  }
}

const stored = async (pool: Pool) =>
  (
    await pool.query<{ name: string }>(`select stream_id || '@' || version as name from event order by position`)
  ).rows.map((row) => row.name);

const unpublished = async (pool: Pool) =>
  (
    await pool.query<{ name: string }>(
      `select stream_id || '@' || version as name from unpublished join event using (position)`,
    )
  ).rows.map((row) => row.name);

const allRead = (pool: Pool) =>
  until(async () => {
    const { live, next, last } = await readModelState(pool, 'seen');
    return next === undefined && (live?.position ?? 0n) >= last && (await unpublished(pool)).length === 0;
  });

/** Versions of each stream in the order of their first appearance. */
function firstAppearances(names: string[]): Map<string, number[]> {
  const streams = new Map<string, number[]>();
  for (const [stream = '', version] of [...new Set(names)].map((name) => name.split('@'))) {
    streams.set(stream, [...(streams.get(stream) ?? []), Number(version)]);
  }
  return streams;
}

function expectStreamOrder(names: string[]): void {
  for (const versions of firstAppearances(names).values()) {
    expect(versions).toEqual(versions.map((_, i) => (versions[0] ?? 0) + i));
  }
}

const sortedNames = (names: Iterable<string>) => [...names].sort();

it('neither relay nor read model skips an event, however late and in which order transactions end', async () => {
  const pool = openPool(db.url, 'writers', WRITERS);
  const reading = readers(db.pool);
  const writers = new Writers(pool, 'first');
  await writers.run();
  await allRead(db.pool);
  await reading.stop();
  await pool.end();
  expect(writers.heldOpen).toBeGreaterThan(20);
  const all = await stored(db.pool);
  expect(sortedNames(all)).toEqual(sortedNames(writers.committed));
  expect(sortedNames(new Set(reading.published))).toEqual(sortedNames(all));
  expectStreamOrder(reading.published);
  expect((await seen(db.pool))?.map((row) => row.stream)).toEqual(all);
});

it('both go on where they were in a copy that was made while all wrote, by a dump or the like', async () => {
  const { how, copy } = await restoring(db.url);
  const pool = openPool(db.url, 'writers', WRITERS);
  const reading = readers(db.pool);
  const writers = new Writers(pool, 'second');
  const done = writers.run();
  await until(() => writers.committed.length > 200);
  const open = Promise.withResolvers<undefined>();
  reading.holdUp(open.promise.then(() => undefined));
  await until(() => writers.committed.length > 300);
  const url = await copy(db.url, { seen: seenModel().tables });
  open.resolve(undefined);
  await done;
  await allRead(db.pool);
  await reading.stop();
  await pool.end();

  const other = openPool(url, 'copy', WRITERS);
  const before = await stored(other);
  const due = await unpublished(other);
  expect([how, due.length > 0]).toEqual([how, true]);
  const applied = (await seen(other))?.length ?? 0;
  const there = readers(other);
  const versions = firstAppearances(before);
  for (const [stream, known] of versions) await append(other, eventsOf(stream, known.length + 1, 2));
  await allRead(other);
  await there.stop();
  const all = await stored(other);
  expect(all).toHaveLength(before.length + 2 * versions.size);
  // Nothing again that was noted as published, nothing left out of what was not, in order.
  expect(sortedNames(there.published)).toEqual(sortedNames([...due, ...all.slice(before.length)]));
  expectStreamOrder(there.published);
  expect((await seen(other))?.map((row) => row.stream)).toEqual(all);
  expect(applied).toBeGreaterThan(0);
  await other.end();
  const admin = new Client({ connectionString: db.url });
  await admin.connect();
  await admin.query(`drop database ${new URL(url).pathname.slice(1)} with (force)`);
  await admin.end();
});
