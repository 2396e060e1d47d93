import { trace } from '@opentelemetry/api';
import { InMemorySpanExporter, SimpleSpanProcessor, TracerProvider } from '@opentelemetry/sdk-trace';
import { moveReplay, replayItems, replayOf, requestReplay } from '#libs/event-store';
import type { LogRange } from './planner';
import { GREETER_TOPIC } from '../testing/greeter';
import { Replaying } from '../testing/replaying';
import { boundsOf, readRange } from '#libs/log';

let hub: Replaying;

beforeEach(async () => {
  hub = await Replaying.create();
});
afterEach(async () => {
  await hub.drop();
  expect(hub.errors).toEqual([]);
});

const wish = (who: string, about = 'contact:1') => ({ about, id: `wish-${who}`, who });
const answer = { about: 'letter:x', id: 'answer', letter: 'letter to Ada' };
const verdicts = ({ effects }: { effects: { kind: string; verdict: string }[] }) =>
  effects.map(({ kind, verdict }) => `${kind} ${verdict}`);

describe('a callback that names only the vendor’s id', () => {
  it('is planned and applied on the stream that is known for it', async () => {
    await hub.publish(wish('Ada'));
    await hub.liveYesterday({});
    await hub.publish(answer);
    await hub.liveYesterday({ deaf: true });
    hub.start({});
    const before = await hub.world();
    const { id, plans } = await hub.plan({ subject: 'letter:x' });
    expect(await hub.world()).toEqual(before);
    expect(plans).toEqual([{ then: 'differs', events: ['refrain.greeting.answered.v1'], effects: [] }]);
    expect((await hub.apply(id)).map(({ state }) => state)).toEqual(['applied']);
    const { rows } = await hub.db.pool.query(
      `select 1 from event where type = 'refrain.greeting.answered.v1'
      and stream_id = 'greeting-default:contact:1' and meta->>'replayId' = $1`,
      [id],
    );
    expect(rows).toHaveLength(1);
  });

  it('says so where no stream is known, and does nothing', async () => {
    await hub.publish(answer);
    hub.start({});
    const before = await hub.world();
    const { id, plans } = await hub.plan();
    expect(plans).toEqual([{ then: 'no then', events: [], effects: [], unmatched: 'post letter to Ada' }]);
    const [item] = await hub.apply(id);
    expect(item).toMatchObject({ state: 'held', reason: 'no stream is known for post letter to Ada' });
    expect(await hub.world()).toEqual(before);
  });
});

describe('with --read', () => {
  const looks = () => hub.calls.filter((call) => call.startsWith('look'));

  it('fetches the answers of queries, freezes them, and applies by them', async () => {
    await hub.publish(wish('Ada'), wish('Bob', 'contact:2'), wish('Eve'));
    hub.start({});
    const before = await hub.world();
    const { id, plans } = await hub.plan({}, { reads: true });
    expect(hub.calls.sort()).toEqual(['look Ada', 'look Bob', 'look Eve']);
    expect(plans.map(({ assumed }) => assumed)).toEqual([undefined, undefined, undefined]);
    expect(plans.map(verdicts)).toEqual(plans.map(() => ['greeter.look read', 'greeter.send new']));
    // Nothing stays of it but who was called, and what the limits remember of it.
    const { calls, effect_seq, gate, gate_flow, permit, vendor_limit, ...rest } = before;
    expect(await hub.world()).toMatchObject(rest);
    expect([calls, effect_seq, gate, gate_flow, permit, vendor_limit]).not.toContain(undefined);

    const applied = await hub.apply(id);
    expect(applied.map(({ state }) => state)).toEqual(['applied', 'applied', 'applied']);
    expect(looks()).toHaveLength(3);
    expect(hub.calls.filter((call) => call.startsWith('send')).sort()).toEqual([
      'send Hi Ada',
      'send Hi Bob',
      'send Hi Eve',
    ]);
    const { rows } = await hub.db.pool.query(
      `select code, attempts, answer, lane from effect where kind = 'greeter.look' order by answer::text`,
    );
    expect(rows).toEqual(
      ['Ada', 'Bob', 'Eve'].map((answer) => ({ answer, attempts: 0, code: 'read-by-plan', lane: 'replay' })),
    );
  });

  it('performs no command, and goes on guessing where a query has no answer', async () => {
    await hub.publish(wish('Ada'));
    const gone = { outcome: 'stop', code: 'not-found', message: '' } as const;
    hub.start({}, {}, { 'greeter.look': { perform: () => Promise.resolve(gone) } });
    const { plans } = await hub.plan({}, { reads: true });
    expect(plans).toMatchObject([{ assumed: 'greeter.look', effects: [{ verdict: 'new' }] }]);
    const { rows } = await hub.db.pool.query('select 1 from effect');
    expect(rows).toEqual([]);
  });

  it('waits for the limits of the vendor, in the lane of replays', async () => {
    await hub.publish(wish('Ada'), wish('Bob'), wish('Eve'));
    let most = 0;
    let now = 0;
    const lanes: string[] = [];
    const perform = async ({ who }: { who: string }) => {
      most = Math.max(most, (now += 1));
      const { rows } = await hub.db.pool.query<{ lane: string }>(`select lane from effect where state = 'running'`);
      lanes.push(...rows.map(({ lane }) => lane));
      now -= 1;
      return { outcome: 'done' as const, value: who };
    };
    const limits = [{ name: 'one at a time', most: 1, perMs: 1 }];
    hub.start({}, {}, { 'greeter.look': { perform: perform, limits } });
    const { plans } = await hub.plan({}, { reads: true });
    expect(plans.map(({ assumed }) => assumed)).toEqual([undefined, undefined, undefined]);
    expect({ most, lanes }).toEqual({ most: 1, lanes: ['replay', 'replay', 'replay'] });
  });
});

it('shows a record that today’s code cannot decide, goes on with the others, and holds it', async () => {
  await hub.publish(wish('Bug'), wish('Ada', 'contact:2'));
  hub.start({});
  const { id, items, plans } = await hub.plan();
  expect(plans.map(({ fails }) => fails).sort()).toEqual(['a bug in decide', undefined]);
  const applied = await hub.apply(id);
  const bad = items.findIndex(({ subject }) => subject === 'default:contact:1');
  expect(applied[bad]).toMatchObject({ state: 'held', reason: 'a bug in decide' });
  expect(hub.calls).toEqual(['look Ada', 'send Hi Ada']);
  const { rows } = await hub.db.pool.query('select 1 from parked_key');
  expect(rows).toEqual([]);
});

it('holds an item whose key is parked, which a release would otherwise take for a repeat', async () => {
  await hub.publish(wish('Ada'));
  await hub.liveYesterday({ refusesShortNames: true });
  await hub.publish(wish('Bug'));
  await hub.liveYesterday({});
  hub.start({});
  const { id } = await hub.plan({ filter: 'value.who == "Ada"' });
  expect(await hub.apply(id)).toMatchObject([{ state: 'held', reason: 'its key is parked: release that first' }]);
});

it('holds an item that would now cost more than the operator saw', async () => {
  await hub.publish(wish('Ada'), wish('Bob', 'contact:2'));
  await hub.liveYesterday({ refusesShortNames: true });
  hub.start({ refusesShortNames: true });
  const { id, plans } = await hub.plan();
  expect(plans.map(verdicts)).toEqual([['greeter.look skipped'], ['greeter.look skipped']]);
  await hub.stopAll();
  hub.start({});
  const items = await hub.apply(id);
  expect(items.map(({ state }) => state)).toEqual(['held', 'held']);
  expect(items[0]?.reason).toContain('greeter.send new');
  expect(hub.calls).toEqual([]);
});

it('lets an item wait until what the plan’s earlier item on its stream set off is settled', async () => {
  await hub.publish(wish('Ada'), wish('Eve'), wish('Bob', 'contact:2'));
  await hub.liveYesterday({ refusesShortNames: true });
  const sent = Promise.withResolvers<undefined>();
  const perform = async () => {
    await sent.promise;
    return { outcome: 'done' as const, value: 'letter' };
  };
  hub.start({}, {}, { 'greeter.send': { perform, deadlineMs: 60_000 } });
  const { id } = await hub.plan();
  await moveReplay(hub.db.pool, id, ['planned'], 'applying');
  const items = () => replayItems(hub.db.pool, id, { limit: 10 });
  while ((await items()).filter(({ state }) => state === 'applied').length < 2) await Promise.resolve();
  const waiting = (await items()).filter(({ state }) => state === 'planned');
  expect(waiting.map(({ subject, source }) => [subject, source.split('/').at(-1)])).toEqual([
    ['default:contact:1', '1'],
  ]);
  sent.resolve(undefined);
  await hub.until(id, 'done');
  expect((await items()).map(({ state }) => state)).toEqual(['applied', 'applied', 'applied']);
});

it('refuses records that are older than the receipts, unless it is told to plan them', async () => {
  await hub.publish(wish('Ada'));
  hub.start({}, { receiptDays: 0 });
  await expect(hub.plan()).rejects.toThrow('--beyond-receipts');
  const { plans } = await hub.plan({}, { beyondReceipts: true });
  expect(plans).toMatchObject([{ then: 'no then', effects: [{ verdict: 'new' }] }]);
});

it('goes on where it was when it is stopped in the middle, with what its earlier items would leave', async () => {
  const names = Array.from({ length: 12 }, (_, i) => `Name${String(i)}`);
  await hub.publish(...names.map((who) => wish(who)));
  // Hands out one record at a time, and the second half only to the next replica.
  const half = Promise.withResolvers<undefined>();
  const { connection } = hub;
  const log = (pages: number): LogRange => ({
    bounds: (range) => boundsOf(connection, range),
    read: (topic, bounds, onRecords) =>
      readRange(connection, topic, bounds, async (records) => {
        for (const record of records) {
          if ((pages -= 1) < 0) {
            half.resolve(undefined);
            throw new Error('stopped');
          }
          await onRecords([record]);
        }
      }),
  });
  const asked = { service: 'greeter', topic: GREETER_TOPIC, selection: {}, by: 'test' };
  const first = hub.start({ atMost: 8 }, { log: log(6) });
  expect(first).toBeDefined();
  const id = await requestReplay(hub.db.pool, asked);
  await half.promise;
  await hub.stopAll();
  await hub.db.pool.query(`update replay set state = 'requested', error = null where id = $1`, [id]);
  hub.start({ atMost: 8 }, { log: log(100) });
  await hub.until(id, 'planned');
  const items = await replayItems(hub.db.pool, id, { limit: 100 });
  expect(items).toHaveLength(names.length);
  expect(items.filter(({ plan }) => (plan as { events: string[] }).events.length > 0)).toHaveLength(8);
  expect(await replayOf(hub.db.pool, id)).toMatchObject({ recordsSeen: names.length, recordsTotal: names.length });
});

it('gives each applied record a trace of its own, linked to the record’s', async () => {
  const exporter = new InMemorySpanExporter();
  trace.setGlobalTracerProvider(new TracerProvider({ spanProcessors: [new SimpleSpanProcessor({ exporter })] }));
  try {
    const [traceId, spanId] = ['0af7651916cd43dd8448eb211c80319c', 'b7ad6b7169203331'];
    await hub.publish({ ...wish('Ada'), traceparent: `00-${traceId}-${spanId}-01` });
    await hub.liveYesterday({ refusesShortNames: true });
    exporter.reset();
    hub.start({});
    const { id } = await hub.plan();
    await hub.apply(id);
    await hub.stopAll();
    const spans = exporter.getFinishedSpans();
    const roots = spans.filter(({ parentSpanContext }) => parentSpanContext === undefined);
    expect(roots.map(({ name, links }) => [name, links.map((link) => link.context.spanId)])).toEqual([
      ['greeter decide', [spanId]],
    ]);
    const [root] = roots;
    expect(root?.spanContext().traceId).not.toBe(traceId);
    expect(spans.length).toBeGreaterThan(2);
    expect(new Set(spans.map((span) => span.spanContext().traceId))).toEqual(new Set([root?.spanContext().traceId]));
  } finally {
    trace.disable();
  }
});

it('goes on after a pause, and applies nothing of what was given up', async () => {
  await hub.publish(wish('Ada'), wish('Eve', 'contact:2'));
  hub.start({});
  const [paused, aborted] = [await hub.plan(), await hub.plan()];
  await moveReplay(hub.db.pool, paused.id, ['planned'], 'applying');
  await moveReplay(hub.db.pool, paused.id, ['applying'], 'paused');
  await moveReplay(hub.db.pool, aborted.id, ['planned'], 'aborted');
  expect(await moveReplay(hub.db.pool, aborted.id, ['planned'], 'applying')).toBe(false);
  await moveReplay(hub.db.pool, paused.id, ['paused'], 'applying');
  await hub.until(paused.id, 'done');
  await hub.untilSettled();
  expect(hub.calls.filter((call) => call.startsWith('send')).sort()).toEqual(['send Hi Ada', 'send Hi Eve']);
  const items = await replayItems(hub.db.pool, aborted.id, { limit: 10 });
  expect(items.map(({ state }) => state)).toEqual(['planned', 'planned']);
});
