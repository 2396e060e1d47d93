import { context, propagation, trace } from '@opentelemetry/api';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { HttpInstrumentation } from '@opentelemetry/instrumentation-http';
import { UndiciInstrumentation } from '@opentelemetry/instrumentation-undici';
import { NodeSDK } from '@opentelemetry/sdk-node';
import { BatchSpanProcessor } from '@opentelemetry/sdk-trace';
import { unrecordedSpans } from './unrecorded-spans';
import { withoutAddresses } from './without-addresses';

let running: NodeSDK | undefined;

/**
 * Starts tracing: a span for every HTTP call to a vendor, without bodies, headers or addresses of people, W3C context; requests that come in
 * get theirs by `spanRequests`. Spans leave the process only where an OTLP/HTTP endpoint is given; trace ids exist either way. Only its first call
 * in a process has an effect. Kafka and Postgres spans are made by hand where their meaning is known.
 */
export function startTelemetry(serviceName: string, { otlpEndpoint }: { otlpEndpoint?: string } = {}): void {
  if (running) return;
  const spanProcessors = otlpEndpoint
    ? [
        withoutAddresses,
        new BatchSpanProcessor({ exporter: new OTLPTraceExporter({ url: `${otlpEndpoint}/v1/traces` }) }),
      ]
    : [];
  if (!otlpEndpoint) trace.setGlobalTracerProvider(unrecordedSpans);
  running = new NodeSDK({
    serviceName,
    autoDetectResources: false,
    spanProcessors,
    // Given empty: otherwise the SDK would send logs and metrics to an endpoint of its own choice.
    logRecordProcessors: [],
    metricReaders: [],
    // Calls only: requests that come in have a span of their own (request-span.ts).
    instrumentations: [
      new HttpInstrumentation({
        disableIncomingRequestInstrumentation: true,
        requireParentforOutgoingSpans: true,
        // A call with a connection of its own asks a declared system: its address holds what a record says.
        ignoreOutgoingRequestHook: ({ agent }) => agent === false,
      }),
      new UndiciInstrumentation({ requireParentforSpans: true }),
    ],
  });
  running.start();
  // A module is patched when it is next asked for: ask now, so that it does not matter whether something loaded it before.
  process.getBuiltinModule('node:http');
  process.getBuiltinModule('node:https');
}

/** Sends what spans are left, within the exporter's own limit; never rejects. */
export async function shutdownTelemetry(): Promise<void> {
  const sdk = running;
  running = undefined;
  try {
    await sdk?.shutdown();
  } catch {
    // A collector that is away must not keep a process from ending.
  }
}

/** The W3C `traceparent` of the active span; undefined outside of one. */
export function activeTraceparent(): string | undefined {
  if (!trace.getActiveSpan()) return undefined;
  const carrier: { traceparent?: string } = {};
  propagation.inject(context.active(), carrier);
  return carrier.traceparent;
}
