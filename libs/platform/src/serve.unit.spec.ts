import { connect } from 'node:net';
import { trace } from '@opentelemetry/api';
import { Body, Controller, Get, Module, Post, type DynamicModule } from '@nestjs/common';
import { z } from 'zod';
import { HealthModule } from './health.module';
import { createLogger } from './logging';
import { readMetrics } from './metrics';
import { Problem } from './problem';
import { BODY_LIMIT, startApp, type RunningApp } from './serve';
import { appSettings } from './settings';
import { activeTraceparent, shutdownTelemetry } from './telemetry';

const lines: string[] = [];
const logger = createLogger('test', 'info', { write: (line) => void lines.push(line) });

@Controller()
class Door {
  @Post('bytes')
  bytes(@Body() body: unknown) {
    return { buffer: Buffer.isBuffer(body), hex: Buffer.isBuffer(body) ? body.toString('hex') : null };
  }

  @Get('bug')
  bug() {
    throw new Error('connection to 10.0.0.7 refused');
  }

  @Get('away')
  away() {
    throw new Problem('log-unavailable', { detail: 'try later', retryAfterSeconds: 5 });
  }
}

@Module({})
class App {}

let healthy = true;
const appModule = (): DynamicModule => ({
  module: App,
  controllers: [Door],
  imports: [
    HealthModule.forChecks({
      broker: () => (healthy ? Promise.resolve() : Promise.reject(new Error('is away'))),
      disk: () => Promise.resolve(),
    }),
  ],
});

let running: RunningApp;
beforeAll(async () => {
  running = await startApp(
    { name: 'test', config: z.object(appSettings), module: appModule },
    { PORT: '0', LOG_LEVEL: 'silent', REQUEST_LIMIT: '310ms' },
  );
});
afterAll(async () => {
  await running.close();
  await shutdownTelemetry();
});

const ask = (path: string, init?: RequestInit) => fetch(running.url + path, init);

describe('a running app', () => {
  it.each([['application/json'], ['text/plain'], ['application/x-www-form-urlencoded'], [undefined]])(
    'hands a body of type %s over as the bytes that came',
    async (type) => {
      const body = Buffer.from([0x7b, 0x00, 0xff, 0x0a]);
      const answer = await ask('/bytes', { method: 'POST', body, headers: type ? { 'content-type': type } : {} });
      expect(await answer.json()).toEqual({ buffer: true, hex: '7b00ff0a' });
    },
  );

  // That the span comes from the caller's header is tested on a process of its own: Jest hides modules from the patching.
  it('puts the trace of the active span on log lines and hides secrets', () => {
    const traceId = trace.getTracer('test').startActiveSpan('work', (span) => {
      logger.info({ headers: { authorization: 'Bearer abc' } }, 'asked');
      expect(activeTraceparent()).toBe(`00-${span.spanContext().traceId}-${span.spanContext().spanId}-01`);
      span.end();
      return span.spanContext().traceId;
    });
    expect(traceId).toMatch(/^(?!0{32})[0-9a-f]{32}$/);
    expect(JSON.parse(lines.at(-1) ?? '{}')).toMatchObject({
      service: 'test',
      level: 'info',
      traceId,
      headers: { authorization: '[redacted]' },
    });
    expect(activeTraceparent()).toBeUndefined();
  });

  it('tells nothing of a bug', async () => {
    const answer = await ask('/bug');
    expect(answer.status).toBe(500);
    expect(answer.headers.get('content-type')).toBe('application/problem+json');
    expect(await answer.json()).toEqual({
      type: 'urn:refrain:problem:bug',
      title: 'The request met a fault of the server',
      status: 500,
      code: 'bug',
    });
  });

  it('answers a problem with its code and Retry-After', async () => {
    const answer = await ask('/away');
    expect([answer.status, answer.headers.get('retry-after')]).toEqual([503, '5']);
    expect(await answer.json()).toMatchObject({ code: 'log-unavailable', detail: 'try later' });
  });

  it.each([
    ['a body over the limit', '/bytes', { method: 'POST', body: Buffer.alloc(BODY_LIMIT + 1) }, 413, 'too-large'],
    ['an unknown address', '/nowhere', {}, 404, 'not-found'],
  ])('answers %s as a problem', async (_case, path, init, status, code) => {
    const answer = await ask(path, init);
    expect([answer.status, answer.headers.get('content-type')]).toEqual([status, 'application/problem+json']);
    expect(await answer.json()).toMatchObject({ code, status });
  });

  it('takes a body of just the limit', async () => {
    expect((await ask('/bytes', { method: 'POST', body: Buffer.alloc(BODY_LIMIT) })).status).toBe(201);
  });

  it('is ready while every check passes, and names those that do not', async () => {
    expect((await ask('/healthz')).status).toBe(200);
    expect(await (await ask('/readyz')).json()).toEqual({ status: 'ready', checks: ['broker', 'disk'] });
    healthy = false;
    const answer = await ask('/readyz');
    expect(answer.status).toBe(503);
    expect(await answer.json()).toMatchObject({ code: 'not-ready', errors: [{ at: 'broker', detail: 'is away' }] });
    expect((await ask('/healthz')).status).toBe(200);
  });
});

describe('what Node cannot read as a request', () => {
  /** Sends bytes as they are and reads to the end of the connection. */
  const send = (bytes: string) =>
    new Promise<string>((resolve, reject) => {
      const socket = connect(Number(new URL(running.url).port), '127.0.0.1', () => socket.write(bytes));
      let answer = '';
      socket.on('data', (data) => (answer += data.toString()));
      socket.on('error', reject);
      socket.on('close', () => resolve(answer));
    });
  const refused = async (code: string): Promise<number> => {
    const line = `http_server_refusals_total{http_route="none",code="${code}"} `;
    return Number((await readMetrics()).split(line)[1]?.split('\n')[0] ?? 0);
  };

  it.each([
    [
      'headers that are too large',
      `GET / HTTP/1.1\r\nhost: a\r\nx: ${'x'.repeat(17 * 1024)}\r\n\r\n`,
      431,
      'headers-too-large',
    ],
    ['headers that never end', 'POST /bytes HTTP/1.1\r\nhost: a\r\n', 408, 'too-slow'],
    ['a body that never ends', 'POST /bytes HTTP/1.1\r\nhost: a\r\ncontent-length: 5\r\n\r\nab', 408, 'too-slow'],
    ['no HTTP', 'hello\r\n\r\n', 400, 'bad-request'],
  ])('is answered with a problem and counted: %s', async (_name, bytes, status, code) => {
    const before = await refused(code);
    const answer = await send(bytes);
    const [head = '', body = ''] = answer.split('\r\n\r\n');
    expect(head).toContain(`HTTP/1.1 ${status} `);
    expect(head).toContain('content-type: application/problem+json');
    expect(JSON.parse(body)).toMatchObject({ code, status });
    expect(await refused(code)).toBe(before + 1);
  });
});
