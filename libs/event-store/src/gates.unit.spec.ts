import { bookedCost } from './cost';
import { doneBy, type LimitState } from './gates';

const now = new Date('2026-11-21T10:00:00Z');
const window: LimitState = {
  name: 'ten-secondly',
  most: 190,
  perMs: 10_000,
  dayEnds: undefined,
  free: 100,
  pausedUntil: undefined,
};
const daily: LimitState = {
  ...window,
  name: 'daily',
  most: 1_000,
  perMs: undefined,
  dayEnds: new Date('2026-11-22T00:00:00Z'),
};
const after = (limits: LimitState[], calls: number) => doneBy(limits, calls, now).toISOString().slice(0, 19);

it.each([
  ['what is free goes at once', [window], 100, '2026-11-21T10:00:00'],
  ['the next one waits for a window', [window], 101, '2026-11-21T10:00:10'],
  ['three windows for 500 more', [window], 600, '2026-11-21T10:00:30'],
  ['a pause comes first', [{ ...window, pausedUntil: new Date('2026-11-21T10:01:00Z') }], 101, '2026-11-21T10:01:10'],
  ['the day’s rest comes at midnight', [daily], 1_100, '2026-11-22T00:00:00'],
  ['and what is beyond, a day later', [daily], 1_101, '2026-11-23T00:00:00'],
  ['the slowest limit decides', [window, daily], 1_100, '2026-11-22T00:00:00'],
  ['jobs say nothing about time', [{ ...window, perMs: undefined }], 1_000, '2026-11-21T10:00:00'],
])('%s', (_name, limits, calls, expected) => {
  expect(after(limits, calls)).toBe(expected);
});

it('books each recorded repeat as if it had been billed like the call that answered', () => {
  expect(bookedCost({ inputTokens: 700, usd: 0.25 }, 1)).toEqual({ inputTokens: 1_400, usd: 0.5 });
  expect(bookedCost({ credits: 3 }, 0)).toEqual({ credits: 3 });
  expect(bookedCost(null, 2)).toEqual({});
});
