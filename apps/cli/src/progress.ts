/** How far something has come, seen from when one began to look: rate and rest are those of the time since. */
export class Progress {
  private readonly beganAt: number;
  private before: number | undefined;
  private saidAt = -Infinity;

  constructor(
    private readonly out: { isTTY?: boolean; write(text: string): unknown },
    private readonly now: () => number = () => performance.now(),
  ) {
    this.beganAt = now();
  }

  /** Draws a bar on a terminal; elsewhere it prints a line, at most one in five seconds. */
  show(what: string, done: number, total: number): void {
    this.before ??= done;
    if (this.out.isTTY) {
      const bar = '█'.repeat(Math.round(share(done, total) * 30)).padEnd(30, '░');
      this.out.write(`\r${what} ${bar} ${this.figures(done, total)}\x1b[K`);
      return;
    }
    if (this.now() - this.saidAt < 5_000) return;
    this.saidAt = this.now();
    this.out.write(`${what} ${this.figures(done, total)}\n`);
  }

  end(): void {
    if (this.out.isTTY) this.out.write('\r\x1b[K');
  }

  private figures(done: number, total: number): string {
    const seconds = (this.now() - this.beganAt) / 1_000;
    const rate = seconds > 0 ? (done - (this.before ?? 0)) / seconds : 0;
    const left = rate > 0 ? `  ${String(Math.ceil((total - done) / rate))} s left` : '';
    return `${String(done)}/${String(total)}  ${rate.toFixed(0)}/s${left}`;
  }
}

const share = (done: number, total: number): number => (total > 0 ? Math.min(1, done / total) : 0);
