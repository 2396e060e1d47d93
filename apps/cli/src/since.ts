import { UsageError } from './output';

const units: Record<string, number> = { m: 60_000, h: 3_600_000, d: 86_400_000 };

/** The time so long before now, RFC 3339; `option` is named where the duration is none. Throws {@link UsageError}. */
export function timeBefore(duration: string, option: string): string {
  const [, count = '', unit = ''] = /^(\d+)([mhd])$/.exec(duration) ?? [];
  const ms = Number(count) * (units[unit] ?? Number.NaN);
  if (!Number.isFinite(ms)) throw new UsageError(`${option} ${duration} is no duration such as 30m, 24h or 7d`);
  return new Date(Date.now() - ms).toISOString();
}
