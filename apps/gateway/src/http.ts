import type { FastifyRequest } from 'fastify';
import { clientCertificateOf } from './schemes/client-certificate';
import type { InboundRequest } from './schemes/inbound';

const empty = Buffer.alloc(0);

const bodyOf = (request: FastifyRequest): Buffer => (Buffer.isBuffer(request.body) ? request.body : empty);

const joined = (value: string | string[] | undefined): string | undefined =>
  Array.isArray(value) ? value.join(',') : value;

/**
 * A request as it came, with its body as the bytes that came. `publicUrl` is the address that senders call, not the one
 * this process listens on: a proxy stands between. A header that came several times is joined, and so fits no signature.
 */
export const inboundOf = (request: FastifyRequest, publicUrl: string): InboundRequest => ({
  method: request.method,
  url: publicUrl + (request.raw.url ?? ''),
  headers: Object.fromEntries(Object.entries(request.headers).map(([name, value]) => [name, joined(value)])),
  body: bodyOf(request),
  peer: request.socket.remoteAddress ?? '',
  certificate: clientCertificateOf(request.socket),
});
