import type { Answer } from '#libs/contracts';
import type { VideoState } from '#libs/vendors/heygen';
import { FreshUrls } from './fresh-urls';

const NOW = Date.parse('2026-11-22T10:00:00Z');
let now = NOW;
let asked: string[] = [];
beforeEach(() => {
  now = NOW;
  asked = [];
});

type Answers = (videoId: string) => Answer<VideoState> | Promise<Answer<VideoState>>;
const urlsOf = (answers: Answers) =>
  new FreshUrls(
    async (videoId) => {
      asked.push(videoId);
      return answers(videoId);
    },
    () => now,
  );
const done = (url: string): Answer<VideoState> => ({
  outcome: 'done',
  value: { videoId: 'v', status: 'completed', url },
});
const at = (url: string) => ({ is: 'there', url });
const away = { is: 'away', retryAfterSeconds: 10 };

it('keeps an address for a minute, and never until it ends', async () => {
  const plain = urlsOf(() => done('https://v.example.test/1'));
  for (const later of [0, 59_999, 60_000]) {
    now = NOW + later;
    expect(await plain.of('a')).toEqual(at('https://v.example.test/1'));
  }
  expect(asked).toHaveLength(2);
  asked = [];
  now = NOW;
  const signed = urlsOf(() => done(`https://v.example.test/1?Expires=${String(NOW / 1_000 + 40)}`));
  for (const later of [0, 9_999, 10_000, 10_001]) {
    now = NOW + later;
    await signed.of('a');
  }
  expect(asked).toHaveLength(3);
});

it.each<[string, Answer<VideoState>, object]>([
  ['a video that is deleted', { outcome: 'stop', code: 'video_not_found', message: '' }, { is: 'gone' }],
  ['one that failed', { outcome: 'done', value: { videoId: 'v', status: 'failed' } }, { is: 'gone' }],
  ['an address that is none', done('javascript:alert(1)'), { is: 'gone' }],
  ['a wrong key', { outcome: 'retry', code: 'unauthorized', message: '', refused: true }, away],
  ['another refusal', { outcome: 'stop', code: 'http-403', message: '' }, away],
  ['no answer', { outcome: 'unknown', code: 'timeout', message: '' }, away],
])('sorts %s', async (_name, answer, fresh) => {
  expect(await urlsOf(() => answer).of('a')).toEqual(fresh);
});

it('forgets what nobody could say, and what was asked for first of too many', async () => {
  let there = false;
  const urls = urlsOf((id) =>
    there ? done(`https://v.example.test/${id}`) : { outcome: 'unknown', code: 'x', message: '' },
  );
  expect(await urls.of('a')).toEqual(away);
  there = true;
  expect(await urls.of('a')).toEqual(at('https://v.example.test/a'));
  for (let n = 0; n < 1_000; n += 1) await urls.of(String(n));
  await urls.of('999');
  expect(asked).toHaveLength(1_002);
  await urls.of('a');
  expect(asked).toHaveLength(1_003);
});

it('asks for sixteen at once and no more, each once', async () => {
  const answers = Promise.withResolvers<Answer<VideoState>>();
  const urls = urlsOf(() => answers.promise);
  const waiting = Array.from({ length: 32 }, (_, n) => urls.of(String(n % 16)));
  expect(await urls.of('one more')).toEqual(away);
  answers.resolve(done('https://v.example.test/1'));
  expect(new Set((await Promise.all(waiting)).map(({ is }) => is))).toEqual(new Set(['there']));
  expect(asked).toHaveLength(16);
  expect(await urls.of('one more')).toEqual(at('https://v.example.test/1'));
});
