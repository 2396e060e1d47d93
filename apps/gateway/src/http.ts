import type { FastifyRequest } from 'fastify';

const empty = Buffer.alloc(0);

/** The body as the bytes that came; a request without one has none. */
export const bodyOf = (request: FastifyRequest): Buffer => (Buffer.isBuffer(request.body) ? request.body : empty);

/** A header's value; one that came several times is joined by the server, and so fits no signature. */
export function headerOf(request: FastifyRequest, name: string): string | undefined {
  return joined(request.headers[name]);
}

/** All headers by lower-case name. */
export const headersOf = (request: FastifyRequest): Record<string, string | undefined> =>
  Object.fromEntries(Object.entries(request.headers).map(([name, value]) => [name, joined(value)]));

const joined = (value: string | string[] | undefined): string | undefined =>
  Array.isArray(value) ? value.join(',') : value;
