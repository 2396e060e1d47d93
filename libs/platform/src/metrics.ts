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

/** What an instrument tells is kept here by its labels, whose values come from closed lists. */
class Labelled<Label extends string> {
  private readonly values = new Map<string, { attributes: Record<Label, string>; value: number }>();

  constructor(private readonly labels: readonly Label[]) {}

  readonly observe = (result: { observe(value: number, attributes: Record<string, string>): void }): void => {
    for (const { attributes, value } of this.values.values()) result.observe(value, attributes);
  };

  /** Changes a value, which is 0 before; `by` stand in the order of the labels. */
  change(by: readonly string[], next: (value: number) => number): void {
    const key = by.join('\n');
    const known = this.values.get(key);
    if (known) known.value = next(known.value);
    else this.values.set(key, { attributes: this.attributes(by), value: next(0) });
  }

  private attributes(by: readonly string[]): Record<Label, string> {
    return Object.fromEntries(this.labels.map((label, i) => [label, by[i] ?? ''])) as Record<Label, string>;
  }
}

/** A counter that is added to without the instrument, which is asked for its counts only when it is read. */
export class Counter<Label extends string> {
  private readonly counts: Labelled<Label>;

  /** `labels` name what is counted apart; their values come from closed lists. */
  constructor(name: string, description: string, labels: readonly Label[]) {
    this.counts = new Labelled(labels);
    meter.createObservableCounter(name, { description }).addCallback(this.counts.observe);
  }

  /** Counts one; the values stand in the order of the labels. */
  add(...values: string[]): void {
    this.addMany(1, ...values);
  }

  /** Counts so many. */
  addMany(many: number, ...values: string[]): void {
    this.counts.change(values, (count) => count + many);
  }
}

/** A value that is as it was set last, read in the same way. */
export class Gauge<Label extends string> {
  private readonly last: Labelled<Label>;

  /** `labels` name what is measured apart; their values come from closed lists. */
  constructor(name: string, description: string, labels: readonly Label[]) {
    this.last = new Labelled(labels);
    meter.createObservableGauge(name, { description }).addCallback(this.last.observe);
  }

  /** The label's values stand in the order of the labels. */
  set(value: number, ...values: string[]): void {
    this.last.change(values, () => value);
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
