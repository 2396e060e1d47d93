const frames = ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏'];

export interface Progress {
  /** Shows that the work goes on and for how long, then that it is done or has failed. Steps may run side by side. */
  step<T>(name: string, work: () => Promise<T>): Promise<T>;
  /** Prints a line of its own, whatever is being shown. */
  print(line: string): void;
}

/** In a terminal: a moving line under the finished ones. Elsewhere: a line at the beginning, every 10 s and at the end. */
export function showProgress(): Progress {
  const tty = process.stdout.isTTY === true;
  const running = new Map<string, number>();
  let frame = 0;
  const clear = () => tty && process.stdout.write('\r\x1b[K');
  const draw = () => {
    if (!tty || running.size === 0) return;
    const steps = [...running].map(([name, since]) => `${name} ${Math.floor(secondsSince(since))} s`).join(', ');
    process.stdout.write(
      `\r\x1b[K${frames[frame++ % frames.length]} ${steps}`.slice(0, (process.stdout.columns ?? 80) + 4),
    );
  };
  const print = (line: string) => {
    clear();
    console.log(line);
    draw();
  };
  if (tty) setInterval(draw, 100).unref();

  return {
    print,
    step: async (name, work) => {
      const since = performance.now();
      running.set(name, since);
      if (!tty) print(`  ${name} …`);
      const reminder = setInterval(() => !tty && print(`  ${name} … ${Math.round(secondsSince(since))} s`), 10_000);
      let mark = '✗';
      try {
        const result = await work();
        mark = '✓';
        return result;
      } finally {
        clearInterval(reminder);
        running.delete(name);
        print(`${mark} ${name} (${secondsSince(since).toFixed(1)} s)`);
      }
    },
  };
}

function secondsSince(since: number): number {
  return (performance.now() - since) / 1000;
}
