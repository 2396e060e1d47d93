import type { Answer } from '#libs/contracts';
import { networkAnswer, retryAfterMs } from '#libs/vendors/http';
import { z } from 'zod';

/** Where HeyGen is and who we are there. */
export interface HeygenSettings {
  baseUrl: string;
  apiKey: string;
  /** Called for every video, unsigned; without it only the registered endpoints are. */
  callbackUrl?: string;
}

/** A video made from a template. `callbackId` comes back in the callback; `title` can be searched for. */
export interface TemplateVideo {
  template: string;
  title: string;
  callbackId: string;
  variables: Record<string, string>;
}

const video = z.looseObject({
  id: z.string().optional(),
  video_id: z.string().optional(),
  status: z.string().optional(),
  video_url: z.string().nullish(),
  duration: z.number().nullish(),
  failure_code: z.string().nullish(),
  failure_message: z.string().nullish(),
});

/** A video as HeyGen reports it. Any status that is neither of the two ends means that it is still being made. */
export interface VideoState {
  videoId: string;
  status: 'completed' | 'failed' | 'processing' | 'in-progress';
  url?: string;
  code?: string;
  message?: string;
}

const whole = z.object({ data: z.unknown() });

const template = z.looseObject({
  scenes: z
    .array(
      z.looseObject({ variables: z.array(z.looseObject({ name: z.string(), variable_type: z.string() })).default([]) }),
    )
    .default([]),
  variables: z.record(z.string(), z.looseObject({ type: z.string().optional() }).catch({})).default({}),
});

/** A variable that a template needs to be given, and what fills it: `text`, `image`, `voice`, …, where HeyGen says. */
export interface TemplateVariable {
  name: string;
  type?: string;
}

/** HeyGen's v3 API (https://developers.heygen.com): templates, status. Never throws: every answer is sorted. */
export class HeygenClient {
  constructor(private readonly settings: HeygenSettings) {}

  /**
   * Orders a video. The same `idempotencyKey` within 24 hours makes no second video, whatever became of the first
   * answer, so an unknown call may be repeated with it.
   */
  generate(order: TemplateVideo, idempotencyKey: string, signal: AbortSignal): Promise<Answer<{ videoId: string }>> {
    const variables = Object.fromEntries(
      Object.entries(order.variables).map(([name, content]) => [name, { name, type: 'text', properties: { content } }]),
    );
    return this.call(
      'POST',
      `/v3/templates/${encodeURIComponent(order.template)}`,
      { title: order.title, callback_id: order.callbackId, callback_url: this.settings.callbackUrl, variables },
      { 'idempotency-key': idempotencyKey },
      signal,
      video,
      (data) => ({ videoId: idOf(data) }),
    );
  }

  /** Asks what became of a video. */
  status(videoId: string, signal: AbortSignal): Promise<Answer<VideoState>> {
    return this.call('GET', `/v3/videos/${encodeURIComponent(videoId)}`, undefined, {}, signal, video, stateOf);
  }

  /** The variables of a template, as it is now. */
  template(id: string, signal: AbortSignal): Promise<Answer<TemplateVariable[]>> {
    return this.call('GET', `/v3/templates/${encodeURIComponent(id)}`, undefined, {}, signal, template, variablesOf);
  }

  private async call<S extends z.ZodType, T>(
    method: string,
    path: string,
    body: unknown,
    headers: Record<string, string>,
    signal: AbortSignal,
    data: S,
    read: (data: z.output<S>) => T,
  ): Promise<Answer<T>> {
    let response: Response;
    let text: string;
    try {
      response = await fetch(`${this.settings.baseUrl}${path}`, {
        method,
        signal,
        headers: { 'x-api-key': this.settings.apiKey, 'content-type': 'application/json', ...headers },
        body: body === undefined ? undefined : JSON.stringify(body),
      });
      text = await response.text();
    } catch (error) {
      return networkAnswer(error);
    }
    if (!response.ok) return refusal(response, text);
    const parsed = data.safeParse(whole.safeParse(jsonOf(text)).data?.data);
    return parsed.success
      ? { outcome: 'done', value: read(parsed.data) }
      : { outcome: 'unknown', code: 'unreadable-answer', message: `HTTP ${String(response.status)}` };
  }
}

const idOf = (data: z.infer<typeof video>): string => data.video_id ?? data.id ?? '';

function stateOf(data: z.infer<typeof video>): VideoState {
  const videoId = idOf(data);
  if (data.status === 'completed' && data.video_url) return { videoId, status: 'completed', url: data.video_url };
  if (data.status === 'processing') return { videoId, status: 'processing' };
  if (data.status !== 'failed') return { videoId, status: 'in-progress' };
  return {
    videoId,
    status: 'failed',
    code: data.failure_code ?? 'failed',
    message: data.failure_message ?? undefined,
  };
}

function variablesOf({ scenes, variables }: z.infer<typeof template>): TemplateVariable[] {
  const named = Object.entries(variables).map(([name, { type }]) => ({
    name,
    ...(type === undefined ? {} : { type }),
  }));
  const inScenes = scenes.flatMap((scene) => scene.variables.map(({ name, variable_type: type }) => ({ name, type })));
  return [...new Map([...named, ...inScenes].map((one) => [one.name, one])).values()];
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

// HeyGen's v3 error, its v2 form, and the bare string that v2 sometimes sends (vendors' page on errors).
const errorBody = z.object({
  error: z.union([
    z.string(),
    z.looseObject({ code: z.union([z.string(), z.number()]), message: z.string().optional() }),
  ]),
});

// Turned away before anything was made, and worth another try once the reason has gone.
const passing = new Set(['rate_limit_exceeded', 'request_in_progress', 'resource_not_ready']);
const RETRY_IN_PROGRESS_MS = 2_000;
const CREDENTIALS_WAIT_MS = 60_000;

function refusal(response: Response, text: string): Exclude<Answer, { outcome: 'done' }> {
  const { status } = response;
  const parsed = errorBody.safeParse(jsonOf(text));
  const error = parsed.success ? parsed.data.error : undefined;
  const code = typeof error === 'object' ? String(error.code) : `http-${String(status)}`;
  const message = (typeof error === 'object' ? error.message : error) ?? `HTTP ${String(status)}`;
  const wait = retryAfterMs(response.headers.get('retry-after'));
  if (passing.has(code))
    return { outcome: 'retry', code, message, refused: true, afterMs: wait ?? RETRY_IN_PROGRESS_MS };
  // A wrong key makes nothing fail for good: what is owed waits until the key is right.
  if (status === 401) return { outcome: 'retry', code, message, refused: true, afterMs: CREDENTIALS_WAIT_MS };
  if (status === 429 && code !== 'quota_exceeded') {
    return { outcome: 'retry', code, message, refused: true, afterMs: wait };
  }
  if (status >= 500) return { outcome: 'unknown', code, message };
  return { outcome: 'stop', code, message };
}
