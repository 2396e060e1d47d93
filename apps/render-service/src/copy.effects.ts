import type { Answer, CopiedFile, VideoCopy } from '#libs/contracts';
import { videoStoreOf } from '#libs/platform';
import type { EffectKind } from '#libs/process';
import type { VideoVendor } from '#libs/vendors/heygen';
import { type Expected, ObjectStore } from '#libs/vendors/object-store';
import type { RenderConfig } from './render.config';

/** Where a copy is, or would be. */
type Place = { link: string } | { bucket: string; folder: string };

const MIB = 1024 * 1024;
const files = {
  video: { kind: 'video', most: 2_048 * MIB },
  thumbnail: { kind: 'image', most: 32 * MIB },
  captions: { kind: 'captions', most: 16 * MIB },
} as const satisfies Record<string, Expected>;

const ATTEMPTS = 50;
/** Of all tenants together: a copy takes line and memory, and nobody waits for it. */
const COPIES_AT_ONCE = 4;
const NO_STORE_WAIT_MS = 10 * 60_000;

/**
 * Copies of videos, and the deletion of both. A copy always goes to the same keys, so one whose answer was lost is made
 * again and there is one. Each attempt asks HeyGen for the addresses anew: they end. Without a store what is owed waits for one.
 */
export function copyEffects(config: RenderConfig, heygen: VideoVendor): Record<string, EffectKind> {
  const settings = videoStoreOf(config);
  const store = settings && new ObjectStore(settings);
  const folderOf = (tenant: string, link: string): string => `${config.VIDEO_STORE_PREFIX}${tenant}/${link}`;
  return {
    'copy.make': {
      is: 'command',
      deadlineMs: 5 * 60_000,
      maxAttempts: ATTEMPTS,
      maxRepeats: ATTEMPTS,
      limits: [{ name: 'copies', most: COPIES_AT_ONCE, perMs: 1 }],
      plan: { cost: () => ({ apiCalls: 1 }), follows: () => ({}) },
      perform: async ({ videoId, link }: { videoId: string; link: string }, { tenant, signal }) =>
        store ? copied({ heygen, store, folder: folderOf(tenant, link) }, videoId, signal) : noStore,
    },
    'copy.remove': {
      is: 'command',
      deadlineMs: 15_000,
      maxAttempts: ATTEMPTS,
      maxRepeats: ATTEMPTS,
      plan: { cost: () => ({}), follows: () => ({}) },
      async perform(place: Place, { tenant, signal }) {
        if (!store) return noStore;
        const { bucket, folder } =
          'link' in place ? { bucket: store.bucket, folder: folderOf(tenant, place.link) } : place;
        const keys = Object.keys(files).map((name) => `${folder}/${name}`);
        return again(await store.remove(bucket, keys, signal));
      },
    },
    'heygen.remove': {
      is: 'command',
      deadlineMs: 8_000,
      maxAttempts: ATTEMPTS,
      maxRepeats: ATTEMPTS,
      plan: { cost: () => ({ apiCalls: 1 }), follows: () => ({}) },
      perform: async ({ videoId }: { videoId: string }, { signal }) => again(await heygen.remove(videoId, signal)),
    },
  };
}

interface Ways {
  heygen: VideoVendor;
  store: ObjectStore;
  folder: string;
}

async function copied(
  { heygen, store, folder }: Ways,
  videoId: string,
  signal: AbortSignal,
): Promise<Answer<VideoCopy>> {
  const state = await heygen.status(videoId, signal);
  if (state.outcome !== 'done') return again(state);
  const { status, url, thumbnailUrl, captionsUrl } = state.value;
  if (status !== 'completed' || url === undefined)
    return { outcome: 'stop', code: 'no-video', message: 'HeyGen has no video there any more' };
  const copy = (name: keyof typeof files, from: string) => store.copy(from, `${folder}/${name}`, files[name], signal);
  const made: Partial<Record<keyof typeof files, CopiedFile>> = {};
  // What goes with a video is worth no video: without it there is a copy all the same.
  for (const [name, from] of [
    ['thumbnail', thumbnailUrl],
    ['captions', captionsUrl],
  ] as const) {
    if (from === undefined) continue;
    const file = await copy(name, from);
    if (file.outcome === 'done') made[name] = file.value;
    else if (file.outcome !== 'stop') return again(file);
  }
  const video = await copy('video', url);
  if (video.outcome !== 'done') return again(video);
  return { outcome: 'done', value: { bucket: store.bucket, folder, files: { ...made, video: video.value } } };
}

const noStore: Answer<never> = {
  outcome: 'retry',
  code: 'no-store',
  message: 'VIDEO_STORE_BUCKET is not set here',
  refused: true,
  afterMs: NO_STORE_WAIT_MS,
};

/** Made again, it comes to the same: so what is not known is simply tried again, as is an address that has ended. */
const again = <T>(answer: Answer<T>): Answer<T> =>
  answer.outcome === 'unknown' || (answer.outcome === 'stop' && answer.code === 'gone')
    ? { outcome: 'retry', code: answer.code, message: answer.message, refused: false }
    : answer;
