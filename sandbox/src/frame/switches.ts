import type { JsonObject } from './json.ts';

/** Takes over the given values of the same type; returns what is wrong with the first that does not fit. */
export function adopt(target: object, input: JsonObject): string | undefined {
  for (const [key, value] of Object.entries(input)) {
    if (!Object.hasOwn(target, key)) return `${key}: no such switch`;
    const current: unknown = target[key as keyof typeof target];
    const fitting = key === 'duplicate' && typeof value === 'boolean' ? Number(value) : value;
    if (typeof fitting !== typeof current) return `${key}: must be a ${typeof current}`;
    Object.assign(target, { [key]: fitting });
  }
  return undefined;
}
