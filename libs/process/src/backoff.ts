const BASE_MS = 500;
const CAP_MS = 60_000;

/** Exponential backoff with full jitter, in milliseconds; never zero, so that a refusal is not answered at once. */
export const backoff = (attempt: number): number =>
  50 + Math.random() * Math.min(CAP_MS, BASE_MS * 2 ** Math.min(attempt - 1, 16));
