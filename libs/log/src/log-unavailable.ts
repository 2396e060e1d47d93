/** Why the log did not take records. */
export type LogUnavailableCode = 'overloaded' | 'timeout' | 'broker' | 'closed';

/**
 * Thrown when records are not known to be in the log. They may still be written later (`timeout`, `broker`), so whoever
 * publishes them again publishes duplicates at worst; `overloaded` and `closed` records were never sent.
 */
export class LogUnavailable extends Error {
  constructor(
    readonly code: LogUnavailableCode,
    detail: string,
    cause?: unknown,
  ) {
    super(`the log is unavailable: ${detail}`, { cause });
    this.name = 'LogUnavailable';
  }
}
