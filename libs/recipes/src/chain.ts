import type { Results } from '#libs/contracts';

/** When a trigger was, by its own time (RFC 3339), and what it said. */
export interface Said {
  content?: string;
  at: string;
}

/** Whether a trigger says the same as another one within the cool-down: it wants nothing of its own (protocol 7). */
export const coolsDown = (earlier: Said, trigger: Said, coolDownMs: number): boolean =>
  trigger.content !== undefined &&
  earlier.content === trigger.content &&
  Math.abs(Date.parse(trigger.at) - Date.parse(earlier.at)) < coolDownMs;

/** The part of an event that hands on what the steps so far have left: none where they left nothing. */
export const handedOn = (results: Results | undefined): { results?: Results } =>
  results && Object.keys(results).length > 0 ? { results } : {};
