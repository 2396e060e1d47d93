import type { RenderEvent } from '#libs/contracts';
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
  LOOP,
  prepareVideo,
  ruleOn,
  stepOf,
  subjectNow,
  type Whereabouts,
} from '#libs/recipes';
import { onAsked } from './again.decider';
import { onAgain, renderIdOf } from './failure.decider';
import {
  type Copying,
  onCopied,
  onCopiedForgotten,
  onRemoveAgain,
  onSubjectErased,
  removalOfVideo,
  withCopies,
} from './copy.decider';
import { endForgotten, gone, onFollowed, onWithdraw, reject } from './fate.decider';
import { onCallback, onClaim, onGenerated, onOverdue, onStatus } from './heygen.decider';
import { owed, reading, recipeGone } from './orders';
import type { RenderInput, VideoDue } from './render-input';
import { aboutOf, byCause, byName, evolve, noRenders, type Render, type Renders } from './renders';

/**
 * Makes the videos of one record by one recipe. Where the record goes on as another one, so do they: what is still read is
 * read there, and what is said is said of it. Of a record that is gone no video is ordered any more, nor where machines
 * answer each other.
 * An order that failed but may succeed is placed once more after `retryAfterMs`. Where `copying`, a video that is there is copied.
 */
export const renderDecider = (
  retryAfterMs = 5 * 60_000,
  copying: Copying = false,
): Decider<Renders, RenderEvent, RenderInput> => ({
  initial: noRenders,
  evolve,
  decide: (renders, input) => {
    if (input.type === 'removed') return nothing();
    if (input.type === 'subject-erased') return onSubjectErased(renders, copying);
    const decided = renders.where.forgotten ? onForgotten(renders, input) : decide(renders, input, retryAfterMs);
    return { ...dated(withCopies(renders, decided, copying), input), ...subjectNow(renders.where) };
  },
});

/** What leads to a write, to which others may answer. */
const ACTS: ReadonlySet<string> = new Set(['RenderPrepared', 'RenderSubmitted', 'RenderCompleted', 'RenderFailed']);

/** What others may answer to says when it was. */
function dated(decision: Decision<RenderEvent>, input: RenderInput): Decision<RenderEvent> {
  if (!('at' in input)) return decision;
  const { at: actedAt } = input;
  const events = decision.events.map((event) =>
    ACTS.has(event.type) ? ({ ...event, data: { ...event.data, actedAt } } as RenderEvent) : event,
  );
  return { ...decision, events };
}

type Input = Exclude<RenderInput, { type: 'subject-erased' | 'removed' }>;

function decide(renders: Renders, input: Input, retryAfterMs: number): Decision<RenderEvent> {
  switch (input.type) {
    case 'triggered':
      return onTrigger(renders, input.trigger);
    case 'read':
      return onRead(renders, input);
    case 'generated':
      return onGenerated(renders, input, retryAfterMs);
    case 'called-back':
      return onCallback(renders, input, retryAfterMs);
    case 'claimed':
      return onClaim(renders, input);
    case 'overdue':
      return onOverdue(renders, input);
    case 'again':
      return onAgain(renders, input);
    case 'status-read':
      return onStatus(renders, input, retryAfterMs);
    case 'asked':
      return onAsked(renders, input.ask);
    case 'followed':
      return onFollowed(renders, input.fate);
    case 'withdraw':
      return onWithdraw(renders);
    case 'copied':
      return onCopied(renders, input);
    case 'remove-again':
      return onRemoveAgain(renders, input);
    case 'written':
      return { events: [{ type: 'RenderValueWritten', data: input.value }] };
  }
}

// Nothing more is said of a record that is forgotten but that its renders have ended; HeyGen's share is given back, and
// what is made all the same is deleted.
function onForgotten(renders: Renders, input: Input): Decision<RenderEvent> {
  switch (input.type) {
    case 'triggered':
    case 'asked':
    case 'followed':
    case 'written':
      return nothing();
    case 'withdraw':
      return onWithdraw(renders);
    case 'copied':
      return onCopiedForgotten(renders, input);
    case 'remove-again':
      return onRemoveAgain(renders, input);
    case 'called-back': {
      const { callback } = input;
      const render = byName(renders, { ...callback, render: input.render });
      const isOver = callback.result !== 'other';
      return { ...endForgotten(render, isOver), ...(isOver ? deleting(render, callback.videoId) : {}) };
    }
    case 'overdue': {
      const render = byCause(renders, input.rootCause);
      return { ...endForgotten(render, false), ...deleting(render) };
    }
    case 'claimed':
    case 'again':
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

const deleting = (render: Render | undefined, videoId = render?.videoId): { effects?: Owed[] } =>
  render && videoId !== undefined ? { effects: [removalOfVideo(render, videoId)] } : {};

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
  const { code, reason } = recipeGone(render.recipe);
  if (!input.recipe || !step) return refuse(code, reason);
  const { properties, modifiedAt } = input.ended.answer;
  const looked = new Looked(render.looked);
  const prepared = prepareVideo(step, { record: properties, steps: render.results ?? {} }, { looked });
  if ('rejected' in prepared) return refuse(prepared.rejected.code, prepared.rejected.reason);
  const callbackId = renderIdOf(input.streamId, render.render);
  const order = owed(input.recipe, 'heygen.generate', 'generate', {
    template: step.template,
    callbackId,
    ...prepared,
  });
  if (!open && render.status !== 'rejected') return { events: [], effects: [order] };
  const data = {
    ...aboutOf(render),
    template: step.template,
    ...prepared,
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
