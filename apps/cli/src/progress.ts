const WIDTH = 30;

/** How far something has come, on one line: a bar, counts, the rate since it began, and the time left at that rate. */
export function progressLine(
  label: string,
  { done, total, since }: { done: number; total: number; since: { done: number; ms: number } },
): string {
  const share = total > 0 ? Math.min(1, done / total) : 1;
  const bar = '█'.repeat(Math.round(share * WIDTH)).padEnd(WIDTH, '░');
  const rate = (done - since.done) / Math.max(since.ms / 1_000, 0.1);
  const left = rate > 0 ? `${String(Math.ceil((total - done) / rate))} s left` : 'waiting';
  return `${label} ${bar} ${String(done)}/${String(total)}  ${rate.toFixed(0)}/s  ${left}`;
}
