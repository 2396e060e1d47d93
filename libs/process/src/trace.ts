import {
  context,
  isSpanContextValid,
  ROOT_CONTEXT,
  SpanKind,
  SpanStatusCode,
  trace,
  type Context,
  type Span,
} from '@opentelemetry/api';

const tracer = trace.getTracer('refrain');

const TRACEPARENT = /^00-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})$/;

/** The context that a stored or received `traceparent` (W3C) stands for; the root context where there is none. */
export function contextOf(traceparent: string | undefined): Context {
  const [, traceId, spanId, flags] = TRACEPARENT.exec(traceparent ?? '') ?? [];
  if (!traceId || !spanId || !flags) return ROOT_CONTEXT;
  return trace.setSpanContext(ROOT_CONTEXT, { traceId, spanId, traceFlags: parseInt(flags, 16), isRemote: true });
}

/** The `traceparent` of a span, to be stored beside what came of it; undefined where nothing traces. */
export function traceparentOf(span: Span): string | undefined {
  const c = span.spanContext();
  return isSpanContextValid(c)
    ? `00-${c.traceId}-${c.spanId}-${c.traceFlags.toString(16).padStart(2, '0')}`
    : undefined;
}

/** Begins the span of one decision, as a child of what caused it and linked to `also`, if given. */
export function beginDecision(
  name: string,
  parent: string | undefined,
  also: string | undefined,
  attributes: Record<string, string>,
): Span {
  const linked = also === undefined || also === parent ? undefined : trace.getSpanContext(contextOf(also));
  return tracer.startSpan(
    name,
    { kind: SpanKind.CONSUMER, attributes, links: linked ? [{ context: linked }] : [] },
    contextOf(parent),
  );
}

/** Runs one outside call in a client span, child of the decision that owed it. The span fails when `failed` says so. */
export async function inCallSpan<T>(
  name: string,
  parent: string | undefined,
  attributes: Record<string, string | number>,
  call: () => Promise<T>,
  failed: (result: T) => string | undefined,
): Promise<T> {
  const span = tracer.startSpan(name, { kind: SpanKind.CLIENT, attributes }, contextOf(parent));
  try {
    const result = await context.with(trace.setSpan(ROOT_CONTEXT, span), call);
    const code = failed(result);
    if (code !== undefined) span.setStatus({ code: SpanStatusCode.ERROR }).setAttribute('error.type', code);
    return result;
  } finally {
    span.end();
  }
}
