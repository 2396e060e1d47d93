/** One count: how often something happened under these labels since the process started. */
export interface Count {
  name: string;
  labels: Readonly<Record<string, string>>;
  value: number;
}

const counts = new Map<string, Count>();

/** Counts one occurrence. Labels come from closed lists (codes, routes, declared names), never from a request's content. */
export function increment(name: string, labels: Readonly<Record<string, string>>): void {
  const key = JSON.stringify([name, Object.entries(labels).sort()]);
  const known = counts.get(key);
  if (known) known.value += 1;
  else counts.set(key, { name, labels, value: 1 });
}

/** Every count of this process, in the order in which each first happened. */
export const readCounters = (): readonly Count[] => [...counts.values()].map((one) => ({ ...one }));
