/** The known name that a name was most likely meant to be; undefined where none is near. */
export function nearest(name: string, known: readonly string[]): string | undefined {
  const most = name.length < 4 ? 1 : Math.max(2, Math.floor(name.length / 3));
  const ranked = known
    .map((one) => ({ one, distance: distanceOf(name.slice(0, 60).toLowerCase(), one.toLowerCase()) }))
    .sort((a, b) => a.distance - b.distance);
  const best = ranked[0];
  return best !== undefined && best.distance <= most ? best.one : undefined;
}

/** How many letters to insert, drop or change. */
function distanceOf(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i += 1) {
    const next = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const change = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(change, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}
