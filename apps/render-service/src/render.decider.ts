import type { Fate, HeygenCallback, RecordRef, RenderEvent } from '#libs/contracts';
import { Looked, type Lookup } from '#libs/expressions';
import { type Decider, type Decision, nothing, type Owed } from '#libs/process';
import {
  askedNow,
  coolsDown,
  depthOf,
  goesOnAs,
  GONE,
  handedOn,
  isGone,
  isSameChange,
  labelOf,
  LOOP,
  prepareVideo,
  type Properties,
  purposeNow,
  type Recipe,
  ruleOn,
  type StepDue,
  stepOf,
  subjectNow,
  type VideoStep,
  type Whereabouts,
  type Written,
} from '#libs/recipes';
import { endForgotten, gone, JOB, onErased, onFollowed, onWithdraw, READ, reject } from './fate.decider';
import { aboutOf, byCause, byName, chainOf, evolve, noRenders, type Render, type Renders } from './renders';

/** How a call ended; `answer` is the adapter's. */
export type Ended<T> =
  { state: 'done'; answer: T } | { state: 'dead' | 'held' | 'erased' | 'superseded'; code: string };

export type RenderInput =
  | { type: 'triggered'; trigger: VideoDue }
  | {
      type: 'read';
      rootCause: string;
      recipe: Recipe | undefined;
      streamId: string;
      purpose: string;
      ended: Ended<ReadRecord>;
    }
  | { type: 'generated'; rootCause: string; generation: number; at: string; ended: Ended<{ videoId: string }> }
  | { type: 'called-back'; callback: HeygenCallback; generation: number; at: string; render?: number }
  | { type: 'claimed'; claim: string; videoId?: string; render?: number }
  | { type: 'overdue'; rootCause: string }
  /** Time to withdraw once more what waits for a record that is gone. */
  | { type: 'withdraw' }
  | { type: 'status-read'; rootCause: string; at: string; ended: Ended<VideoState>; purpose: string }
  | { type: 'followed'; fate: Fate }
  | { type: 'written'; value: Written['value'] };

/** A video that is to be made, and what it follows. */
export type VideoDue = StepDue<VideoStep>;

interface ReadRecord {
  properties: Properties;
  modifiedAt: string;
}

interface VideoState {
  videoId: string;
  status: 'completed' | 'failed' | 'processing' | 'in-progress';
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

/**
 * Makes the videos of one record by one recipe. Where the record goes on as another one, so do they: what is still read is
 * read there, and what is said is said of it. Of a record that is gone no video is ordered any more, nor where machines
 * answer each other.
 */
export const renderDecider: Decider<Renders, RenderEvent, RenderInput> = {
  initial: noRenders,
  evolve,
  decide: (renders, input) => ({
    ...dated(renders.where.forgotten ? onForgotten(renders, input) : decide(renders, input), input),
    ...subjectNow(renders.where),
  }),
};

/** What leads to a write, to which others may answer. */
const ACTS: ReadonlySet<string> = new Set(['RenderSubmitted', 'RenderCompleted', 'RenderFailed']);

/** What others may answer to says when it was. */
function dated(decision: Decision<RenderEvent>, input: RenderInput): Decision<RenderEvent> {
  if (!('at' in input)) return decision;
  const { at: actedAt } = input;
  const events = decision.events.map((event) =>
    ACTS.has(event.type) ? ({ ...event, data: { ...event.data, actedAt } } as RenderEvent) : event,
  );
  return { ...decision, events };
}

function decide(renders: Renders, input: RenderInput): Decision<RenderEvent> {
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
    case 'followed':
      return onFollowed(renders, input.fate);
    case 'withdraw':
      return onWithdraw(renders);
    case 'written':
      return { events: [{ type: 'RenderValueWritten', data: input.value }] };
  }
}

// Nothing more is said of a record that is forgotten but that its renders have ended; HeyGen's share is given back.
function onForgotten(renders: Renders, input: RenderInput): Decision<RenderEvent> {
  switch (input.type) {
    case 'triggered':
    case 'followed':
    case 'written':
      return nothing();
    case 'withdraw':
      return onWithdraw(renders);
    case 'called-back':
      return endForgotten(
        byName(renders, { ...input.callback, render: input.render }),
        input.callback.result !== 'other',
      );
    case 'claimed':
      return endForgotten(byName(renders, input), false);
    default:
      return endForgotten(byCause(renders, input.rootCause), false);
  }
}

// A root cause that has its render is never numbered again: the same reading is stated once more, and the ledger says
// whether it is owed still. Another root cause makes a new video unless the same content triggered one within the
// cool-down, by the triggers' own times (protocol 7).
function onTrigger(renders: Renders, trigger: VideoDue): Decision<RenderEvent> {
  const { recipe, step, record, rootCause, content, at, failed, results } = trigger;
  const { all, where } = renders;
  const read = reading(recipe, step, goesOnAs(record, where), where);
  if (byCause(renders, rootCause)) return isGone(where, at) ? nothing() : { events: [], effects: [read] };
  if (all.some((render) => repeats(render, trigger))) return nothing();
  const ruling = ruleOn(renders.triggers, trigger);
  if (ruling.let === 'echo') return nothing();
  const about = { recipe: recipe.id, recipeVersion: recipe.version, render: all.length + 1, triggeredAt: at };
  const requested: RenderEvent = {
    type: 'RenderRequested',
    data: { ...about, rootCause, content, ...handedOn(results), ...depthOf(ruling) },
  };
  const refused = ruling.let === 'cut' ? LOOP : failed;
  if (refused) {
    const cut: RenderEvent = { type: 'RenderLoopCut', data: { recipe: recipe.id, at } };
    const rejected: RenderEvent = { type: 'RenderRejected', data: { ...about, ...refused } };
    return { events: [...(ruling.let === 'cut' && !ruling.again ? [cut] : []), requested, rejected] };
  }
  if (isGone(where, at)) return { events: [requested, { type: 'RenderFailed', data: { ...about, ...GONE } }] };
  return { events: [requested], effects: [read] };
}

const reading = (recipe: Recipe, { properties }: VideoStep, record: RecordRef, where: Whereabouts): Owed =>
  owed(recipe, 'hubspot.read', purposeNow(READ, where), { record, properties, notes: 0 });

function repeats({ content, triggeredAt: at, status }: Render, due: VideoDue): boolean {
  const said = { content, at };
  return isSameChange(said, due) || (status !== 'rejected' && coolsDown(said, due, due.recipe.coolDownMs));
}

// Read again (a replay, after a fix), the same render is prepared again or its order stated once more: the ledger says
// whether that order is done, changed or owed again.
function onRead(renders: Renders, input: RenderInput & { type: 'read' }): Decision<RenderEvent> {
  const render = byCause(renders, input.rootCause);
  if (!render) return nothing();
  const { where } = renders;
  const open = render.status === 'requested';
  const refuse = (code: string, reason: string) => (open ? reject(render, code, reason) : nothing<RenderEvent>());
  if (isGone(where)) return open ? gone(render) : nothing();
  if (input.ended.state !== 'done') {
    const again = open && readingNow(input, where);
    return again ? { events: [], effects: [again] } : refuse(input.ended.code, 'the record could not be read');
  }
  const step = stepOf(input.recipe, 'video');
  if (!input.recipe || !step) return refuse('recipe-gone', `recipe ${render.recipe} makes no video any more`);
  const { properties, modifiedAt } = input.ended.answer;
  const looked = new Looked(render.looked);
  const prepared = prepareVideo(step, { record: properties, steps: render.results ?? {} }, { looked });
  if ('rejected' in prepared) return refuse(prepared.rejected.code, prepared.rejected.reason);
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

/** What was asked of a record that goes on as another one, and was not answered, is asked of that one. */
function readingNow({ recipe, purpose }: RenderInput & { type: 'read' }, where: Whereabouts): Owed | undefined {
  const step = stepOf(recipe, 'video');
  const record = askedNow(purpose, where);
  return recipe && step && record ? reading(recipe, step, record, where) : undefined;
}

const found = ({ all }: Looked): { looked?: Lookup[] } => (all.length > 0 ? { looked: all } : {});

function onGenerated(renders: Renders, input: RenderInput & { type: 'generated' }): Decision<RenderEvent> {
  const render = byCause(renders, input.rootCause);
  if (!render) return nothing();
  if (input.ended.state !== 'done') {
    if (input.ended.state === 'erased') return onErased(render);
    if (input.ended.state === 'superseded') return render.status === 'prepared' ? gone(render) : nothing();
    // Held: whether HeyGen took the order is for a person to find out; the render stays prepared.
    const refused = input.ended.state === 'dead' && render.status === 'prepared';
    return refused ? fail(render, input.ended.code, 'HeyGen refused the order') : nothing();
  }
  const { videoId } = input.ended.answer;
  const correlate = { vendor: 'heygen', externalId: videoId };
  const again = render.status === 'failed' && input.generation > render.generation;
  // The job had ended before this answer: the call that brought it, a repeat, took a share of HeyGen's jobs once more.
  const over = (render.status === 'completed' || render.status === 'failed') && !again;
  if (over) return { events: [], correlate, release: [JOB] };
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
  if (status !== 'processing' || render.started) return nothing();
  return { events: [{ type: 'RenderStarted', data: { ...aboutOf(render), videoId } }] };
}

// HeyGen makes only so many videos at once: the next one may begin.
const jobEnded = (end: Decision<RenderEvent>): Decision<RenderEvent> =>
  end.events.length > 0 ? { ...end, release: [JOB] } : end;

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

const later = (at: string, ms: number): string => new Date(Date.parse(at) + ms).toISOString();
