import type { RenderEvent } from '#libs/contracts';
import { type Decision, nothing, type Owed } from '#libs/process';
import { owed } from './orders';
import type { RenderInput } from './render-input';
import { aboutOf, byCause, type Render, type Renders } from './renders';

/** Name of the timers at which copies are deleted once more; the render's number stands behind it. */
export const REMOVE = 'remove-';

/** Longer than a copy may be under way that nobody waits for any more. */
const REMOVE_AGAIN_MS = 20 * 60_000;

/** Where videos are copied to: whether anywhere, since a stable link must lead there. */
export type Copying = boolean;

/**
 * What else follows from a decision: a video that is there is copied, and of a record that is forgotten HeyGen's videos and the
 * copies are deleted.
 */
export function withCopies(renders: Renders, decision: Decision<RenderEvent>, copying: Copying): Decision<RenderEvent> {
  const more = decision.events.flatMap((event) => {
    if (event.type === 'RenderCompleted') return copying ? copyOf(renders, event.data) : [];
    const isForgotten = event.type === 'RenderRecordFollowed' && event.data.what === 'forgotten';
    return isForgotten ? removalsOf(renders, copying) : [];
  });
  return more.length > 0 ? { ...decision, effects: [...(decision.effects ?? []), ...more] } : decision;
}

type Completed = Extract<RenderEvent, { type: 'RenderCompleted' }>['data'];

const copyOf = ({ all }: Renders, { render, videoId, link }: Completed): Owed[] =>
  all
    .filter((one) => one.render === render && link !== undefined)
    .map((one) => owed(recipeOf(one), 'copy.make', 'copy', { videoId, link }));

/** A copy that was made; one that an erasure overtook is deleted, now and when the call that may still run is over. */
export function onCopied(renders: Renders, input: RenderInput & { type: 'copied' }): Decision<RenderEvent> {
  const { ended, at, rootCause } = input;
  const render = byCause(renders, rootCause);
  if (!render?.link || !render.videoId) return nothing();
  if (ended.state === 'erased') {
    const due = new Date(Date.parse(at) + REMOVE_AGAIN_MS).toISOString();
    return {
      events: [],
      effects: [removalOfCopy(render, { link: render.link }, 'overtaken')],
      timers: [{ name: `${REMOVE}${String(render.render)}`, due }],
    };
  }
  if (ended.state !== 'done' || render.copied) return nothing();
  const { link, videoId } = render;
  return { events: [{ type: 'RenderCopied', data: { ...aboutOf(render), videoId, link, ...ended.answer } }] };
}

/** Time to delete a copy once more that may have been made after it was deleted. */
export function onRemoveAgain({ all }: Renders, { render }: { render: number }): Decision<RenderEvent> {
  const one = all.find((other) => other.render === render);
  return one?.link ? { events: [], effects: [removalOfCopy(one, { link: one.link }, 'again')] } : nothing();
}

/** Of a record that is forgotten: the copy was under way, and is deleted. */
export function onCopiedForgotten(renders: Renders, input: RenderInput & { type: 'copied' }): Decision<RenderEvent> {
  const render = byCause(renders, input.rootCause);
  if (input.ended.state === 'erased') return onCopied(renders, input);
  if (!render || input.ended.state !== 'done') return nothing();
  const { bucket, folder } = input.ended.answer;
  return { events: [], effects: [removalOfCopy(render, { bucket, folder }, 'late')] };
}

/** An operator erased the subject: nothing is left of what was made so far. What is in the making goes on. */
export const onSubjectErased = (renders: Renders, copying: Copying): Decision<RenderEvent> => {
  const effects = removalsOf(renders, copying);
  return effects.length > 0 ? { events: [], effects } : nothing();
};

/** HeyGen's video, and all that it knows of the order, is deleted for good. */
export const removalOfVideo = (render: Render, videoId: string): Owed =>
  owed(recipeOf(render), 'heygen.remove', `remove-${videoId}`, { videoId });

function removalsOf({ all }: Renders, copying: Copying): Owed[] {
  return all.flatMap((render) => {
    const { videoId, earlier = [], status, copied, link } = render;
    // What is in the making is deleted when it has ended: until then it takes one of HeyGen's jobs.
    const videos = [...earlier, ...(videoId === undefined || status === 'submitted' ? [] : [videoId])];
    const copy = copied ?? (copying && link !== undefined ? { link } : undefined);
    return [
      ...videos.map((one) => removalOfVideo(render, one)),
      ...(copy ? [removalOfCopy(render, copy, String(render.render))] : []),
    ];
  });
}

const removalOfCopy = (render: Render, copy: object, name: string): Owed =>
  owed(recipeOf(render), 'copy.remove', `remove-${name}`, copy);

const recipeOf = ({ recipe: id, recipeVersion: version }: Render) => ({ id, version });
