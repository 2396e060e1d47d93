const EVERY_MS = 50;

/**
 * Resolves with the first value of `look` that is neither undefined nor false, looking again in short intervals. Rejects
 * with what was waited for after `withinMs`; an error of `look` ends the waiting at once.
 */
export async function until<T>(
  what: string,
  look: () => Promise<T | undefined | false> | T | undefined | false,
  withinMs = 60_000,
): Promise<T> {
  const deadline = performance.now() + withinMs;
  for (;;) {
    const found = await look();
    if (found !== undefined && found !== false) return found;
    if (performance.now() > deadline) throw new Error(`not within ${withinMs / 1000} s: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, EVERY_MS));
  }
}
