import type { IncomingMessage } from 'node:http';
import { Problem } from './problem';

const FIRST_BYTES = 16 * 1024;

/** How many bytes of body a request says that it has: `limit` where it does not say, 0 where there is none. */
export function announcedBytes({ headers }: IncomingMessage, limit: number): number {
  const length = headers['content-length'];
  if (length !== undefined) return Number(length);
  return headers['transfer-encoding'] === undefined ? 0 : limit;
}

/**
 * Reads a body into one buffer; rejects with `too-large` once it is longer than `limit` bytes. Pieces are copied as they
 * come: kept, each would cost hundreds of bytes, and a body may come in pieces of one.
 */
export function readBody(message: IncomingMessage, limit: number): Promise<Buffer> {
  const { promise, resolve, reject } = Promise.withResolvers<Buffer>();
  const announced = announcedBytes(message, limit);
  if (announced > limit) return Promise.reject(new Problem('too-large'));
  const isExact = message.headers['content-length'] !== undefined;
  let body = Buffer.allocUnsafe(isExact ? announced : FIRST_BYTES);
  let length = 0;
  const take = (piece: Buffer): void => {
    const needed = length + piece.length;
    if (needed > limit) {
      message.off('data', take);
      reject(new Problem('too-large'));
      return;
    }
    if (needed > body.length) {
      const larger = Buffer.allocUnsafe(Math.min(limit, Math.max(needed, body.length * 2)));
      body.copy(larger, 0, 0, length);
      body = larger;
    }
    length += piece.copy(body, length);
  };
  message.on('data', take);
  message.once('end', () => resolve(isExact ? body : Buffer.from(body.subarray(0, length))));
  message.once('error', (cause) => reject(new Problem('bad-request', { cause })));
  return promise;
}
