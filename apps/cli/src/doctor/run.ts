import { type Finding, finding, sortedFindings } from './finding';

/** One thing that is looked at; the signal ends its calls. */
export interface Check {
  name: string;
  run(signal: AbortSignal): Promise<Finding[]>;
}

/**
 * Runs all checks side by side, each for so long at most. Resolves to what they found: a check that fails, or is not done
 * in time, is a finding itself.
 */
export async function runChecks(checks: readonly Check[], limitMs: number): Promise<Finding[]> {
  return sortedFindings((await Promise.all(checks.map((check) => runOne(check, limitMs)))).flat());
}

/** Reads something for each key, all at once. */
export const byKey = async <T>(keys: Iterable<string>, read: (key: string) => Promise<T>): Promise<Map<string, T>> =>
  new Map(await Promise.all([...new Set(keys)].map(async (key) => [key, await read(key)] as const)));

async function runOne({ name, run }: Check, limitMs: number): Promise<Finding[]> {
  const signal = AbortSignal.timeout(limitMs);
  const late = Promise.withResolvers<never>();
  const end = () => late.reject(new Error(`it was not done within ${limitMs / 1_000} s`));
  signal.addEventListener('abort', end, { once: true });
  try {
    return await Promise.race([run(signal), late.promise]);
  } catch (error) {
    const why = error instanceof Error ? (error.message.split('\n')[0] ?? error.name) : String(error);
    return [
      finding(
        'check-failed',
        name,
        `It could not be looked at: ${why}`,
        'Run `refrain doctor` again; where it stays so, tell of it.',
      ),
    ];
  } finally {
    signal.removeEventListener('abort', end);
  }
}
