import { context, propagation, ROOT_CONTEXT, SpanKind, SpanStatusCode, trace, type Context } from '@opentelemetry/api';
import type { FastifyInstance } from 'fastify';
import { UNKNOWN_ROUTE } from './request-route';

const tracer = trace.getTracer('refrain');
const probes = new Set(['/healthz', '/readyz', '/metrics']);

declare module 'fastify' {
  interface FastifyRequest {
    /** Holds the request's span, where it has one. */
    traced: Context | undefined;
  }
}

/**
 * Gives each request a span, as a child of the caller's by W3C `traceparent`, and runs its handler within; probes get
 * none. It names the route and never the address, whose query may hold what is nobody's business. Attributes by the
 * semantic conventions for HTTP.
 */
export function spanRequests(fastify: FastifyInstance): void {
  fastify.decorateRequest('traced', undefined);
  fastify.addHook('onRequest', (request, _reply, done) => {
    const { route, method } = request;
    if (!probes.has(route)) {
      const parent = propagation.extract(ROOT_CONTEXT, request.headers);
      const known = route === UNKNOWN_ROUTE ? {} : { 'http.route': route };
      const attributes = { 'http.request.method': method, ...known };
      const name = route === UNKNOWN_ROUTE ? method : `${method} ${route}`;
      const span = tracer.startSpan(name, { kind: SpanKind.SERVER, attributes }, parent);
      request.traced = trace.setSpan(parent, span);
    }
    done();
  });
  // After the body was read: its events come in the context of the connection, not of the request.
  fastify.addHook('preHandler', (request, _reply, done) => {
    context.with(request.traced ?? ROOT_CONTEXT, done);
  });
  fastify.addHook('onResponse', (request, reply, done) => {
    const span = request.traced && trace.getSpan(request.traced);
    span?.setAttribute('http.response.status_code', reply.statusCode);
    if (reply.statusCode >= 500) span?.setStatus({ code: SpanStatusCode.ERROR });
    span?.end();
    done();
  });
}
