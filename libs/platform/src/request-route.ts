import type { FastifyInstance } from 'fastify';

declare module 'fastify' {
  interface FastifyRequest {
    /** The pattern that the address fits, or {@link UNKNOWN_ROUTE}: it says nothing of the address itself. */
    route: string;
  }
}

/** The route of a request that no door is for. */
export const UNKNOWN_ROUTE = 'none';

/** Names the route of each request once: Fastify puts its options together anew each time they are asked for. */
export function nameRoutes(fastify: FastifyInstance): void {
  fastify.decorateRequest('route', UNKNOWN_ROUTE);
  fastify.addHook('onRequest', (request, _reply, done) => {
    request.route = request.routeOptions.url ?? UNKNOWN_ROUTE;
    done();
  });
}
