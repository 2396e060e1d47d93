import { trace } from '@opentelemetry/api';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { Logger } from './logging';

type Fields = Record<string, string | number | boolean | undefined>;

const noted = new WeakMap<FastifyRequest, Fields>();

/** Adds fields to the one line that is logged of a request; they must hold neither payload nor secrets. */
export function noteOnRequest(request: FastifyRequest, fields: Fields): void {
  noted.set(request, { ...noted.get(request), ...fields });
}

/** Logs one line a request, after its answer: what came, what became of it, how long it took. Probes are debug lines. */
export function logRequests(fastify: FastifyInstance, logger: Logger): void {
  fastify.addHook('onRequest', (request, _reply, done) => {
    // The answer's end is outside of the span, so its id is kept now.
    noteOnRequest(request, { traceId: trace.getActiveSpan()?.spanContext().traceId });
    done();
  });
  fastify.addHook('onResponse', (request, reply, done) => {
    const line = {
      method: request.method,
      // The route, not the address: a query may hold what is nobody's business.
      route: request.routeOptions.url ?? 'none',
      status: reply.statusCode,
      ms: Math.round(reply.elapsedTime * 10) / 10,
      ...noted.get(request),
    };
    const probe = line.route === '/healthz' || line.route === '/readyz';
    if (probe) logger.debug(line, 'request');
    else logger.info(line, 'request');
    done();
  });
}
