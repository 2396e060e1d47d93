import type { OneRenderEvent, RenderEvent, Results, VideoCopy } from '#libs/contracts';
import type { Lookup } from '#libs/expressions';
import {
  acted,
  followed,
  handedOn,
  LOOP,
  noTriggers,
  numbered,
  refused,
  type Triggers,
  type Whereabouts,
  wrote,
} from '#libs/recipes';

type PreparedData = Extract<RenderEvent, { type: 'RenderPrepared' }>['data'];

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
  status: 'requested' | 'prepared' | 'submitted' | 'postponed' | 'completed' | 'failed' | 'rejected';
  /** Of the order that HeyGen took last, or failed at; a redo and a failure raise it. */
  generation: number;
  videoId?: string;
  /** Videos of the orders before. */
  earlier?: readonly string[];
  /** Orders, by generation, for which a budget holds money. */
  reserved?: readonly number[];
  /** How often it was postponed for HeyGen's own faults. */
  faults?: number;
  /** What is ordered. */
  order?: Pick<PreparedData, 'template' | 'variables' | 'replacements' | 'options' | 'title'>;
  /** Id of its stable link. */
  link?: string;
  /** Where its copy is. */
  copied?: Pick<VideoCopy, 'bucket' | 'folder'>;
  /** HeyGen has said that it is at it. */
  started?: boolean;
  /** What was looked up when it was prepared. */
  looked?: readonly Lookup[];
}

/** All renders of one record by one recipe, in order, what set them off, and where that record is. */
export interface Renders {
  all: readonly Render[];
  where: Whereabouts;
  triggers: Triggers;
}

export const noRenders: Renders = { all: [], where: {}, triggers: noTriggers };

export function evolve(renders: Renders, event: RenderEvent): Renders {
  switch (event.type) {
    case 'RenderRecordFollowed':
      return { ...renders, where: followed(renders.where, event.data) };
    case 'RenderValueWritten':
      return { ...renders, triggers: wrote(renders.triggers, event.data) };
    case 'RenderLoopCut':
      return renders;
    default:
      return { ...renders, all: evolveOne(renders.all, event), triggers: evolveTriggers(renders.triggers, event) };
  }
}

function evolveTriggers(triggers: Triggers, { type, data }: OneRenderEvent): Triggers {
  if (type === 'RenderRequested') return numbered(triggers, { ...data, at: data.triggeredAt });
  if (type === 'RenderRejected') return data.code === LOOP.code ? refused(triggers, data.triggeredAt) : triggers;
  return acted(triggers, 'actedAt' in data ? data.actedAt : undefined);
}

function evolveOne(renders: readonly Render[], event: OneRenderEvent): readonly Render[] {
  if (event.type === 'RenderRequested') return [...renders, { ...event.data, status: 'requested', generation: 0 }];
  const statuses = {
    RenderPostponed: 'postponed',
    RenderPrepared: 'prepared',
    RenderRejected: 'rejected',
    RenderSubmitted: 'submitted',
    RenderStarted: 'submitted',
    RenderCompleted: 'completed',
    RenderCopied: 'completed',
    RenderFailed: 'failed',
  } as const;
  return renders.map((render) =>
    render.render === event.data.render
      ? {
          ...render,
          status: statuses[event.type],
          generation: 'generation' in event.data ? event.data.generation : render.generation,
          started: event.type === 'RenderStarted' || (event.type !== 'RenderSubmitted' && render.started),
          ...(event.type === 'RenderPrepared' ? { order: event.data } : {}),
          ...(event.type === 'RenderSubmitted' ? takenBy(render, event.data) : {}),
          ...(event.type === 'RenderPostponed' && event.data.waitsFor === 'retry'
            ? { faults: (render.faults ?? 0) + 1 }
            : {}),
          ...('link' in event.data ? { link: event.data.link } : {}),
          ...(event.type === 'RenderCopied' ? { copied: placeOf(event.data) } : {}),
          ...('looked' in event.data ? { looked: event.data.looked } : {}),
          videoId: 'videoId' in event.data ? (event.data.videoId ?? render.videoId) : render.videoId,
        }
      : render,
  );
}

const placeOf = ({ bucket, folder }: VideoCopy): Pick<VideoCopy, 'bucket' | 'folder'> => ({ bucket, folder });

function takenBy(
  render: Render,
  { videoId, generation, reserved }: Extract<RenderEvent, { type: 'RenderSubmitted' }>['data'],
): Pick<Render, 'earlier' | 'reserved'> {
  const earlier = videosBefore(render, videoId);
  return reserved ? { earlier, reserved: [...(render.reserved ?? []), generation] } : { earlier };
}

function videosBefore({ videoId, earlier = [] }: Render, next: string | undefined): readonly string[] {
  return videoId === undefined || videoId === next ? earlier : [...earlier, videoId];
}

export const byName = (
  { all }: Renders,
  { render, videoId }: { render?: number; videoId?: string },
): Render | undefined =>
  all.find((one) => (render === undefined ? videoId !== undefined && isVideoOf(one, videoId) : one.render === render));

const isVideoOf = (render: Render, videoId: string): boolean =>
  render.videoId === videoId || (render.earlier ?? []).includes(videoId);

export const byCause = ({ all }: Renders, rootCause: string): Render | undefined =>
  all.find((render) => render.rootCause === rootCause);

export const aboutOf = ({ recipe, recipeVersion, render, triggeredAt }: Render) => ({
  recipe,
  recipeVersion,
  render,
  triggeredAt,
});

/** What the steps behind the video are given. */
export const chainOf = ({ content, results }: Render) => ({ content, ...handedOn(results) });
