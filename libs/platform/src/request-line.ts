import { trace } from '@opentelemetry/api';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { Logger } from './logging';

type Fields = Record<string, string | number | boolean | undefined>;

declare module 'fastify' {
  interface FastifyRequest {
    noted: Fields | undefined;
  }
}

/** Adds fields to the one line that is logged of a request; they must hold neither payload nor secrets. */
export function noteOnRequest(request: FastifyRequest, fields: Fields): void {
  request.noted = request.noted ? { ...request.noted, ...fields } : fields;
}

/** Logs one line a request, after its answer: what came, what became of it, how long it took. Probes are debug lines. */
export function logRequests(fastify: FastifyInstance, logger: Logger): void {
  fastify.decorateRequest('noted', undefined);
  // What stands on these lines is named here and in `noteOnRequest`; looking for secrets in it took a tenth of the CPU.
  const lines = logger.child({}, { redact: [] });
  fastify.addHook('onResponse', (request, reply, done) => {
    const line = {
      method: request.method,
      // The route, not the address: a query may hold what is nobody's business.
      route: request.route,
      status: reply.statusCode,
      ms: Math.round(reply.elapsedTime * 10) / 10,
      traceId: request.traced && trace.getSpan(request.traced)?.spanContext().traceId,
      ...request.noted,
    };
    const probe = line.route === '/healthz' || line.route === '/readyz';
    if (probe) lines.debug(line, 'request');
    else lines.info(line, 'request');
    done();
  });
}
