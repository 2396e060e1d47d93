import type { Fate, RenderEvent } from '#libs/contracts';
import { type Decision, nothing } from '#libs/process';
import { following, GONE, isGone, purposeNow, type Whereabouts, WITHDRAW, withdrawAgainAt } from '#libs/recipes';
import { aboutOf, type Render, type Renders } from './renders';

/** The order of a video. */
export const JOB = { kind: 'heygen.generate', purpose: 'generate' };
/** The reading for it. */
export const READ = 'read';

/** What still waits is withdrawn, and its end tells the render's; what HeyGen has taken already is paid for and goes on. */
export function onFollowed({ all, where }: Renders, fate: Fate): Decision<RenderEvent> {
  const now = following(where, fate);
  if (!now) return nothing();
  const events: RenderEvent[] = [{ type: 'RenderRecordFollowed', data: fate }];
  if (!isGone(now) || !all.some(isUnordered)) return { events };
  return { events, supersede: waiting(now), timers: [{ name: WITHDRAW, due: withdrawAgainAt(fate) }] };
}

const waiting = (where: Whereabouts) => [
  ...[...new Set([READ, purposeNow(READ, where)])].map((purpose) => ({ kind: 'hubspot.read', purpose })),
  JOB,
];

/** Withdraws once more what waits for a record that is gone. */
export const onWithdraw = ({ all, where }: Renders): Decision<RenderEvent> =>
  isGone(where) && all.some(isUnordered) ? { events: [], supersede: waiting(where) } : nothing();

export const isUnordered = ({ status }: Render): boolean =>
  status === 'requested' || status === 'prepared' || status === 'postponed';

/** Ends a render of a record that is forgotten; `isOver` where HeyGen has ended its job. */
export function endForgotten(render: Render | undefined, isOver: boolean): Decision<RenderEvent> {
  if (!render) return nothing();
  const ended = isUnordered(render) ? gone(render) : onErased(render);
  return isOver ? { ...ended, rootCause: render.rootCause, release: [JOB] } : ended;
}

/** Nothing more is said of the render, nor of its video should it come: a failure would be written to the erased record. */
export const onErased = (render: Render): Decision<RenderEvent> =>
  isUnordered(render) || render.status === 'submitted' ? reject(render, 'erased', 'its subject was erased') : nothing();

export const gone = (render: Render): Decision<RenderEvent> => ({
  events: [{ type: 'RenderFailed', data: { ...aboutOf(render), ...GONE } }],
});

export const reject = (render: Render, code: string, reason: string): Decision<RenderEvent> => ({
  events: [{ type: 'RenderRejected', data: { ...aboutOf(render), code, reason } }],
});
