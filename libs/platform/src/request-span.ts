import { context, propagation, ROOT_CONTEXT, SpanKind, SpanStatusCode, trace, type Context } from '@opentelemetry/api';
import type { FastifyInstance, FastifyRequest } from 'fastify';

const tracer = trace.getTracer('refrain');
const probes = new Set(['/healthz', '/readyz', '/metrics']);

const contexts = new WeakMap<FastifyRequest, Context>();

/**
 * Gives each request a span, as a child of the caller's by W3C `traceparent`, and runs its handler within; probes get
 * none. It names the route and never the address, whose query may hold what is nobody's business. Attributes by the
 * semantic conventions for HTTP.
 */
export function spanRequests(fastify: FastifyInstance): void {
  fastify.addHook('onRequest', (request, _reply, done) => {
    const route = request.routeOptions.url;
    if (!probes.has(route ?? '')) {
      const parent = propagation.extract(ROOT_CONTEXT, request.headers);
      const attributes = { 'http.request.method': request.method, ...(route ? { 'http.route': route } : {}) };
      const span = tracer.startSpan(
        `${request.method} ${route ?? ''}`.trim(),
        { kind: SpanKind.SERVER, attributes },
        parent,
      );
      contexts.set(request, trace.setSpan(parent, span));
    }
    done();
  });
  // After the body was read: its events come in the context of the connection, not of the request.
  fastify.addHook('preHandler', (request, _reply, done) => {
    context.with(contextOfRequest(request), done);
  });
  fastify.addHook('onResponse', (request, reply, done) => {
    const span = trace.getSpan(contextOfRequest(request));
    span?.setAttribute('http.response.status_code', reply.statusCode);
    if (reply.statusCode >= 500) span?.setStatus({ code: SpanStatusCode.ERROR });
    span?.end();
    done();
  });
}

/** The context of a request's span; the root context where it has none. */
export const contextOfRequest = (request: FastifyRequest): Context => contexts.get(request) ?? ROOT_CONTEXT;
