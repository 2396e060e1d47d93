import {
  CALLBACK_OVERDUE,
  CALLBACK_WITHIN_MS,
  type HeygenCallback,
  heygenFailureOf,
  type RenderEvent,
} from '#libs/contracts';
import { type Decision, nothing } from '#libs/process';
import { isAwaited, onOrderFailed } from './failure.decider';
import { gone, isUnordered, JOB, onErased } from './fate.decider';
import { owed } from './orders';
import type { RenderInput } from './render-input';
import { aboutOf, byCause, byName, chainOf, type Render, type Renders } from './renders';
import { isReserved, measuring, onMeasured, spentBefore, spentFor } from './spent.decider';
import type { LinkOf } from './video-links';

const UNSAID = 'HeyGen gave no reason';
const CLAIM = 'claim-';
const STATUS = 'status';
const FAILURE = 'failure';

// Each order has a watchdog and questions of its own.
const nameOf = (name: string, generation: number): string =>
  generation === 1 ? name : `${name}-${String(generation)}`;

/** How often HeyGen is asked, of one order, where it makes the video still or could not say. */
export const MOST_ASKS = 6;

const askName = (generation: number, ask: number): string =>
  ask === 1 ? nameOf(STATUS, generation) : `${STATUS}-${String(generation)}-${String(ask)}`;

/** Which time it was that the watchdog asked, or a failure without a code; undefined where something else asked. */
function askIn(purpose: string, generation: number): number | undefined {
  if (purpose === nameOf(FAILURE, generation)) return 1;
  const asks = Array.from({ length: MOST_ASKS }, (_, i) => i + 1);
  return asks.find((ask) => purpose === askName(generation, ask));
}

// Nothing where something else asked, or for the last time.
function nextAsk(generation: number, ask: number | undefined, due: string): Decision<RenderEvent> {
  if (ask === undefined || ask >= MOST_ASKS) return nothing();
  return { events: [], timers: [{ name: `${CALLBACK_OVERDUE}-${String(generation)}-${String(ask + 1)}`, due }] };
}

/** How an order ended: taken by HeyGen, refused, or for a person to find out. */
export function onGenerated(
  renders: Renders,
  input: RenderInput & { type: 'generated' },
  retryAfterMs: number,
): Decision<RenderEvent> {
  const { ended, generation, at } = input;
  const render = byCause(renders, input.rootCause);
  if (!render) return nothing();
  if (ended.state !== 'done') {
    if (ended.state === 'erased') return onErased(render);
    if (ended.state === 'superseded') return isUnordered(render) ? gone(render) : nothing();
    // Held: whether HeyGen took the order is for a person to find out; the render stays as it is.
    if (ended.state !== 'dead' || render.status === 'submitted') return nothing();
    const { code, message } = ended;
    const reason = `HeyGen refused the order${message === undefined ? '' : `: ${message}`}`;
    return onOrderFailed(render, { generation, code, reason, at, otherwise: 'refused' }, retryAfterMs);
  }
  const { videoId } = ended.answer;
  const correlate = { vendor: 'heygen', externalId: videoId };
  const again = render.status === 'failed' && generation > render.generation;
  // The job had ended before this answer: the call that brought it, a repeat, took a share of HeyGen's jobs once more. A
  // later order than the one that ended is still in the making: its callback gives the share back.
  const over = ['completed', 'failed', 'postponed'].includes(render.status) && generation <= render.generation;
  if (over) return { ...spentBefore(render, input, videoId), correlate, release: [JOB] };
  if (!again && !(isAwaited(render, generation) && render.status !== 'submitted')) return { events: [], correlate };
  return {
    events: [submitted(render, generation, videoId, input.reserved)],
    correlate,
    timers: [{ name: nameOf(CALLBACK_OVERDUE, generation), due: later(at, CALLBACK_WITHIN_MS) }],
  };
}

// A callback may come before the submission's own answer, twice, or after the end. One that names the render proves
// that the order was taken.
export function onCallback(
  renders: Renders,
  input: RenderInput & { type: 'called-back' },
  retryAfterMs: number,
): Decision<RenderEvent> {
  const { callback } = input;
  const render = byName(renders, { render: input.render, videoId: callback.videoId });
  if (!render || callback.result === 'other') return nothing();
  const { rootCause } = render;
  const generation = generationOf(render, input);
  const videoId = callback.videoId ?? (generation === render.generation ? render.videoId : undefined);
  const isSuccess = callback.result === 'success';
  // Of an order before the newest: only a video after all counts, and the newest goes on at HeyGen.
  const done = isSuccess
    ? withLength(complete(render, { videoId, url: callback.url }, input.link), render, { generation, videoId })
    : nothing<RenderEvent>();
  if (generation < render.generation) return { ...done, rootCause };
  const end = isSuccess
    ? done
    : onFailure(render, { ...callback, videoId }, { generation, at: input.at }, retryAfterMs);
  const isFirst = render.status === 'prepared' || (render.status === 'postponed' && generation > render.generation);
  const early = isFirst && (end.events.length > 0 || end.effects !== undefined);
  return {
    ...(hasEnded(render) ? { ...end, release: [JOB] } : jobEnded(end)),
    events: early ? [submitted(render, generation, callback.videoId), ...end.events] : end.events,
    rootCause,
  };
}

// A callback says of no video how long it is.
function withLength(
  end: Decision<RenderEvent>,
  render: Render,
  { generation, videoId }: { generation: number; videoId: string | undefined },
): Decision<RenderEvent> {
  if (end.events.length === 0 || videoId === undefined || !isReserved(render, generation)) return end;
  return { ...end, effects: [measuring(render, generation, videoId)] };
}

// By the video first: what only names a video brings no generation.
function generationOf(
  render: Render,
  { callback, generation, ...named }: RenderInput & { type: 'called-back' },
): number {
  if (callback.videoId !== undefined && callback.videoId === render.videoId) return render.generation;
  return named.render === undefined ? 0 : generation;
}

// HeyGen's own callback of a failure says why in words, without a code: the code is asked for.
function onFailure(
  render: Render,
  { code, message, videoId }: HeygenCallback,
  { generation, at }: { generation: number; at: string },
  retryAfterMs: number,
): Decision<RenderEvent> {
  const failed = { generation, videoId, code: code ?? 'failed', reason: message ?? UNSAID, at };
  if (!isAwaited(render, generation)) return nothing();
  if (code !== undefined || !videoId) {
    const ended = onOrderFailed(render, { ...failed, otherwise: 'broken' }, retryAfterMs);
    return { ...ended, ...spentFor(render, generation, 0) };
  }
  return { events: [], effects: [owed(recipeOf(render), 'heygen.status', nameOf(FAILURE, generation), { videoId })] };
}

// Nobody vouches for it: it settles nothing, and HeyGen is asked about the video that HeyGen itself gave this render.
// Each claim has a purpose of its own: a false one, answered "in the making", takes nothing from a true one.
export function onClaim(
  renders: Renders,
  { claim, ...named }: RenderInput & { type: 'claimed' },
): Decision<RenderEvent> {
  const render = byName(renders, named);
  if (render?.status !== 'submitted' || !render.videoId) return nothing();
  const ask = owed(recipeOf(render), 'heygen.status', `${CLAIM}${claim}`, { videoId: render.videoId });
  return { events: [], effects: [ask], rootCause: render.rootCause };
}

/** Asks for what became of the newest video. */
export function onOverdue(renders: Renders, overdue: RenderInput & { type: 'overdue' }): Decision<RenderEvent> {
  const render = byCause(renders, overdue.rootCause);
  if (render?.status !== 'submitted' || !render.videoId || render.generation !== overdue.generation) return nothing();
  const { videoId, generation } = render;
  const purpose = askName(generation, overdue.ask ?? 1);
  return { events: [], effects: [owed(recipeOf(render), 'heygen.status', purpose, { videoId })] };
}

/** What HeyGen was asked and says of a video, of the newest order or of one before. */
export function onStatus(
  renders: Renders,
  input: RenderInput & { type: 'status-read' },
  retryAfterMs: number,
): Decision<RenderEvent> {
  const { ended, purpose, at } = input;
  const render = byCause(renders, input.rootCause);
  const measured = onMeasured(input);
  if (measured) return measured;
  if (!render || !isOrdered(render)) return nothing();
  if (ended.state === 'erased') return onErased(render);
  const ask = askIn(purpose, render.generation);
  if (ended.state !== 'done') return onUnknown(render, ended, ask, later(at, retryAfterMs));
  const { status, videoId, url, code = 'failed', message: reason = UNSAID } = ended.answer;
  const isNewest = render.status === 'submitted' && videoId === render.videoId;
  const completed = status === 'completed' ? complete(render, { videoId, url }, input.link) : nothing<RenderEvent>();
  if (!isNewest) return completed;
  if (status === 'completed') return { ...jobEnded(completed), ...spentFor(render, render.generation, input.usd) };
  const failed = { generation: render.generation, videoId, code, reason, at, otherwise: 'broken' } as const;
  if (status === 'failed') {
    const end = jobEnded(onOrderFailed(render, failed, retryAfterMs));
    return { ...end, ...spentFor(render, render.generation, 0) };
  }
  const still = nextAsk(render.generation, ask, later(at, CALLBACK_WITHIN_MS));
  if (status !== 'processing' || render.started) return still;
  return { ...still, events: [{ type: 'RenderStarted', data: { ...aboutOf(render), videoId } }] };
}

// That it could not be asked proves no claim, and nothing of a later order: the callback is still to come, or the watchdog.
// It says nothing of the video either, which may be there and paid for: only what would be answered again ends the render.
function onUnknown(
  render: Render,
  { state, code }: { state: string; code: string },
  ask: number | undefined,
  nextDue: string,
): Decision<RenderEvent> {
  if (render.status !== 'submitted' || ask === undefined) return nothing();
  const isPassing = state === 'dead' && heygenFailureOf(code) !== 'refused';
  if (isPassing && ask < MOST_ASKS) return nextAsk(render.generation, ask, nextDue);
  return jobEnded(fail(render, code, 'HeyGen could not say what became of it'));
}

// HeyGen makes only so many videos at once: the next one may begin.
const jobEnded = (end: Decision<RenderEvent>): Decision<RenderEvent> =>
  end.events.length > 0 ? { ...end, release: [JOB] } : end;

// A video that exists is a fact, even after a failure was reported; only the first report of it counts. An order behind it
// that still waits is wanted no more.
function complete(
  render: Render,
  { videoId, url }: { videoId: string | undefined; url: string | undefined },
  link: LinkOf | undefined,
): Decision<RenderEvent> {
  if (render.status === 'completed' || render.status === 'rejected' || !videoId || !url) return nothing();
  const seen = link?.(render.render) ?? { url };
  const data = { ...aboutOf(render), videoId, ...seen, ...chainOf(render) };
  const supersede = render.status === 'postponed' ? { supersede: [JOB] } : {};
  return { events: [{ type: 'RenderCompleted', data }], ...supersede };
}

const isOrdered = ({ status }: Render): boolean => status === 'submitted' || status === 'postponed';

const hasEnded = ({ status }: Render): boolean => status === 'completed' || status === 'failed';

const fail = (render: Render, code: string, reason: string): Decision<RenderEvent> => ({
  events: [{ type: 'RenderFailed', data: { ...aboutOf(render), videoId: render.videoId, code, reason } }],
});

const submitted = (
  render: Render,
  generation: number,
  videoId: string | undefined,
  reserved?: boolean,
): RenderEvent => ({
  type: 'RenderSubmitted',
  data: { ...aboutOf(render), generation, videoId, ...(reserved ? { reserved } : {}) },
});

const recipeOf = ({ recipe: id, recipeVersion: version }: Render) => ({ id, version });

const later = (at: string, ms: number): string => new Date(Date.parse(at) + ms).toISOString();
