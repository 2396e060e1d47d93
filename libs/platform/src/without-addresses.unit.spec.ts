import { InMemorySpanExporter, SimpleSpanProcessor, TracerProvider } from '@opentelemetry/sdk-trace';
import { withoutAddresses } from './without-addresses';

it('takes addresses out of the URLs of calls, and nothing else', () => {
  const exporter = new InMemorySpanExporter();
  const spanProcessors = [withoutAddresses, new SimpleSpanProcessor({ exporter })];
  const tracer = new TracerProvider({ spanProcessors }).getTracer('test');
  const attributes = {
    'url.full': 'https://api.hubapi.com/communication-preferences/2026-09/statuses/ada%40example.com?channel=EMAIL',
    'url.path': '/crm/objects/2026-09/0-1/ada@example.com',
    'http.url': 'https://api.hubapi.com/crm/objects/2026-09/0-1/7?email=ada@example.com&a=b',
    'refrain.stream': 'record-default:contact:7',
  };
  tracer.startSpan('one', { attributes }).end();
  expect(exporter.getFinishedSpans()[0]?.attributes).toEqual({
    'url.full': 'https://api.hubapi.com/communication-preferences/2026-09/statuses/{address}?channel=EMAIL',
    'url.path': '/crm/objects/2026-09/0-1/{address}',
    'http.url': 'https://api.hubapi.com/crm/objects/2026-09/0-1/7?email={address}&a=b',
    'refrain.stream': 'record-default:contact:7',
  });
});
