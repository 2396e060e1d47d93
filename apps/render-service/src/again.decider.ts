import type { RenderAsked, RenderEvent } from '#libs/contracts';
import { type Decision, nothing } from '#libs/process';
import { goesOnAs, isGone, type Recipe, stepOf } from '#libs/recipes';
import { reading, recipeGone } from './orders';
import { byCause, chainOf, type Render, type Renders } from './renders';

/** One more render that a person wants, behind the one that they saw. `at` is when they asked (RFC 3339). */
export interface RenderAgain extends Pick<RenderAsked, 'after' | 'by' | 'record'> {
  rootCause: string;
  at: string;
  /** As it is now; undefined where it is no longer there. */
  recipe: Recipe | undefined;
}

/**
 * A person asked: one more render, of what the one before it was made of, whatever the cool-down. Whoever asks behind a
 * render that is no longer the newest, or still under way, gets none: so many who ask behind one render get one. Its
 * trigger's time is that of the asking, but never before the time of what it repeats: the newer one's link is to stand.
 */
export function onAsked(renders: Renders, ask: RenderAgain): Decision<RenderEvent> {
  const { all, where } = renders;
  const { rootCause, recipe, record, after, by, at } = ask;
  const step = stepOf(recipe, 'video');
  const effects = recipe && step && [reading(recipe, step, goesOnAs(record, where), where)];
  if (isGone(where)) return nothing();
  if (byCause(renders, rootCause)) return { events: [], ...(effects ? { effects } : {}) };
  const last = all.at(-1);
  if (last?.render !== after || !hasEnded(last)) return nothing();
  const triggeredAt = Date.parse(at) > Date.parse(last.triggeredAt) ? at : last.triggeredAt;
  const { recipe: id, recipeVersion } = last;
  const about = { recipe: id, recipeVersion: recipe?.version ?? recipeVersion, render: after + 1, triggeredAt };
  const data = { ...about, rootCause, ...chainOf(last), asked: { after, by } };
  const requested: RenderEvent = { type: 'RenderRequested', data };
  if (effects) return { events: [requested], effects };
  return { events: [requested, { type: 'RenderRejected', data: { ...about, ...recipeGone(id) } }] };
}

const hasEnded = ({ status }: Render): boolean =>
  status === 'completed' || status === 'failed' || status === 'rejected';
