import type { Answer } from '#libs/contracts';
import { z } from 'zod';
import { HeygenApi, type HeygenSettings } from './api';
import { bodyOf, searchTitle, stateOf, variablesOf } from './shapes';
import type { TemplateVideo, VideoState, VideoTemplate, VideoVendor } from './video-vendor';

/** HeyGen's v3 API (https://developers.heygen.com): templates, videos. Never throws: every answer is sorted. */
export class HeygenClient implements VideoVendor {
  private readonly api: HeygenApi;

  constructor(settings: HeygenSettings) {
    this.api = new HeygenApi(settings);
  }

  /**
   * Orders a video. The same `idempotencyKey` within 24 hours makes no second video, whatever became of the first
   * answer; a repeat looks for the first one's video before, since it may come later than that.
   */
  async submit(
    order: TemplateVideo,
    { idempotencyKey, isRepeat }: { idempotencyKey: string; isRepeat: boolean },
    signal: AbortSignal,
  ): Promise<Answer<{ videoId: string }>> {
    if (isRepeat) {
      const found = await this.find(`[${order.callbackId}]`, signal);
      // What was not seen may be there: only an answer settles it.
      if (found.outcome !== 'done') return found.outcome === 'stop' ? { ...found, outcome: 'unknown' } : found;
      if (found.value) return { outcome: 'done', value: found.value };
    }
    const { subtitles } = order.options ?? {};
    return this.api.call(
      {
        method: 'POST',
        path: `/v3/templates/${encodeURIComponent(order.template)}`,
        headers: { 'idempotency-key': idempotencyKey },
        body: { ...bodyOf(order), subtitles, callback_url: this.api.settings.callbackUrl },
        answer: z.object({ data: video }),
        read: ({ data }) => ({ videoId: idOf(data) }),
      },
      signal,
    );
  }

  status(videoId: string, signal: AbortSignal): Promise<Answer<VideoState>> {
    const path = `/v3/videos/${encodeURIComponent(videoId)}`;
    return this.api.call(
      { path, answer: z.object({ data: video }), read: ({ data }) => stateOf(idOf(data), data) },
      signal,
    );
  }

  find(titlePart: string, signal: AbortSignal): Promise<Answer<{ videoId: string } | undefined>> {
    const query = { title: titlePart, limit: '10' };
    return this.api.call(
      { path: '/v3/videos', query, answer: listed, read: ({ data }) => searchTitle(data.map(named), titlePart) },
      signal,
    );
  }

  template(id: string, signal: AbortSignal): Promise<Answer<VideoTemplate>> {
    const path = `/v3/templates/${encodeURIComponent(id)}`;
    return this.api.call({ path, answer: z.object({ data: template }), read: ({ data }) => templateOf(data) }, signal);
  }

  async remove(videoId: string, signal: AbortSignal): Promise<Answer<void>> {
    const path = `/v3/videos/${encodeURIComponent(videoId)}`;
    const answer = await this.api.call({ method: 'DELETE', path, answer: z.unknown(), read: () => undefined }, signal);
    return answer.outcome === 'stop' && GONE.has(answer.code) ? { outcome: 'done', value: undefined } : answer;
  }
}

const GONE = new Set(['video_not_found', 'not_found']);

const video = z
  .looseObject({
    id: z.string().optional(),
    video_id: z.string().optional(),
    title: z.string().nullish(),
    status: z.string().optional(),
    video_url: z.string().nullish(),
    thumbnail_url: z.string().nullish(),
    subtitle_url: z.string().nullish(),
    duration: z.number().nullish(),
    failure_code: z.union([z.string(), z.number()]).transform(String).nullish(),
    failure_message: z.string().nullish(),
  })
  .refine((one) => idOf(one) !== '');

const listed = z.object({ data: z.array(video) });

const template = z.looseObject({
  aspect_ratio: z.string().nullish(),
  scenes: z
    .array(
      z.looseObject({ variables: z.array(z.looseObject({ name: z.string(), variable_type: z.string() })).default([]) }),
    )
    .default([]),
  variables: z.record(z.string(), z.looseObject({ type: z.string().optional() }).catch({})).default({}),
});

// The template's own answer says `id`, that of other ways to make a video `video_id`.
const idOf = ({ id, video_id }: { id?: string | undefined; video_id?: string | undefined }): string =>
  video_id ?? id ?? '';

const templateOf = (read: z.infer<typeof template>): VideoTemplate => ({
  variables: variablesOf(read),
  ...(read.aspect_ratio ? { aspectRatio: read.aspect_ratio } : {}),
});

const named = (one: z.infer<typeof video>) => ({ videoId: idOf(one), title: one.title ?? '' });
