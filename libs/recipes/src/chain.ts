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

// HubSpot tells a change by webhooks and in a property's history: the times of the two may differ by less than this.
const SAME_MS = 10_000;

/**
 * Whether a trigger that was read from a record is the very change that set something off already: it is handled, whatever
 * became of it, and however short the cool-down is.
 */
export const isSameChange = (earlier: Said, trigger: Said & { found?: boolean }): boolean =>
  trigger.found === true && coolsDown(earlier, trigger, SAME_MS);

/** The part of an event that hands on what the steps so far have left: none where they left nothing. */
export const handedOn = (results: Results | undefined): { results?: Results } =>
  results && Object.keys(results).length > 0 ? { results } : {};
