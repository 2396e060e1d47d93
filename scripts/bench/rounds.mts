/** Measures one party once, for about so many milliseconds; resolves to how much it did a second. */
export type Party = (forMs: number) => Promise<number>;

/** What some rounds gave: each party's figures in the order of the rounds. */
export type Measured<Name extends string> = Record<Name, number[]>;

/**
 * Lets parties take turns, so that what else the machine does falls on all of them: one round to warm up, which does not
 * count, then as many as asked for, each in another order.
 */
export async function rounds<Name extends string>(
  parties: Record<Name, Party>,
  { count = 5, forMs = 4_000 } = {},
): Promise<Measured<Name>> {
  const names = Object.keys(parties) as Name[];
  const measured = Object.fromEntries(names.map((name) => [name, [] as number[]])) as Measured<Name>;
  for (let round = 0; round <= count; round += 1) {
    for (let turn = 0; turn < names.length; turn += 1) {
      const name = names[(round + turn) % names.length];
      if (name === undefined) continue;
      const figure = await parties[name](round === 0 ? forMs / 4 : forMs);
      if (round > 0) measured[name].push(figure);
    }
  }
  return measured;
}

/** The median ratio of one party to another, round by round, and its spread. */
export function ratioOf(ours: number[], theirs: number[]): { ratio: number; spread: string } {
  const ratios = ours.map((figure, round) => figure / (theirs[round] ?? Number.NaN)).sort((a, b) => a - b);
  return {
    ratio: Number(median(ratios).toFixed(3)),
    spread: `${(ratios[0] ?? 0).toFixed(2)}–${(ratios.at(-1) ?? 0).toFixed(2)}`,
  };
}

/** The middle of some figures, the upper one of two. */
export const median = (figures: number[]): number =>
  figures.toSorted((a, b) => a - b)[Math.floor(figures.length / 2)] ?? Number.NaN;

/** Repeats `work` on so many workers until the time is over; resolves to how often a second it was done. */
export async function throughput(
  workers: number,
  forMs: number,
  work: (worker: number) => Promise<unknown>,
): Promise<number> {
  let done = 0;
  const begun = performance.now();
  await Promise.all(
    Array.from({ length: workers }, async (_, worker) => {
      while (performance.now() - begun < forMs) {
        await work(worker);
        done += 1;
      }
    }),
  );
  return (done * 1_000) / (performance.now() - begun);
}
