import { createServer, type Server } from 'node:http';
import { PrometheusExporter } from '@opentelemetry/exporter-prometheus';
import { MeterProvider } from '@opentelemetry/sdk-metrics';
import type { FastifyInstance } from 'fastify';
import { listening } from './listening';

const exporter = new PrometheusExporter({
  preventServerStart: true,
  withoutScopeInfo: true,
  withoutTargetInfo: true,
});

/**
 * Makes this process's instruments, named as Prometheus does. Attributes come from closed lists (codes, routes, declared
 * names), never from a request's content.
 */
export const meter = new MeterProvider({ readers: [exporter] }).getMeter('refrain');

/** A counter that is added to without the instrument, which is asked for its counts only when it is read. */
export class Counter<Label extends string> {
  private readonly counts = new Map<string, { attributes: Record<Label, string>; count: number }>();

  /** `labels` name what is counted apart; their values come from closed lists. */
  constructor(
    name: string,
    description: string,
    private readonly labels: readonly Label[],
  ) {
    meter.createObservableCounter(name, { description }).addCallback((result) => {
      for (const { attributes, count } of this.counts.values()) result.observe(count, attributes);
    });
  }

  /** Counts one; the values stand in the order of the labels. */
  add(...values: string[]): void {
    const key = values.join('\n');
    const known = this.counts.get(key);
    if (known) known.count += 1;
    else this.counts.set(key, { attributes: this.attributes(values), count: 1 });
  }

  private attributes(values: string[]): Record<Label, string> {
    return Object.fromEntries(this.labels.map((label, i) => [label, values[i] ?? ''])) as Record<Label, string>;
  }
}

const refusals = new Counter('http_server_refusals', 'Requests that were not answered 2xx, by route and problem code', [
  'http_route',
  'code',
]);

/** Counts a request that was refused. */
export const countRefusal = (route: string, code: string): void => refusals.add(route, code);

const durations = meter.createHistogram('http_server_request_duration_seconds', {
  description: 'Time from the headers of a request to its answer, by route and class of its status',
  advice: { explicitBucketBoundaries: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10] },
});

/** Notes how long each request took. */
export function timeRequests(fastify: FastifyInstance): void {
  const known = new Map<string, { http_route: string; status_class: string }>();
  fastify.addHook('onResponse', (request, reply, done) => {
    const route = request.route;
    const status = `${String(reply.statusCode)[0]}xx`;
    const key = `${status} ${route}`;
    let attributes = known.get(key);
    if (!attributes) known.set(key, (attributes = { http_route: route, status_class: status }));
    durations.record(reply.elapsedTime / 1_000, attributes);
    done();
  });
}

/** What every instrument of this process holds, as Prometheus reads it. */
export function readMetrics(): Promise<string> {
  return new Promise((resolve) => {
    const response = { setHeader: () => undefined, end: resolve, statusCode: 200 };
    exporter.getMetricsRequestHandler({} as never, response as never);
  });
}

/** Serves the metrics at `/metrics` and nothing else; resolves once it listens. */
export async function serveMetrics(port: number, host: string): Promise<Server> {
  const server = createServer((request, response) => {
    if (request.url === '/metrics' && request.method === 'GET') exporter.getMetricsRequestHandler(request, response);
    else response.writeHead(404).end();
  });
  await listening(server, port, host);
  return server.unref();
}
