import type { Answer } from '#libs/contracts';
import type { OutgoingRecord } from '#libs/log';
import type { SentEvents } from '#libs/vendors/heygen';
import type { HeygenConnection } from '../connections';
import { type History, MissedCallbacks } from './missed';

const since = new Date('2026-11-22T10:00:00Z');
const at = (minutes: number): Date => new Date(since.getTime() + minutes * 60_000);
const connections = [
  { connection: 'default', tenants: ['default'], secrets: () => ({ current: Buffer.alloc(0) }) },
] as unknown as HeygenConnection[];
const event = (id: string, minutes: number, type = 'avatar_video.success', video = `v-${id}`) => ({
  ...{ id, type, at: at(minutes) },
  data: { video_id: video, url: 'https://v.example.com/1', callback_id: `render-default:contact:1:r/1/1` },
});
const done = (events: SentEvents['events'], next?: string): Answer<SentEvents> => ({
  outcome: 'done',
  value: { events, ...(next === undefined ? {} : { next }) },
});

/** What is put on the log after a start, and which pages were asked for. */
async function started(pages: Answer<SentEvents>[], waited: Date | undefined = since, declared = connections) {
  const asked: (string | undefined)[] = [];
  const taken: OutgoingRecord[] = [];
  const lines: string[] = [];
  const { promise: closed, resolve: close } = Promise.withResolvers<void>();
  const history: History = {
    since: () => Promise.resolve(waited),
    page: (token) => Promise.resolve(pages[asked.push(token) - 1] ?? done([])),
    close: () => {
      close();
      return Promise.resolve();
    },
  };
  const accept = (records: OutgoingRecord[]) => {
    taken.push(...records);
    return Promise.resolve();
  };
  const say = (_: unknown, line = '') => {
    lines.push(line);
  };
  const missed = new MissedCallbacks(history, declared, { accept }, { info: say, warn: say });
  missed.onApplicationBootstrap();
  const failed = pages.some(({ outcome }) => outcome !== 'done');
  while (asked.length < pages.length || (!failed && lines.length === 0 && taken.length > 0))
    await new Promise((resolve) => setImmediate(resolve));
  await missed.onApplicationShutdown();
  await closed;
  return { asked, ids: taken.map(({ envelope }) => envelope.id), taken, lines };
}

it('asks nothing where no video is waited for', async () => {
  expect(await started([], undefined)).toMatchObject({ asked: [], ids: [] });
});

it('takes what was sent since then, as it would have been delivered, and asks no further back', async () => {
  const { asked, ids, taken } = await started([
    done([event('evt_4', 4), event('evt_3', 3)], '2'),
    done([event('evt_2', 2), event('evt_1', -1)], '4'),
  ]);
  expect([asked, ids]).toEqual([
    [undefined, '2'],
    ['heygen:evt_4', 'heygen:evt_3', 'heygen:evt_2'],
  ]);
  expect(taken[0]).toMatchObject({
    topic: 'ingress.heygen.v1',
    envelope: { source: '/heygen/default', tenant: 'default', type: 'refrain.heygen-callback.received.v1' },
  });
});

it('relies on no order, and leaves out what is of another kind or no callback of ours', async () => {
  const foreign = { ...event('evt_9', 3), data: { video_id: 'v', callback_id: 'render-other:contact:1:r/1/1' } };
  const empty = { ...event('evt_8', 3), data: {} };
  const { asked, ids } = await started([
    done([event('evt_0', -9), event('evt_1', -1)], '2'),
    done([event('evt_2', 2), foreign, empty]),
  ]);
  expect([asked, ids]).toEqual([[undefined, '2'], ['heygen:evt_2']]);
});

it('says that HeyGen did not tell, and why', async () => {
  const { ids, lines } = await started([{ outcome: 'unknown', code: 'http-503', message: '' }]);
  expect([ids, lines]).toEqual([[], ["HeyGen's history could not be taken in"]]);
});
