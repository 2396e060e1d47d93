import type { RenderEvent } from '#libs/contracts';
import { type Decision, nothing, type Owed } from '#libs/process';
import { JOB } from './fate.decider';
import { owed } from './orders';
import type { RenderInput } from './render-input';
import type { Render } from './renders';

/** Purpose of the questions how long a video has become; the generation of its order stands behind it. */
const MEASURED = 'measured-';

type Spent = Pick<Decision<RenderEvent>, 'spent'>;

/** Whether a budget holds money for an order. */
export const isReserved = ({ reserved = [] }: Render, generation: number): boolean => reserved.includes(generation);

/** Asks how long a video has become, which no callback says: by it is known what it costs. */
export const measuring = ({ recipe: id, recipeVersion: version }: Render, generation: number, videoId: string): Owed =>
  owed({ id, version }, 'heygen.status', `${MEASURED}${String(generation)}`, { videoId });

/** What an order cost of which a budget holds what it was thought to cost; HeyGen charges nothing for one that failed. */
export const spentFor = (render: Render, generation: number, usd: number | undefined): Spent =>
  usd !== undefined && isReserved(render, generation) ? { spent: [{ ...JOB, generation, usd }] } : {};

/** The answer of an order that had ended before: what a budget holds for it is settled now. */
export function spentBefore(
  render: Render,
  { generation, reserved }: RenderInput & { type: 'generated' },
  videoId: string,
): Decision<RenderEvent> {
  if (!reserved) return nothing();
  if (render.status === 'completed') return { events: [], effects: [measuring(render, generation, videoId)] };
  return { events: [], spent: [{ ...JOB, generation, usd: 0 }] };
}

/** How long a video has become; undefined where that was not asked. What is not answered stays held, and so is counted. */
export function onMeasured({
  ended,
  purpose,
  usd,
}: RenderInput & { type: 'status-read' }): Decision<RenderEvent> | undefined {
  if (!purpose.startsWith(MEASURED)) return undefined;
  if (ended.state !== 'done' || ended.answer.status !== 'completed' || usd === undefined) return nothing();
  return { events: [], spent: [{ ...JOB, generation: Number(purpose.slice(MEASURED.length)), usd }] };
}
