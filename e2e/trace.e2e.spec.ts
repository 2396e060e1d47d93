import { Hub } from './testing/hub';
import { Lead } from './testing/lead';
import { type Span, TraceSink } from './testing/trace-sink';
import { until } from './testing/until';

const sink = new TraceSink();
const firstname = 'Zephyrine';
const note = 'Asked twice about the harbour office, $50k ready for Q1';
let hub: Hub;
let lead: Lead;
/** All spans of the trace that began with the webhook. */
let trace: Span[];

beforeAll(async () => {
  const endpoint = await sink.start();
  hub = await Hub.start({ RENDER_MS: '1500', OTEL_EXPORTER_OTLP_ENDPOINT: endpoint, OTEL_BSP_SCHEDULE_DELAY: '200' });
  lead = await Lead.make(hub, { firstname, note });
  const change = lead.change();
  await hub.post(`[${change}]`);
  await lead.done();
  const received = lead.records('ingress.hubspot.v1').find(({ value }) => String(value) === change);
  const traceId = received?.headers['traceparent']?.split('-')[1];
  const writes = (await lead.patches()).length;
  trace = await until('the last span of the trace', () => {
    const spans = sink.spans.filter((span) => span.traceId === traceId);
    return spans.filter(({ name }) => name === 'effect hubspot.update').length === writes && whole(spans) && spans;
  });
}, 120_000);

afterAll(async () => {
  await hub?.stop();
  await sink.close();
});

/** Whether every span but the first has its parent among them; services export each in its own time. */
const whole = (spans: Span[]): boolean =>
  spans.every(({ parentSpanId }) => !parentSpanId || spans.some(({ spanId }) => spanId === parentSpanId));

const parentOf = (span: Span | undefined): Span | undefined =>
  trace.find(({ spanId }) => spanId === span?.parentSpanId);

/** The events of the decisions that led to a span, the first cause first; names where there are none. */
const eventsUpTo = (span: Span | undefined): unknown[] =>
  span ? [...eventsUpTo(parentOf(span)), span.attributes['refrain.events'] ?? span.name] : [];

/** The decision that made an event. */
const decisionOf = (event: string): Span | undefined =>
  trace.find(({ attributes }) => String(attributes['refrain.events']).split(' ').includes(event));

/** The write that the video led to; what else is written may come later. */
const videoWrite = (): Span | undefined =>
  trace.find((span) => span.name === 'effect hubspot.update' && eventsUpTo(span).includes('RenderCompleted'));

it('is one trace from the webhook to each write, with the callback in it', () => {
  const [root, ...others] = trace.filter(({ parentSpanId }) => !parentSpanId);
  expect([root?.service, root?.attributes['http.request.method'] ?? root?.attributes['http.method'], others]).toEqual([
    'gateway',
    'POST',
    [],
  ]);
  expect(eventsUpTo(videoWrite())).toEqual([
    root?.name,
    'RenderRequested',
    'RenderPrepared',
    'RenderSubmitted',
    'RenderCompleted',
    expect.stringContaining('RecordUpdateOwed'),
    'effect hubspot.update',
  ]);
});

it.each([
  ['render-service', 'effect hubspot.read', 'RenderRequested'],
  ['render-service', 'effect heygen.generate', 'RenderPrepared'],
  ['enrichment-service', 'effect hubspot.notes', 'EnrichmentRequested'],
  ['enrichment-service', 'effect openai.ask', 'EnrichmentPrepared'],
])("hangs %s's %s, with its HTTP call, below the decision %s", (service, name, event) => {
  const [effect, ...others] = trace.filter((span) => span.service === service && span.name === name);
  expect(others).toEqual([]);
  expect(parentOf(effect)).toBe(decisionOf(event));
  expect(trace.filter(({ parentSpanId }) => parentSpanId === effect?.spanId).length).toBeGreaterThan(0);
});

it('says of the question which model answered and what it took, by the conventions, and nothing of what was said', () => {
  const question = trace.find(({ name }) => name === 'chat gpt-6-luna');
  expect(parentOf(question)?.name).toBe('effect openai.ask');
  expect(question?.attributes).toMatchObject({
    'gen_ai.operation.name': 'chat',
    'gen_ai.request.model': 'gpt-6-luna',
    'gen_ai.response.model': 'gpt-6-luna',
    'gen_ai.usage.input_tokens': expect.anything() as unknown,
    'gen_ai.usage.output_tokens': expect.anything() as unknown,
  });
  expect(JSON.stringify(question)).not.toMatch(new RegExp(`${firstname}|harbour`));
});

it('links the trace of the callback to the decision that it led to', () => {
  const [callback] = hub.topic('ingress.heygen.v1');
  const [, traceId, spanId] = callback?.headers['traceparent']?.split('-') ?? [];
  const decision = decisionOf('RenderCompleted');
  expect(traceId).not.toBe(decision?.traceId);
  expect(decision?.links).toEqual([expect.objectContaining({ traceId, spanId })]);
  expect(sink.spans).toContainEqual(expect.objectContaining({ service: 'gateway', traceId, spanId }));
});

interface Story {
  received: { at: string; value: string; verified: string }[];
  events: { type: string }[];
}

it('is explained by its trace id: what came in, how its sender was known, and what was decided', async () => {
  const { received, events } = await hub.refrain<Story>('explain', trace[0]?.traceId ?? '');
  const webhook = received.find(({ at }) => at.startsWith('ingress.hubspot.v1/'));
  expect(JSON.parse(webhook?.value ?? '{}')).toMatchObject({
    objectId: Number(lead.id),
    propertyName: 'lifecyclestage',
  });
  expect(webhook?.verified).toMatch(/^hubspot-v3 POST \S+\/webhooks\/hubspot at \d{13} sha256:[0-9a-f]{64}$/);
  expect(received.some(({ at }) => at.startsWith('ingress.heygen.v1/'))).toBe(true);
  expect(events.map(({ type }) => type)).toEqual(
    expect.arrayContaining([
      'refrain.render.completed.v1',
      'refrain.enrichment.completed.v1',
      'refrain.record.updated.v1',
    ]),
  );
});

it('holds neither secrets nor what the contact said or is called', () => {
  expect(sink.raw).toContain(lead.id);
  for (const secret of [...Object.values(hub.secrets), lead.email, lead.lastname, firstname, 'harbour', 'ready for Q1'])
    expect(sink.raw.includes(secret)).toBe(false);
});
