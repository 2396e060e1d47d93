import type { Answer } from '#libs/contracts';
import { z } from 'zod';
import { HeygenApi, type HeygenSettings } from './api';
import { bodyOf, searchTitle, stateOf, variablesOf } from './shapes';
import type { TemplateVideo, VideoState, VideoTemplate, VideoVendor } from './video-vendor';

/**
 * HeyGen's template path of version 2 (docs.heygen.com), for templates that version 3 does not take yet; HeyGen keeps it
 * until then. It knows no idempotency key: a repeat looks for the first call's video by its title. Nor does it know subtitles:
 * such an order is refused here.
 */
export class LegacyHeygenClient implements VideoVendor {
  private readonly api: HeygenApi;

  constructor(settings: HeygenSettings) {
    this.api = new HeygenApi(settings);
  }

  async submit(
    order: TemplateVideo,
    { isRepeat }: { isRepeat: boolean },
    signal: AbortSignal,
  ): Promise<Answer<{ videoId: string }>> {
    if (order.options?.subtitles) {
      const message = 'version 2 takes no subtitles: take them out of the recipe, or order by version 3';
      return { outcome: 'stop', code: 'unsupported-option', message };
    }
    if (isRepeat) {
      const found = await this.find(`[${order.callbackId}]`, signal);
      if (found.outcome !== 'done') return found.outcome === 'stop' ? { ...found, outcome: 'unknown' } : found;
      // Not seen yet is not known: without a key a second order might be a second video.
      return found.value
        ? { outcome: 'done', value: found.value }
        : { outcome: 'unknown', code: 'not-found-yet', message: 'no video of that title is there yet' };
    }
    const { callbackUrl: callback_url, testRenders } = this.api.settings;
    return this.api.call(
      {
        method: 'POST',
        path: `/v2/template/${encodeURIComponent(order.template)}/generate`,
        body: { ...bodyOf(order), callback_url, ...(testRenders ? { test: true } : {}) },
        answer: z.object({ data: z.object({ video_id: z.string().min(1) }) }),
        read: ({ data }) => ({ videoId: data.video_id }),
      },
      signal,
    );
  }

  status(videoId: string, signal: AbortSignal): Promise<Answer<VideoState>> {
    return this.api.call(
      {
        path: '/v1/video_status.get',
        query: { video_id: videoId },
        answer: z.object({ data: legacyVideo }),
        // A render that failed is answered 200 here, with its reason inside.
        read: ({ data: { error, caption_url: subtitle_url, ...said } }) =>
          stateOf(videoId, { ...said, subtitle_url, ...failureIn(error) }),
      },
      signal,
    );
  }

  find(titlePart: string, signal: AbortSignal): Promise<Answer<{ videoId: string } | undefined>> {
    const query = { title: titlePart, limit: '10' };
    return this.api.call(
      {
        path: '/v1/video.list',
        query,
        answer: legacyList,
        read: ({ data }) =>
          searchTitle(
            data.videos.map(({ video_id: videoId, video_title: title }) => ({ videoId, title: title ?? '' })),
            titlePart,
          ),
      },
      signal,
    );
  }

  template(id: string, signal: AbortSignal): Promise<Answer<VideoTemplate>> {
    const path = `/v2/template/${encodeURIComponent(id)}`;
    return this.api.call(
      { path, answer: legacyTemplate, read: ({ data }) => ({ variables: variablesOf(data) }) },
      signal,
    );
  }

  async remove(videoId: string, signal: AbortSignal): Promise<Answer<void>> {
    const answer = await this.api.call(
      {
        method: 'DELETE',
        path: '/v1/video.delete',
        query: { video_id: videoId },
        answer: z.unknown(),
        read: () => undefined,
      },
      signal,
    );
    return answer.outcome === 'stop' && answer.code === NO_VIDEO ? { outcome: 'done', value: undefined } : answer;
  }
}

/** There is no such video (docs.heygen.com/reference/errors). */
const NO_VIDEO = '400569';

const legacyError = z.union([
  z.string(),
  z.looseObject({
    code: z.union([z.string(), z.number()]).transform(String).optional(),
    message: z.string().nullish(),
    detail: z.string().nullish(),
  }),
]);

const legacyVideo = z.looseObject({
  status: z.string().optional(),
  video_url: z.string().nullish(),
  thumbnail_url: z.string().nullish(),
  caption_url: z.string().nullish(),
  duration: z.number().nullish(),
  error: legacyError.nullish(),
});

const legacyList = z.object({
  data: z.looseObject({
    videos: z.array(z.looseObject({ video_id: z.string(), video_title: z.string().nullish() })),
  }),
});

const legacyTemplate = z.object({
  data: z.looseObject({
    variables: z.record(z.string(), z.looseObject({ type: z.string().optional() }).catch({})).default({}),
  }),
});

function failureIn(error: z.infer<typeof legacyError> | null | undefined) {
  if (!error) return {};
  if (typeof error === 'string') return { failure_message: error };
  return { failure_code: error.code, failure_message: error.message ?? error.detail };
}
