import type { FastifyRequest } from 'fastify';
import { clientCertificateOf } from './schemes/client-certificate';
import type { InboundRequest } from './schemes/inbound';

const empty = Buffer.alloc(0);

const bodyOf = (request: FastifyRequest): Buffer => (Buffer.isBuffer(request.body) ? request.body : empty);

function joined(headers: FastifyRequest['headers']): InboundRequest['headers'] {
  for (const name in headers) {
    const value = headers[name];
    if (Array.isArray(value)) return joined({ ...headers, [name]: value.join(',') });
  }
  return headers as InboundRequest['headers'];
}

/**
 * A request as it came, with its body as the bytes that came. `publicUrl` is the address that senders call, not the one
 * this process listens on: a proxy stands between. A header that came several times is joined, and so fits no signature.
 */
export const inboundOf = (request: FastifyRequest, publicUrl: string): InboundRequest => ({
  method: request.method,
  url: publicUrl + (request.raw.url ?? ''),
  headers: joined(request.headers),
  body: bodyOf(request),
  peer: request.socket.remoteAddress ?? '',
  certificate: clientCertificateOf(request.socket),
});
