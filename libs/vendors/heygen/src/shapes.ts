import type { TemplateVariable, TemplateVideo, VideoState } from './video-vendor';

/** What both versions take of an order: each variable with its name and type, since a bare text is none. */
export function bodyOf({ title, callbackId: callback_id, variables, replacements = {}, options = {} }: TemplateVideo) {
  const { caption, dimension, folder: folder_id } = options;
  const filled = [
    ...Object.entries(variables).map(([name, content]) => ({ name, type: 'text', properties: { content } })),
    ...Object.entries(replacements).map(([name, { type, properties }]) => ({ name, type, properties })),
  ];
  return {
    title,
    callback_id,
    variables: Object.fromEntries(filled.map((one) => [one.name, one])),
    ...{ caption, dimension, folder_id },
  };
}

/** What both versions say of a video, in v3's words. */
export interface SaidOfVideo {
  status?: string | undefined;
  video_url?: string | null | undefined;
  thumbnail_url?: string | null | undefined;
  /** Its captions as text, in v3's word. */
  subtitle_url?: string | null | undefined;
  duration?: number | null | undefined;
  failure_code?: string | null | undefined;
  failure_message?: string | null | undefined;
}

/** Where a video stands; what is neither of the two ends is still being made, whatever HeyGen calls it. */
export function stateOf(videoId: string, said: SaidOfVideo): VideoState {
  const { status, video_url: url, thumbnail_url: thumbnailUrl, subtitle_url: captionsUrl } = said;
  const { duration, failure_code, failure_message } = said;
  if (status === 'completed' && url) {
    return {
      videoId,
      status,
      url,
      ...(thumbnailUrl ? { thumbnailUrl } : {}),
      ...(captionsUrl ? { captionsUrl } : {}),
      ...(typeof duration === 'number' ? { duration } : {}),
    };
  }
  if (status === 'processing') return { videoId, status };
  if (status !== 'failed') return { videoId, status: 'in-progress' };
  const message = failure_message ?? undefined;
  return { videoId, status, code: failure_code ?? 'failed', ...(message === undefined ? {} : { message }) };
}

/** A template's variables, wherever it names them: as defaults, or in its scenes, which know their types best. */
export function variablesOf({
  scenes = [],
  variables,
}: {
  scenes?: readonly { variables: readonly { name: string; variable_type: string }[] }[];
  variables: Readonly<Record<string, { type?: string | undefined }>>;
}): TemplateVariable[] {
  const defaults = Object.entries(variables).map(([name, { type }]) => ({
    name,
    ...(type === undefined ? {} : { type }),
  }));
  const inScenes = scenes.flatMap((scene) => scene.variables.map(({ name, variable_type: type }) => ({ name, type })));
  return [...new Map([...defaults, ...inScenes].map((one) => [one.name, one])).values()];
}

/** The newest video whose title holds that text: HeyGen's own search is looser. */
export function searchTitle(
  videos: readonly { videoId: string; title: string }[],
  part: string,
): { videoId: string } | undefined {
  const found = videos.find(({ title }) => title.includes(part));
  return found && { videoId: found.videoId };
}
