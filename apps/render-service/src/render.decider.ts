import type { HeygenCallback, RenderEvent, Results } from '#libs/contracts';
import { Looked, type Lookup } from '#libs/expressions';
import { type Decider, type Decision, nothing, type Owed } from '#libs/process';
import {
  coolsDown,
  handedOn,
  isSameChange,
  labelOf,
  prepareVideo,
  type Properties,
  type Recipe,
  type StepDue,
  stepOf,
  type VideoStep,
} from '#libs/recipes';

/** One render of a record by a recipe, from the first request on. */
export interface Render {
  recipe: string;
  recipeVersion: string;
  render: number;
  triggeredAt: string;
  rootCause: string;
  content: string;
  /** What the steps before it left. */
  results?: Results;
  status: 'requested' | 'prepared' | 'submitted' | 'completed' | 'failed' | 'rejected';
  /** Of the order that HeyGen took last; a redo raises it. */
  generation: number;
  videoId?: string;
  /** What was looked up when it was prepared. */
  looked?: readonly Lookup[];
}

/** All renders of one record by one recipe, in order. */
export type Renders = readonly Render[];

/** How a call ended; `answer` is the adapter's. */
export type Ended<T> = { state: 'done'; answer: T } | { state: 'dead' | 'held' | 'erased'; code: string };

export type RenderInput =
  | { type: 'triggered'; trigger: VideoDue }
  | { type: 'read'; rootCause: string; recipe: Recipe | undefined; streamId: string; ended: Ended<ReadRecord> }
  | { type: 'generated'; rootCause: string; generation: number; at: string; ended: Ended<{ videoId: string }> }
  | { type: 'called-back'; callback: HeygenCallback; generation: number; render?: number }
  | { type: 'claimed'; claim: string; videoId?: string; render?: number }
  | { type: 'overdue'; rootCause: string }
  | { type: 'status-read'; rootCause: string; at: string; ended: Ended<VideoState>; purpose: string };

/** A video that is to be made, and what it follows. */
export type VideoDue = StepDue<VideoStep>;

interface ReadRecord {
  properties: Properties;
  modifiedAt: string;
}

interface VideoState {
  videoId: string;
  status: 'completed' | 'failed' | 'in-progress';
  url?: string;
  code?: string;
  message?: string;
}

const UNSAID = 'HeyGen gave no reason';
const CLAIM = 'claim-';

/** Without a callback by then, HeyGen is asked. */
export const CALLBACK_WITHIN_MS = 30 * 60_000;

/** Names a render to HeyGen; the generation of the call is put behind it, and the callback brings both (protocol 9). */
export const renderIdOf = (streamId: string, render: number): string => `${streamId}/${String(render)}`;

export const renderDecider: Decider<Renders, RenderEvent, RenderInput> = {
  initial: [],
  evolve,
  decide(renders, input) {
    switch (input.type) {
      case 'triggered':
        return onTrigger(renders, input.trigger);
      case 'read':
        return onRead(renders, input);
      case 'generated':
        return onGenerated(renders, input);
      case 'called-back':
        return onCallback(renders, input);
      case 'claimed':
        return onClaim(renders, input);
      case 'overdue':
        return onOverdue(renders, input.rootCause);
      case 'status-read':
        return onStatus(renders, input);
    }
  },
};

function evolve(renders: Renders, event: RenderEvent): Renders {
  if (event.type === 'RenderRequested') return [...renders, { ...event.data, status: 'requested', generation: 0 }];
  const statuses = {
    RenderPrepared: 'prepared',
    RenderRejected: 'rejected',
    RenderSubmitted: 'submitted',
    RenderCompleted: 'completed',
    RenderFailed: 'failed',
  } as const;
  return renders.map((render) =>
    render.render === event.data.render
      ? {
          ...render,
          status: statuses[event.type],
          generation: event.type === 'RenderSubmitted' ? event.data.generation : render.generation,
          ...('looked' in event.data ? { looked: event.data.looked } : {}),
          videoId: 'videoId' in event.data ? (event.data.videoId ?? render.videoId) : render.videoId,
        }
      : render,
  );
}

// A root cause that has its render is never numbered again: the same reading is stated once more, and the ledger says
// whether it is owed still. Another root cause makes a new video unless the same content triggered one within the
// cool-down, by the triggers' own times (protocol 7).
function onTrigger(renders: Renders, trigger: VideoDue): Decision<RenderEvent> {
  const { recipe, step, record, rootCause, content, at, failed, results } = trigger;
  const read = owed(recipe, 'hubspot.read', 'read', { record, properties: step.properties, notes: 0 });
  if (byCause(renders, rootCause)) return { events: [], effects: [read] };
  if (renders.some((render) => repeats(render, trigger))) return nothing();
  const about = { recipe: recipe.id, recipeVersion: recipe.version, render: renders.length + 1, triggeredAt: at };
  const requested: RenderEvent = {
    type: 'RenderRequested',
    data: { ...about, rootCause, content, ...handedOn(results) },
  };
  if (failed) return { events: [requested, { type: 'RenderRejected', data: { ...about, ...failed } }] };
  return { events: [requested], effects: [read] };
}

function repeats({ content, triggeredAt: at, status }: Render, due: VideoDue): boolean {
  const said = { content, at };
  return isSameChange(said, due) || (status !== 'rejected' && coolsDown(said, due, due.recipe.coolDownMs));
}

// Read again (a replay, after a fix), the same render is prepared again or its order stated once more: the ledger says
// whether that order is done, changed or owed again.
function onRead(renders: Renders, input: RenderInput & { type: 'read' }): Decision<RenderEvent> {
  const render = byCause(renders, input.rootCause);
  if (!render) return nothing();
  const open = render.status === 'requested';
  if (input.ended.state !== 'done') {
    return open ? reject(render, input.ended.code, 'the record could not be read') : nothing();
  }
  const step = stepOf(input.recipe, 'video');
  if (!input.recipe || !step)
    return open ? reject(render, 'recipe-gone', `recipe ${render.recipe} makes no video any more`) : nothing();
  const { properties, modifiedAt } = input.ended.answer;
  const looked = new Looked(render.looked);
  const prepared = prepareVideo(step, { record: properties, steps: render.results ?? {} }, { looked });
  if ('rejected' in prepared) {
    return open ? reject(render, prepared.rejected.code, prepared.rejected.reason) : nothing();
  }
  const { variables, title } = prepared;
  const callbackId = renderIdOf(input.streamId, render.render);
  const order = owed(input.recipe, 'heygen.generate', 'generate', {
    template: step.template,
    title,
    callbackId,
    variables,
  });
  if (!open && render.status !== 'rejected') return { events: [], effects: [order] };
  const data = {
    ...aboutOf(render),
    template: step.template,
    variables,
    recordModifiedAt: modifiedAt,
    ...found(looked),
  };
  return { events: [{ type: 'RenderPrepared', data }], effects: [order] };
}

const found = ({ all }: Looked): { looked?: Lookup[] } => (all.length > 0 ? { looked: all } : {});

const reject = (render: Render, code: string, reason: string): Decision<RenderEvent> => ({
  events: [{ type: 'RenderRejected', data: { ...aboutOf(render), code, reason } }],
});

function onGenerated(renders: Renders, input: RenderInput & { type: 'generated' }): Decision<RenderEvent> {
  const render = byCause(renders, input.rootCause);
  if (!render) return nothing();
  if (input.ended.state !== 'done') {
    if (input.ended.state === 'erased') return onErased(render);
    // Held: whether HeyGen took the order is for a person to find out; the render stays prepared.
    const refused = input.ended.state === 'dead' && render.status === 'prepared';
    return refused ? fail(render, input.ended.code, 'HeyGen refused the order') : nothing();
  }
  const { videoId } = input.ended.answer;
  const correlate = { vendor: 'heygen', externalId: videoId };
  const again = render.status === 'failed' && input.generation > render.generation;
  // The job had ended before this answer: the call that brought it, a repeat, took a share of HeyGen's jobs once more.
  const over = (render.status === 'completed' || render.status === 'failed') && !again;
  if (over) return { events: [], correlate, release: [{ kind: 'heygen.generate', purpose: 'generate' }] };
  if (render.status !== 'prepared' && !again) return { events: [], correlate };
  return {
    events: [submitted(render, input.generation, videoId)],
    correlate,
    timers: [{ name: 'overdue', due: later(input.at, CALLBACK_WITHIN_MS) }],
  };
}

// A callback may come before the submission's own answer, twice, or after the end. One that names the render proves
// that the order was taken.
function onCallback(renders: Renders, input: RenderInput & { type: 'called-back' }): Decision<RenderEvent> {
  const { callback } = input;
  const render = byName(renders, { render: input.render, videoId: callback.videoId });
  if (!render || callback.result === 'other') return nothing();
  const videoId = callback.videoId ?? render.videoId;
  const end = callback.result === 'success' ? complete(render, videoId, callback.url) : onFailure(render, callback);
  const early = render.status === 'prepared' && (end.events.length > 0 || end.effects !== undefined);
  return {
    ...jobEnded(end),
    events: early ? [submitted(render, input.generation, callback.videoId), ...end.events] : end.events,
    rootCause: render.rootCause,
  };
}

// HeyGen's own callback of a failure says why in words, without a code: the code is asked for.
function onFailure(render: Render, { code, message, videoId = render.videoId }: HeygenCallback): Decision<RenderEvent> {
  const open = render.status === 'prepared' || render.status === 'submitted';
  if (!open || code !== undefined || !videoId) return fail(render, code ?? 'failed', message ?? UNSAID);
  return { events: [], effects: [owed(recipeOf(render), 'heygen.status', 'failure', { videoId })] };
}

// Nobody vouches for it: it settles nothing, and HeyGen is asked about the video that HeyGen itself gave this render.
// Each claim has a purpose of its own: a false one, answered "in the making", takes nothing from a true one.
function onClaim(renders: Renders, { claim, ...named }: RenderInput & { type: 'claimed' }): Decision<RenderEvent> {
  const render = byName(renders, named);
  if (render?.status !== 'submitted' || !render.videoId) return nothing();
  const ask = owed(recipeOf(render), 'heygen.status', `${CLAIM}${claim}`, { videoId: render.videoId });
  return { events: [], effects: [ask], rootCause: render.rootCause };
}

function onOverdue(renders: Renders, rootCause: string): Decision<RenderEvent> {
  const render = byCause(renders, rootCause);
  if (render?.status !== 'submitted' || !render.videoId) return nothing();
  return { events: [], effects: [owed(recipeOf(render), 'heygen.status', 'status', { videoId: render.videoId })] };
}

function onStatus(renders: Renders, input: RenderInput & { type: 'status-read' }): Decision<RenderEvent> {
  const render = byCause(renders, input.rootCause);
  if (render?.status !== 'submitted') return nothing();
  if (input.ended.state === 'erased') return onErased(render);
  // That it could not be asked proves no claim: the callback is still to come, or the watchdog.
  if (input.ended.state !== 'done' && input.purpose.startsWith(CLAIM)) return nothing();
  if (input.ended.state !== 'done')
    return jobEnded(fail(render, input.ended.code, 'HeyGen could not say what became of it'));
  const { status, videoId, url, code, message } = input.ended.answer;
  if (status === 'completed') return jobEnded(complete(render, videoId, url));
  if (status === 'failed') return jobEnded(fail(render, code ?? 'failed', message ?? UNSAID));
  return nothing();
}

// Nothing more is said of the render, nor of its video should it come: a failure would be written to the erased record.
const onErased = (render: Render): Decision<RenderEvent> =>
  render.status === 'prepared' || render.status === 'submitted'
    ? reject(render, 'erased', 'its subject was erased')
    : nothing();

// HeyGen makes only so many videos at once: the next one may begin.
const jobEnded = (end: Decision<RenderEvent>): Decision<RenderEvent> =>
  end.events.length > 0 ? { ...end, release: [{ kind: 'heygen.generate', purpose: 'generate' }] } : end;

// A video that exists is a fact, even after a failure was reported; only the first report of it counts.
function complete(render: Render, videoId: string | undefined, url: string | undefined): Decision<RenderEvent> {
  if (render.status === 'completed' || render.status === 'rejected' || !videoId || !url) return nothing();
  return { events: [{ type: 'RenderCompleted', data: { ...aboutOf(render), videoId, url, ...chainOf(render) } }] };
}

function fail(render: Render, code: string, reason: string): Decision<RenderEvent> {
  if (render.status !== 'prepared' && render.status !== 'submitted') return nothing();
  return { events: [{ type: 'RenderFailed', data: { ...aboutOf(render), videoId: render.videoId, code, reason } }] };
}

const submitted = (render: Render, generation: number, videoId: string | undefined): RenderEvent => ({
  type: 'RenderSubmitted',
  data: { ...aboutOf(render), generation, videoId },
});

const owed = (recipe: Pick<Recipe, 'id' | 'version'>, kind: string, purpose: string, request: unknown): Owed => ({
  kind,
  purpose,
  request,
  recipes: [labelOf(recipe)],
});

const recipeOf = ({ recipe: id, recipeVersion: version }: Render) => ({ id, version });

const byName = (renders: Renders, { render, videoId }: { render?: number; videoId?: string }): Render | undefined =>
  renders.find((r) => (render === undefined ? r.videoId !== undefined && r.videoId === videoId : r.render === render));

const byCause = (renders: Renders, rootCause: string): Render | undefined =>
  renders.find((render) => render.rootCause === rootCause);

const chainOf = ({ content, results }: Render) => ({ content, ...handedOn(results) });

const aboutOf = ({ recipe, recipeVersion, render, triggeredAt }: Render) => ({
  recipe,
  recipeVersion,
  render,
  triggeredAt,
});

const later = (at: string, ms: number): string => new Date(Date.parse(at) + ms).toISOString();
