import { type Cost, RENDER_CREDITS } from '#libs/contracts';
import { MOST_RETRIES } from './failure.decider';
import { MOST_ASKS } from './heygen.decider';

/** One order of a video. */
export const VIDEO = { credits: RENDER_CREDITS, apiCalls: 1 } satisfies Cost;

// Its status is asked for a few times where no callback comes, once where one says of a failure no code, and once how long it
// has become where a budget holds money for it. What unsigned callbacks make it asked for besides is bounded by the gateway's
// cap, not here.
const ASKED = MOST_ASKS + 2;

/** Calls that may follow from a watchdog of an order, at most. */
export const STILL_ASKED = { apiCalls: MOST_ASKS } satisfies Cost;

/**
 * What may follow from an order that failed, at most. HeyGen charges nothing for one that failed, so one video is all that
 * is paid for. How often an order is placed while nothing pays for it has no bound; those orders cost nothing.
 */
export const ORDERED_AGAIN: Cost = { credits: VIDEO.credits, apiCalls: MOST_RETRIES * (VIDEO.apiCalls + ASKED) };

/** A copy asks once where the video is. */
export const COPY = { apiCalls: 1 } satisfies Cost;

const AFTER_ORDER = ASKED + MOST_RETRIES * (VIDEO.apiCalls + ASKED);

/** Calls that may follow from an order, at most. */
export const afterOrder = (isCopied: boolean) =>
  ({ apiCalls: AFTER_ORDER + (isCopied ? COPY.apiCalls : 0) }) satisfies Cost;
