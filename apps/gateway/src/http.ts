import type { FastifyRequest } from 'fastify';

const empty = Buffer.alloc(0);

/** The body as the bytes that came; a request without one has none. */
export const bodyOf = (request: FastifyRequest): Buffer => (Buffer.isBuffer(request.body) ? request.body : empty);

/** A header's value; one that came several times is joined by the server, and so fits no signature. */
export function headerOf(request: FastifyRequest, name: string): string | undefined {
  const value = request.headers[name];
  return Array.isArray(value) ? value.join(',') : value;
}
