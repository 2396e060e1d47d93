import { trace } from '@opentelemetry/api';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { Logger } from './logging';
import { contextOfRequest } from './request-span';

type Fields = Record<string, string | number | boolean | undefined>;

const noted = new WeakMap<FastifyRequest, Fields>();

/** Adds fields to the one line that is logged of a request; they must hold neither payload nor secrets. */
export function noteOnRequest(request: FastifyRequest, fields: Fields): void {
  noted.set(request, { ...noted.get(request), ...fields });
}

/** Logs one line a request, after its answer: what came, what became of it, how long it took. Probes are debug lines. */
export function logRequests(fastify: FastifyInstance, logger: Logger): void {
  // What stands on these lines is named here and in `noteOnRequest`; looking for secrets in it took a tenth of the CPU.
  const lines = logger.child({}, { redact: [] });
  fastify.addHook('onResponse', (request, reply, done) => {
    const line = {
      method: request.method,
      // The route, not the address: a query may hold what is nobody's business.
      route: request.routeOptions.url ?? 'none',
      status: reply.statusCode,
      ms: Math.round(reply.elapsedTime * 10) / 10,
      traceId: trace.getSpan(contextOfRequest(request))?.spanContext().traceId,
      ...noted.get(request),
    };
    const probe = line.route === '/healthz' || line.route === '/readyz';
    if (probe) lines.debug(line, 'request');
    else lines.info(line, 'request');
    done();
  });
}
