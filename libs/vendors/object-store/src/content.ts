/** What a file may be, and how much of it. */
export interface Expected {
  kind: 'video' | 'image' | 'captions';
  /** In bytes. */
  most: number;
}

const starts: Readonly<Record<string, (head: Buffer) => boolean>> = {
  'video/mp4': (head) => head.subarray(4, 8).toString('latin1') === 'ftyp',
  'video/webm': (head) => head.subarray(0, 4).toString('hex') === '1a45dfa3',
  'image/png': (head) => head.subarray(0, 8).toString('hex') === '89504e470d0a1a0a',
  'image/jpeg': (head) => head.subarray(0, 3).toString('hex') === 'ffd8ff',
  'image/gif': (head) => head.subarray(0, 4).toString('latin1') === 'GIF8',
  'image/webp': (head) =>
    head.subarray(0, 4).toString('latin1') === 'RIFF' && head.subarray(8, 12).toString('latin1') === 'WEBP',
};

/** As many bytes of a beginning as tell what it is of. */
export const HEAD_BYTES = 12;

/**
 * The media type of a file by its first bytes, whatever the sender calls it; undefined where it is nothing of that kind. Captions
 * have no mark: they are text, and are served as such.
 */
export function typeOf(head: Buffer, kind: Expected['kind']): string | undefined {
  if (kind === 'captions')
    return head.includes(0) || /^\s*</.test(head.toString('latin1')) ? undefined : 'text/plain; charset=utf-8';
  return Object.keys(starts).find((type) => type.startsWith(`${kind}/`) && starts[type]?.(head));
}
