import type { OutgoingRecord } from './record';
import { defaultBounds, SendQueue, type SendBounds } from './send-queue';

const record = (key: string, bytes = 1): OutgoingRecord => ({
  topic: 't',
  key,
  value: Buffer.alloc(bytes),
  envelope: {
    id: key,
    source: 's',
    type: 'y',
    subject: 'u',
    time: '2026-11-21T05:00:00Z',
    tenant: 'd',
    correlationid: key,
  },
});
const records = (...keys: string[]) => keys.map((key) => record(key));

/** A send whose acknowledgements the test gives. */
function queueWith(bounds: Partial<SendBounds> = {}) {
  const sent: string[][] = [];
  let current = Promise.withResolvers<void>();
  const queue = new SendQueue(
    (batch) => {
      sent.push(batch.map((r) => r.key));
      current = Promise.withResolvers<void>();
      return current.promise;
    },
    { ...defaultBounds, ...bounds },
  );
  const settled = () => new Promise((resolve) => setImmediate(resolve));
  return {
    queue,
    sent,
    acknowledge: () => (current.resolve(), settled()),
    refuse: () => (current.reject(new Error('no leader')), settled()),
  };
}

const outcome = (promise: Promise<void>) =>
  promise.then(
    () => 'acknowledged',
    (error: unknown) => (error as { code?: string }).code,
  );

describe('SendQueue', () => {
  it('sends at once when nothing is in flight, and batches what comes meanwhile', async () => {
    const { queue, sent, acknowledge } = queueWith();
    const all = [
      queue.publish(records('a'), 1000),
      queue.publish(records('b', 'c'), 1000),
      queue.publish(records('d'), 1000),
    ];
    expect(sent).toEqual([['a']]);
    await acknowledge();
    expect(sent).toEqual([['a'], ['b', 'c', 'd']]);
    await acknowledge();
    expect(await Promise.all(all.map(outcome))).toEqual(['acknowledged', 'acknowledged', 'acknowledged']);
  });

  it('resolves a call only after the last of its records', async () => {
    const { queue, sent, acknowledge } = queueWith({ batchRecords: 2 });
    let done = false;
    const call = queue.publish(records('a', 'b', 'c'), 1000).then(() => (done = true));
    await acknowledge();
    expect([sent, done]).toEqual([[['a', 'b'], ['c']], false]);
    await acknowledge();
    await call;
    expect(done).toBe(true);
  });

  it('bounds a batch by bytes, but sends a record that alone exceeds them', async () => {
    const { queue, sent, acknowledge } = queueWith({ batchBytes: 2_000 });
    const all = queue.publish([record('a', 1_000), record('b', 1_000), record('c', 5_000), record('d', 1)], 1000);
    for (let i = 0; i < 4; i++) await acknowledge();
    await all;
    expect(sent).toEqual([['a'], ['b'], ['c'], ['d']]);
  });

  it('never sends the rest of a call whose first records failed, and goes on with the next', async () => {
    const { queue, sent, acknowledge, refuse } = queueWith({ batchRecords: 2 });
    const first = outcome(queue.publish(records('a', 'b', 'c'), 1000));
    const second = outcome(queue.publish(records('d'), 1000));
    await refuse();
    expect(await first).toBe('broker');
    expect(sent).toEqual([['a', 'b'], ['d']]);
    await acknowledge();
    expect(await second).toBe('acknowledged');
  });

  it('rejects a call after its time, and does not send what was not yet sent', async () => {
    const { queue, sent, acknowledge } = queueWith();
    const slow = outcome(queue.publish(records('a'), 5));
    const waiting = outcome(queue.publish(records('b'), 5));
    const patient = outcome(queue.publish(records('c'), 1000));
    expect([await slow, await waiting]).toEqual(['timeout', 'timeout']);
    await acknowledge();
    expect(sent).toEqual([['a'], ['c']]);
    await acknowledge();
    expect(await patient).toBe('acknowledged');
  });

  it.each([
    ['records', { pendingRecords: 2 }, record('c')],
    ['bytes', { pendingBytes: 3_000 }, record('c', 2_500)],
  ])('rejects at once when too many %s are pending, and takes more when they are gone', async (_, bounds, third) => {
    const { queue, acknowledge } = queueWith(bounds);
    void queue.publish(records('a', 'b'), 1000);
    expect(await outcome(queue.publish([third], 1000))).toBe('overloaded');
    await acknowledge();
    const taken = outcome(queue.publish([record('d')], 1000));
    await acknowledge();
    expect(await taken).toBe('acknowledged');
  });

  it('counts as pending what timed out in flight until its send ends', async () => {
    const { queue, refuse } = queueWith({ pendingRecords: 1 });
    expect(await outcome(queue.publish(records('a'), 1))).toBe('timeout');
    expect(await outcome(queue.publish(records('b'), 1))).toBe('overloaded');
    await refuse();
    expect(await outcome(queue.publish(records('c'), 1))).toBe('timeout');
  });

  it('tells the age of the oldest call, and drains when closed', async () => {
    const { queue, acknowledge } = queueWith();
    expect(queue.oldestPendingMs()).toBe(0);
    const calls = [queue.publish(records('a'), 1000), queue.publish(records('b'), 1000)].map(outcome);
    const closed = queue.close();
    expect(await outcome(queue.publish(records('c'), 1000))).toBe('closed');
    await acknowledge();
    await acknowledge();
    await closed;
    expect(await Promise.all(calls)).toEqual(['acknowledged', 'acknowledged']);
  });
});
