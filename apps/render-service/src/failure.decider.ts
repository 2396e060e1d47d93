import { type HeygenFailure, heygenFailureOf, type RenderEvent } from '#libs/contracts';
import { type Decision, nothing } from '#libs/process';
import { gone, JOB } from './fate.decider';
import { owed } from './orders';
import { aboutOf, type Render, type Renders } from './renders';
import { isGone } from '#libs/recipes';

/** How often an order is placed once more after faults of HeyGen's own; what nothing pays for is, without end. */
export const MOST_RETRIES = 2;

/** Name of the timers at which an order is placed once more; render and generation stand behind it. */
export const AGAIN = 'again-';

/** An order that HeyGen said no to, or failed at. `at` is when it became known (RFC 3339). */
export interface OrderFailed {
  generation: number;
  videoId?: string | undefined;
  code: string;
  reason: string;
  at: string;
  /** What a code means of which nothing is known. */
  otherwise: HeygenFailure;
}

/** Whether the end of that order is still to come. */
export function isAwaited(render: Render, generation: number): boolean {
  if (render.status === 'prepared') return true;
  if (render.status === 'submitted') return generation === render.generation;
  return render.status === 'postponed' && generation > render.generation;
}

/**
 * Stops at once what would fail again, and puts off what may succeed later: nothing was charged for the order, and the next
 * one goes under a fresh key. A failure that is told again, or of an earlier order, decides nothing.
 */
export function onOrderFailed(render: Render, failed: OrderFailed, afterMs: number): Decision<RenderEvent> {
  const { generation, videoId, code, reason, at } = failed;
  if (!isAwaited(render, generation)) return nothing();
  const failure = heygenFailureOf(code) ?? failed.otherwise;
  const isOver = failure === 'refused' || (failure === 'broken' && (render.faults ?? 0) >= MOST_RETRIES);
  if (isOver) return { events: [{ type: 'RenderFailed', data: { ...aboutOf(render), videoId, code, reason } }] };
  const waitsFor = failure === 'unpaid' ? 'credit' : 'retry';
  const name = `${AGAIN}${String(render.render)}-${String(generation)}`;
  return {
    events: [{ type: 'RenderPostponed', data: { ...aboutOf(render), generation, videoId, code, reason, waitsFor } }],
    timers: [{ name, due: new Date(Date.parse(at) + afterMs).toISOString() }],
  };
}

/** Time to place the order once more: the same one, as the next generation of its slot, which is its key at HeyGen. */
export function onAgain(
  { all, where }: Renders,
  { render: number, generation, streamId }: { render: number; generation: number; streamId: string },
): Decision<RenderEvent> {
  const render = all.find((one) => one.render === number);
  if (render?.status !== 'postponed' || render.generation !== generation || !render.order) return nothing();
  const { rootCause } = render;
  if (isGone(where)) return { ...gone(render), rootCause };
  const { template, variables, replacements, options, title = render.recipe } = render.order;
  const callbackId = renderIdOf(streamId, number);
  const request = { template, title, callbackId, variables, replacements, options };
  const recipe = { id: render.recipe, version: render.recipeVersion };
  const order = owed(recipe, JOB.kind, JOB.purpose, request);
  return { events: [], effects: [{ ...order, generation: generation + 1 }], rootCause };
}

/** Names a render to HeyGen; the generation of the call is put behind it, and the callback brings both (protocol 9). */
export const renderIdOf = (streamId: string, render: number): string => `${streamId}/${String(render)}`;
