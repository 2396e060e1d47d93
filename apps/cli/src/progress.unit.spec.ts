import { Progress } from './progress';

function follow(isTTY: boolean, ...looks: [ms: number, done: number, total: number][]): string[] {
  const written: string[] = [];
  let now = 0;
  const progress = new Progress({ isTTY, write: (text) => written.push(text) }, () => now);
  for (const [ms, done, total] of looks) {
    now = ms;
    progress.show('applying', done, total);
  }
  progress.end();
  return written;
}

it('draws a bar with rate and rest on a terminal, and takes it away at the end', () => {
  expect(follow(true, [0, 100, 400], [2_000, 200, 400])).toEqual([
    `\rapplying ${'█'.repeat(8)}${'░'.repeat(22)} 100/400  0/s\x1b[K`,
    `\rapplying ${'█'.repeat(15)}${'░'.repeat(15)} 200/400  50/s  4 s left\x1b[K`,
    '\r\x1b[K',
  ]);
});

it('prints a plain line now and then where there is no terminal', () => {
  expect(follow(false, [0, 0, 400], [300, 3, 400], [5_300, 106, 400])).toEqual([
    'applying 0/400  0/s\n',
    'applying 106/400  20/s  15 s left\n',
  ]);
});
