import { ROOT_CONTEXT, trace, TraceFlags } from '@opentelemetry/api';
import { unrecordedSpans } from './unrecorded-spans';

const tracer = unrecordedSpans.getTracer('test');
const caller = (traceFlags: TraceFlags) =>
  trace.setSpanContext(ROOT_CONTEXT, { traceId: 'a'.repeat(32), spanId: 'b'.repeat(16), traceFlags });

it.each([TraceFlags.NONE, TraceFlags.SAMPLED])('goes on with the caller’s trace, flags %i included', (traceFlags) => {
  const span = tracer.startSpan('one', {}, caller(traceFlags)).spanContext();
  expect(span).toMatchObject({ traceId: 'a'.repeat(32), traceFlags });
  expect(span.spanId).toMatch(/^(?!b{16})[0-9a-f]{16}$/);
});

it('begins a trace that others may record', () => {
  const [one, other] = [1, 2].map(() => tracer.startSpan('one', { root: true }, caller(TraceFlags.NONE)).spanContext());
  expect(one).toMatchObject({ traceId: expect.stringMatching(/^[0-9a-f]{32}$/), traceFlags: TraceFlags.SAMPLED });
  expect(one?.traceId).not.toBe('a'.repeat(32));
  expect(one?.traceId).not.toBe(other?.traceId);
});

it('hands an active span to its work, and its result back', () => {
  const inner = (span: { spanContext(): { traceId: string } }) => span.spanContext().traceId;
  expect(tracer.startActiveSpan('one', {}, caller(TraceFlags.SAMPLED), inner)).toBe('a'.repeat(32));
  expect(tracer.startActiveSpan('one', inner)).toMatch(/^[0-9a-f]{32}$/);
});
