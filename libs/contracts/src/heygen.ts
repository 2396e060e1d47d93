import { z } from 'zod';
import { heygenFailureOf } from './heygen-failures';

const body = z.looseObject({
  event_type: z.string().optional(),
  event: z.string().optional(),
  type: z.string().optional(),
  event_data: z.unknown().optional(),
  data: z.unknown().optional(),
});

const details = z.looseObject({
  video_id: z.string().min(1).max(200).nullish(),
  callback_id: z.string().max(1000).nullish(),
  url: z.string().nullish(),
  video_url: z.string().nullish(),
  video_page_url: z.string().nullish(),
  video_share_page_url: z.string().nullish(),
  msg: z.string().nullish(),
  message: z.string().nullish(),
  error: z.unknown().optional(),
  code: z.unknown().optional(),
  failure_code: z.union([z.string(), z.number()]).nullish(),
  failure_message: z.string().nullish(),
});

/** The versions of HeyGen's template API; the second is for templates that the first does not take yet. */
export const heygenApiVersions = ['v3', 'v2'] as const;
export type HeygenApiVersion = (typeof heygenApiVersions)[number];

/** A HeyGen callback as it may come in, for readers of its topic; {@link readHeygen} reads it more strictly. */
export const heygenWebhookBody = body.extend({ event_data: details.optional(), data: details.optional() });

/** A HeyGen callback in one shape. HeyGen's own names and those of common guides are both read. */
export interface HeygenCallback {
  /** `success`, `fail`, or `other` for events that only say that something happened. */
  result: 'success' | 'fail' | 'other';
  eventType: string;
  videoId?: string;
  callbackId?: string;
  url?: string;
  code?: string;
  message?: string;
}

const results: Record<string, HeygenCallback['result']> = {
  'avatar_video.success': 'success',
  'avatar_video.fail': 'fail',
  'video.completed': 'success',
  'video.failed': 'fail',
};

const plain = z.union([z.string(), z.number()]).transform(String).optional().catch(undefined);
const errorFields = z.object({ code: plain, message: plain, detail: plain });

/** A text, a bare code, or an object with a code and words, depending on HeyGen's API version and on the guide. */
function readError(error: unknown): { code?: string; message?: string } {
  if (typeof error === 'number' || (typeof error === 'string' && isCode(error))) return { code: String(error) };
  if (typeof error === 'string') return { message: error };
  const { data } = errorFields.safeParse(error);
  return { code: data?.code, message: data?.message ?? data?.detail };
}

const isCode = (text: string): boolean => /^\d+$/.test(text) || heygenFailureOf(text) !== undefined;

/** Reads a callback's body; the error names what is wrong with it. A callback must name a video or carry our own id. */
export function readHeygen(value: unknown): { callback: HeygenCallback } | { error: string } {
  const outer = body.safeParse(value);
  if (!outer.success) return { error: z.prettifyError(outer.error) };
  const eventType = outer.data.event_type ?? outer.data.event ?? outer.data.type;
  if (!eventType) return { error: '✖ names no event: event_type is needed' };
  const inner = details.safeParse(outer.data.event_data ?? outer.data.data ?? value);
  if (!inner.success) return { error: z.prettifyError(inner.error) };
  if (!inner.data.video_id && !inner.data.callback_id) {
    return { error: '✖ names no video: video_id or callback_id is needed' };
  }
  return { callback: callbackOf(eventType, inner.data) };
}

const callbackOf = (eventType: string, d: z.infer<typeof details>): HeygenCallback => ({
  result: results[eventType] ?? 'other',
  eventType,
  videoId: d.video_id ?? undefined,
  callbackId: d.callback_id ?? undefined,
  url: d.url ?? d.video_url ?? undefined,
  code: d.failure_code?.toString() ?? readError(d.error).code ?? plain.parse(d.code),
  message: d.msg ?? d.message ?? readError(d.error).message ?? d.failure_message ?? undefined,
});

/** What a render is called at HeyGen, and so in its callbacks. */
export interface CallbackId {
  streamId: string;
  tenant: string;
  render: number;
  generation: number;
}

/** Reads a callback id back into its parts; undefined where it is not one of ours. */
export function readCallbackId(callbackId: string | undefined): CallbackId | undefined {
  const [, streamId, tenant, render, generation] =
    /^(render-([^:]+):[^:]+:[^:]+(?::.+)?)\/(\d+)\/(\d+)$/.exec(callbackId ?? '') ?? [];
  return streamId && tenant ? { streamId, tenant, render: Number(render), generation: Number(generation) } : undefined;
}

/** Without a callback by then, in milliseconds from the order's answer on, HeyGen is asked. */
export const CALLBACK_WITHIN_MS = 30 * 60_000;

/** What render-service calls the timers of that: one for each order that HeyGen took. */
export const CALLBACK_OVERDUE = 'overdue';

/** Wire type of a record on `ingress.heygen.v1`; its value is the vendor's own JSON. */
export const HEYGEN_RECEIVED = 'refrain.heygen-callback.received.v1';

/**
 * Wire type of a record on `ingress.heygen.v1` that carried no signature, only the token of its address: nobody
 * vouches for what it says, so it may make us ask HeyGen and nothing more.
 */
export const HEYGEN_CLAIMED = 'refrain.heygen-callback.claimed.v1';
