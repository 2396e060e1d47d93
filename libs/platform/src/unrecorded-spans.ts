import {
  context,
  type Context,
  type Span,
  type SpanOptions,
  trace,
  TraceFlags,
  type Tracer,
  type TracerProvider,
} from '@opentelemetry/api';
import { RandomIdGenerator } from '@opentelemetry/sdk-trace';

const ids = new RandomIdGenerator();

/**
 * Spans that are their ids alone, for a process that sends them nowhere. The trace goes on as its caller began it: other
 * services may record it, so one that begins here counts as sampled.
 */
class UnrecordedTracer implements Tracer {
  startSpan(_name: string, options: SpanOptions = {}, parent: Context = context.active()): Span {
    const caller = options.root ? undefined : trace.getSpanContext(parent);
    return trace.wrapSpanContext({
      traceId: caller?.traceId ?? ids.generateTraceId(),
      spanId: ids.generateSpanId(),
      traceFlags: caller?.traceFlags ?? TraceFlags.SAMPLED,
      traceState: caller?.traceState,
    });
  }

  startActiveSpan(name: string, ...given: unknown[]): never {
    const work = given.at(-1) as (span: Span) => never;
    const [options, parent = context.active()] = given.slice(0, -1) as [SpanOptions?, Context?];
    const span = this.startSpan(name, options, parent);
    return context.with(trace.setSpan(parent, span), work, undefined, span);
  }
}

const tracer = new UnrecordedTracer();

/** Gives everybody {@link UnrecordedTracer}. */
export const unrecordedSpans: TracerProvider = { getTracer: () => tracer };
