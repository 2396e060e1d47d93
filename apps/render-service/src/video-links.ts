import { createHmac } from 'node:crypto';
import type { RenderConfig } from './render.config';

/** Where a render can be seen for good, by its number. */
export type LinkOf = (render: number) => { url: string; link: string };

/** The links of a stream. */
export type LinksOf = (streamId: string) => LinkOf;

/** 132 bits: nobody comes upon one by trying. */
const ID_LENGTH = 22;

/**
 * Names the renders of streams to people. The same render has the same link under the same key, however often it is decided
 * again, and nobody without the key tells it from the record. Undefined where no key is set: then HeyGen's address is given.
 */
export function linksOf({ VIDEO_LINK_KEY: key, PUBLIC_URL: publicUrl }: LinkSettings): LinksOf | undefined {
  if (key === undefined || publicUrl === undefined) return undefined;
  return (streamId) => (render) => {
    const mac = createHmac('sha256', key)
      .update(`video-link\n${streamId}\n${String(render)}`)
      .digest('base64url');
    const link = mac.slice(0, ID_LENGTH);
    return { url: `${publicUrl}/v/${link}`, link };
  };
}

type LinkSettings = Pick<RenderConfig, 'VIDEO_LINK_KEY' | 'PUBLIC_URL'>;
